"""`cost`: the answer cost no more than `max_usd` dollars at list price."""

from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import Outcome, Subject

OPTIONS = frozenset({"max_usd"})


def validate(assertion: Assertion, case: Case) -> str | None:
    """Need the limit."""
    if assertion.options.get("max_usd") is None:
        return "`max_usd` is missing"
    return base.limit_problem(assertion.options, "max_usd")


def mark(assertion: Assertion, subject: Subject) -> Outcome:
    """Compare; an unknown price is unscored, not 0."""
    cost = subject.answer.cost_usd
    if cost is None:
        return Outcome(passed=None, reason="the price is unknown")
    limit = assertion.options["max_usd"]
    return Outcome(passed=float(cost) <= limit, reason=f"cost ${cost:f}; allowed are ${limit:g}")
