"""`icontains`: the answer contains this text, ignoring case."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS: frozenset[str] = frozenset()
validate = base.text_operand_error


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Search for the text, case folded."""
    expected = base.to_text(base.resolve_operand(assertion, subject.case))
    passed = expected.casefold() in subject.text.casefold()
    return base.text_outcome(
        passed=passed,
        requirement=f"should contain {base.quote(expected)} in any case",
        subject=subject,
        position=None,
    )
