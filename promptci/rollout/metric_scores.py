"""Requests to marks: for each metric a number in 0..1 of each request that says something, 1 being good."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from promptci.requestlog.model import Observation
from promptci.rollout.policy import COST, ERRORS, LATENCY, QUALITY, SIGNALS
from promptci.stats.percentiles import percentiles

REFERENCE_REQUESTS = 100
"""Requests of the control that set the measure of latency and cost; a 95th percentile has a bound from 59 on."""
MAX_COST_RATIO = 3.0
"""A request's cost counts up to so many times the control's median, so that one request cannot decide."""
MIN_MARGIN = 0.01

ScoreFunction = Callable[[Observation], float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricSeries:
    """Marks of one metric in the order of time, one of each unit."""

    marks: tuple[tuple[bool, float], ...]
    """Whether it is the canary's, and the mark."""
    margin: float
    """The metric's limit, on the scale of the marks."""


def build_series(metric: str, limit: float, requests: Sequence[Observation], *, per_user: bool) -> MetricSeries | None:
    """Return the marks of a metric; None where there are not yet enough to set its measure.

    The measure of latency and cost is taken from the control's first requests, which then do not count: it must be
    known before a request is marked by it.
    """
    known = first_requests([one for one in requests if _has_value(metric, one)], per_user=per_user)
    if metric not in {LATENCY, COST}:
        mark = {QUALITY: _quality, ERRORS: _answered, SIGNALS: _content}[metric]
        return MetricSeries(marks=_score_requests(known, mark), margin=limit)
    warm = [index for index, one in enumerate(known) if one.arm == "stable"][:REFERENCE_REQUESTS]
    if len(warm) < REFERENCE_REQUESTS:
        return None
    first, rest = known[: warm[-1] + 1], known[warm[-1] + 1 :]
    reference = sorted(_value(metric, one) for one in first if one.arm == "stable")
    if metric == LATENCY:
        slow = percentiles(reference).p95 or 0.0
        return MetricSeries(marks=_score_requests(rest, lambda one: float(_value(LATENCY, one) <= slow)), margin=limit)
    cap = MAX_COST_RATIO * statistics.median(reference)
    if not cap:
        # The control costs nothing: what the canary costs at all is a rise.
        return MetricSeries(marks=_score_requests(rest, lambda one: float(_value(COST, one) == 0)), margin=MIN_MARGIN)
    usual = statistics.fmean(min(cost, cap) for cost in reference) / cap
    margin = min(0.99, max(limit * usual, MIN_MARGIN))
    return MetricSeries(marks=_score_requests(rest, lambda one: 1 - min(_value(COST, one), cap) / cap), margin=margin)


def first_requests(requests: Sequence[Observation], *, per_user: bool = True) -> list[Observation]:
    """Return the first request of each user in each arm; a request without a user stands for itself."""
    if not per_user:
        return list(requests)
    seen: set[tuple[str, str]] = set()
    kept = []
    for one in requests:
        if one.user is not None:
            if (one.arm, one.user) in seen:
                continue
            seen.add((one.arm, one.user))
        kept.append(one)
    return kept


def _has_value(metric: str, one: Observation) -> bool:
    """Whether a request says something about the metric: what is unknown is not counted, neither good nor bad."""
    if metric == ERRORS:
        return True
    if metric == SIGNALS:
        return one.error is None
    value = {QUALITY: one.quality, LATENCY: one.latency_ms, COST: one.cost_usd}[metric]
    return one.error is None and value is not None


def _score_requests(requests: Sequence[Observation], mark: ScoreFunction) -> tuple[tuple[bool, float], ...]:
    return tuple((one.arm == "canary", value) for one in requests if (value := mark(one)) is not None)


def _value(metric: str, one: Observation) -> float:
    # Those of which it is unknown are left out before.
    return (one.latency_ms if metric == LATENCY else one.cost_usd) or 0.0


def _quality(one: Observation) -> float | None:
    return one.quality


def _answered(one: Observation) -> float:
    return float(one.error is None)


def _content(one: Observation) -> float:
    return float(one.signal != "negative")
