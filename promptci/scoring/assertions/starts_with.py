"""`starts-with`: the answer begins with this text; blanks before it do not count."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS = frozenset({"ignore_case"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a text that is more than blanks, which do not count."""
    if wrong := base.text_operand_problem(assertion, case) or base.flag_problem(assertion, "ignore_case"):
        return wrong
    blank = not base.as_text(base.operand(assertion, case)).strip()
    return "the text to look for is blank, so every answer would pass" if blank else None


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Compare the beginning."""
    wanted, text = folded(assertion, subject)
    return base.verdict(
        passed=text.lstrip().startswith(wanted.lstrip()),
        wanted=f"should start with {base.quoted(wanted)}",
        subject=subject,
    )


def folded(assertion: Assertion, subject: Subject) -> tuple[str, str]:
    """Give the text wanted and the answer, case folded where asked."""
    wanted, text = base.as_text(base.operand(assertion, subject.case)), subject.text
    return (wanted.casefold(), text.casefold()) if assertion.options.get("ignore_case", False) else (wanted, text)
