"""`starts-with`: the answer begins with this text; whitespace before it does not count unless `trim: false`."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"ignore_case", "trim"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a text that is more than whitespace, which does not count."""
    if wrong := base.text_operand_error(assertion, case) or base.flag_error(assertion, "ignore_case", "trim"):
        return wrong
    blank = not base.to_text(base.resolve_operand(assertion, case)).strip()
    return "the text to look for is blank, so every answer would pass" if blank else None


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare the beginning."""
    expected, text = resolve_texts(assertion, subject)
    strip = str.lstrip if assertion.options.get("trim", True) else str
    return base.text_outcome(
        passed=strip(text).startswith(strip(expected)),
        requirement=f"should start with {base.quote(expected)}",
        subject=subject,
    )


def resolve_texts(assertion: Assertion, subject: Subject) -> tuple[str, str]:
    """Return the expected text and the answer, case-folded if `ignore_case` is set."""
    expected, text = base.to_text(base.resolve_operand(assertion, subject.case)), subject.text
    return (expected.casefold(), text.casefold()) if assertion.options.get("ignore_case", False) else (expected, text)
