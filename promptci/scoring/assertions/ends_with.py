"""`ends-with`: the answer ends with this text; blanks after it do not count."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import base, starts_with
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS = starts_with.OPTIONS
validate = starts_with.validate


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Compare the end."""
    wanted, text = starts_with.folded(assertion, subject)
    return base.verdict(
        passed=text.rstrip().endswith(wanted.rstrip()), wanted=f"should end with {base.quoted(wanted)}", subject=subject
    )
