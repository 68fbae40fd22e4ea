"""Score requests: for each metric a number in 0..1 per request that has a value, 1 being good."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from promptci.requestlog.model import Observation
from promptci.rollout.policy import COST, ERRORS, LATENCY, QUALITY, SIGNALS
from promptci.stats.estimates.percentiles import percentiles

REFERENCE_REQUESTS = 100
"""Requests of the control that set the measure of latency and cost; a 95th percentile has a bound from 59 on."""
MAX_COST_RATIO = 3.0
"""A request's cost counts up to so many times the control's median, so that one request cannot decide."""
MIN_MARGIN = 0.01

ScoreFunction = Callable[[Observation], float | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricSeries:
    """Scores of one metric in the order of time, one per unit."""

    marks: tuple[tuple[bool, float], ...]
    """Whether it is the canary's, and the mark."""
    margin: float
    """The metric's limit, on the scale of the marks."""


def build_series(metric: str, limit: float, requests: Sequence[Observation], *, per_user: bool) -> MetricSeries | None:
    """Return the marks of a metric; None where there are not yet enough to set its measure.

    The measure of latency and cost is taken from the control's first requests, which then do not count: it must be
    known before a request is marked by it.
    """
    known = first_requests([request for request in requests if _has_value(metric, request)], per_user=per_user)
    if metric not in {LATENCY, COST}:
        mark = {QUALITY: _quality, ERRORS: _answered, SIGNALS: _not_complained}[metric]
        return MetricSeries(marks=_score_requests(known, mark), margin=limit)
    warm = [index for index, request in enumerate(known) if request.arm == "stable"][:REFERENCE_REQUESTS]
    if len(warm) < REFERENCE_REQUESTS:
        return None
    first, rest = known[: warm[-1] + 1], known[warm[-1] + 1 :]
    reference = sorted(_value(metric, request) for request in first if request.arm == "stable")
    if metric == LATENCY:
        slow = percentiles(reference).p95 or 0.0
        return MetricSeries(
            marks=_score_requests(rest, lambda request: float(_value(LATENCY, request) <= slow)), margin=limit
        )
    cap = MAX_COST_RATIO * statistics.median(reference)
    if not cap:
        # The control costs nothing, so any cost of the canary is a rise.
        return MetricSeries(
            marks=_score_requests(rest, lambda request: float(_value(COST, request) == 0)), margin=MIN_MARGIN
        )
    usual = statistics.fmean(min(cost, cap) for cost in reference) / cap
    margin = min(0.99, max(limit * usual, MIN_MARGIN))
    return MetricSeries(
        marks=_score_requests(rest, lambda request: 1 - min(_value(COST, request), cap) / cap), margin=margin
    )


def first_requests(requests: Sequence[Observation], *, per_user: bool = True) -> list[Observation]:
    """Return the first request of each user in each arm; a request without a user counts by itself."""
    if not per_user:
        return list(requests)
    seen: set[tuple[str | None, str]] = set()
    kept = []
    for request in requests:
        if request.user is not None:
            if (request.arm, request.user) in seen:
                continue
            seen.add((request.arm, request.user))
        kept.append(request)
    return kept


def _has_value(metric: str, request: Observation) -> bool:
    """Return whether a request has a value of the metric; unknown values are not counted."""
    if metric == ERRORS:
        return True
    if metric == SIGNALS:
        return request.error is None
    value = {QUALITY: request.quality, LATENCY: request.latency_ms, COST: request.cost_usd}[metric]
    return request.error is None and value is not None


def _score_requests(requests: Sequence[Observation], mark: ScoreFunction) -> tuple[tuple[bool, float], ...]:
    return tuple((request.arm == "canary", value) for request in requests if (value := mark(request)) is not None)


def _value(metric: str, request: Observation) -> float:
    # Requests without a value are excluded before.
    return (request.latency_ms if metric == LATENCY else request.cost_usd) or 0.0


def _quality(request: Observation) -> float | None:
    return request.quality


def _answered(request: Observation) -> float:
    return float(request.error is None)


def _not_complained(request: Observation) -> float:
    return float(request.signal != "negative")
