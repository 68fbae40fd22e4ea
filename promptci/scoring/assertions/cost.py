"""`cost`: the answer cost no more than `max_usd` dollars at list price."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"max_usd"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Require the limit."""
    if assertion.options.get("max_usd") is None:
        return "`max_usd` is missing"
    return base.limit_error(assertion.options, "max_usd")


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Compare; an unknown price is unscored, not 0."""
    cost = subject.answer.cost_usd
    if cost is None:
        return CheckOutcome(passed=None, reason="the price is unknown")
    limit = assertion.options["max_usd"]
    return CheckOutcome(passed=float(cost) <= limit, reason=f"cost ${cost:f}; the limit is ${limit:g}")
