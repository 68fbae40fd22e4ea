"""`latency`: the answer came within `max_ms` milliseconds."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"max_ms"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require the limit."""
    if assertion.options.get("max_ms") is None:
        return "`max_ms` is missing"
    return base.limit_error(assertion.options, "max_ms")


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare; an unknown latency is unscored, not 0."""
    took = subject.answer.completion.latency_ms if subject.answer.completion else None
    if took is None:
        return CheckOutcome(passed=None, reason="the latency is unknown")
    limit = assertion.options["max_ms"]
    return CheckOutcome(passed=took <= limit, reason=f"took {took:.0f} ms; the limit is {limit:g} ms")
