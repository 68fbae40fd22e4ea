"""`contains-any`: the answer holds at least one of these texts."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import base, contains_all
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = contains_all.OPTIONS
validate = contains_all.validate


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Look for any text."""
    wanted, missing = contains_all.lookup(assertion, subject)
    said = f"should contain one of {base.quote_list(wanted)}"
    return base.text_outcome(passed=len(missing) < len(wanted), wanted=said, subject=subject)
