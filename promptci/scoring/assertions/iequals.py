"""`iequals`: the answer is this text, ignoring case; of a list, any one entry."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import equals
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = equals.OPTIONS
validate = equals.validate


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare the texts, case folded."""
    expected, actual = equals.expected_texts(assertion, subject), equals.actual_text(assertion, subject)
    passed = actual.casefold() in {text.casefold() for text in expected}
    return equals.make_outcome(expected, actual, passed=passed, subject=subject, suffix=" in any case")
