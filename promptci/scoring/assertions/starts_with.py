"""`starts-with`: the answer begins with this text; blanks before it do not count."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"ignore_case"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need a text that is more than blanks, which do not count."""
    if wrong := base.text_operand_error(assertion, case) or base.flag_error(assertion, "ignore_case"):
        return wrong
    blank = not base.to_text(base.resolve_operand(assertion, case)).strip()
    return "the text to look for is blank, so every answer would pass" if blank else None


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare the beginning."""
    wanted, text = folded(assertion, subject)
    return base.text_outcome(
        passed=text.lstrip().startswith(wanted.lstrip()),
        wanted=f"should start with {base.quote(wanted)}",
        subject=subject,
    )


def folded(assertion: Assertion, subject: Subject) -> tuple[str, str]:
    """Give the text wanted and the answer, case folded where asked."""
    wanted, text = base.to_text(base.resolve_operand(assertion, subject.case)), subject.text
    return (wanted.casefold(), text.casefold()) if assertion.options.get("ignore_case", False) else (wanted, text)
