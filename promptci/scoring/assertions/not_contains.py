"""`not-contains`: the answer does not contain this text, ignoring case unless `ignore_case: false`."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"ignore_case"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a text that is not empty."""
    return base.text_operand_error(assertion, case) or base.flag_error(assertion, "ignore_case")


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Search for the unwanted text."""
    unwanted, text = base.to_text(base.resolve_operand(assertion, subject.case)), subject.text
    fold = str.casefold if assertion.options.get("ignore_case", True) else str
    position = fold(text).find(fold(unwanted))
    requirement = f"should not contain {base.quote(unwanted)}"
    return base.text_outcome(passed=position < 0, requirement=requirement, subject=subject, position=position)
