"""`iequals`: the answer is this text, upper and lower case alike."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import base, equals
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = equals.OPTIONS
validate = equals.validate


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare the texts, case folded."""
    wanted, got = equals.sides(assertion, subject)
    passed = wanted.casefold() == got.casefold()
    return base.text_outcome(passed=passed, wanted=f"should be {base.quote(wanted)} in any case", subject=subject)
