"""`finish-reason`: the model ended for this reason: `stop`, `length`, `tool_calls`, `content_filter`."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS: frozenset[str] = frozenset()


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require a reason."""
    return base.text_operand_error(assertion, case)


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare, ignoring case."""
    expected = base.to_text(base.resolve_operand(assertion, subject.case))
    completion = subject.answer.completion
    actual = completion.finish_reason if completion is not None else None
    requirement = f"should end with {base.quote(expected)}"
    if not actual:
        return CheckOutcome(passed=False, reason=f"{requirement}; the endpoint gave no reason")
    return CheckOutcome(
        passed=actual.lower() == expected.lower(), reason=f"{requirement}; it ended with {base.quote(actual)}"
    )
