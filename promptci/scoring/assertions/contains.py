"""`contains`: the answer holds this text."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS: frozenset[str] = frozenset()
validate = base.text_operand_problem


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Look for the text."""
    wanted = base.as_text(base.operand(assertion, subject.case))
    return base.verdict(passed=wanted in subject.text, wanted=f"should contain {base.quoted(wanted)}", subject=subject)
