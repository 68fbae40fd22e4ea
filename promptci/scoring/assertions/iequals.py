"""`iequals`: the answer is this text, upper and lower case alike."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import base, equals
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS = equals.OPTIONS
validate = equals.validate


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Compare the texts, case folded."""
    wanted, got = equals.sides(assertion, subject)
    passed = wanted.casefold() == got.casefold()
    return base.verdict(passed=passed, wanted=f"should be {base.quoted(wanted)} in any case", subject=subject)
