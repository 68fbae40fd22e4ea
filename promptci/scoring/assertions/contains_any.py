"""`contains-any`: the answer contains at least one of these texts."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import base, contains_all
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = contains_all.OPTIONS
validate = contains_all.validate


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Search for any text."""
    expected, missing = contains_all.split_missing(assertion, subject)
    requirement = f"should contain one of {base.quote_list(expected)}"
    passed = len(missing) < len(expected)
    return base.text_outcome(passed=passed, requirement=requirement, subject=subject, position=None)
