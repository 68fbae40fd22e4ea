"""`ends-with`: the answer ends with this text; whitespace after it does not count."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import base, starts_with
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = starts_with.OPTIONS
validate = starts_with.validate


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare the end."""
    expected, text = starts_with.resolve_texts(assertion, subject)
    strip = str.rstrip if assertion.options.get("trim", True) else str
    return base.text_outcome(
        passed=strip(text).endswith(strip(expected)),
        requirement=f"should end with {base.quote(expected)}",
        subject=subject,
        position=len(subject.text),
    )
