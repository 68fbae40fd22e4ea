"""`icontains`: the answer holds this text, upper and lower case alike."""

from promptci.goldens.model import Assertion
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS: frozenset[str] = frozenset()
validate = base.text_operand_problem


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Look for the text, case folded."""
    wanted = base.as_text(base.operand(assertion, subject.case))
    passed = wanted.casefold() in subject.text.casefold()
    return base.verdict(passed=passed, wanted=f"should contain {base.quoted(wanted)} in any case", subject=subject)
