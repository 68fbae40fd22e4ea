"""`contains`: the answer contains this text."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS: frozenset[str] = frozenset()
validate = base.text_operand_error


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Search for the text."""
    expected = base.to_text(base.resolve_operand(assertion, subject.case))
    requirement = f"should contain {base.quote(expected)}"
    return base.text_outcome(passed=expected in subject.text, requirement=requirement, subject=subject, position=None)
