"""Score requests: for each metric a number in 0..1 per request that has a value, 1 being good."""

from __future__ import annotations

import statistics

import numpy as np

from promptci.lazy_dataclass import dataclass
from promptci.requestlog.columns import CANARY, NEGATIVE, NO_USER, Array, RequestColumns, number_users
from promptci.rollout.policy import COST, ERRORS, LATENCY, QUALITY
from promptci.stats.estimates.percentiles import percentiles

REFERENCE_REQUESTS = 100
"""Requests of the control that set the measure of latency and cost; a 95th percentile has a bound from 59 on."""
MAX_COST_RATIO = 3.0
"""A request's cost counts up to so many times the control's median, so that one request cannot decide."""
MIN_MARGIN = 0.01


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class MetricSeries:
    """Scores of one metric, one per unit, in the order in which they became known."""

    is_canary: Array
    marks: Array
    time: Array
    """When each became known."""
    margin: float
    """The metric's limit, on the scale of the marks."""


def build_series(metric: str, limit: float, requests: RequestColumns, *, per_user: bool) -> MetricSeries | None:
    """Return the marks of a metric; None where there are not yet enough to set its measure.

    The measure of latency and cost is taken from the control's first requests, which then do not count: it must be
    known before a request is marked by it. Quality is in the order in which the scores came, so that a late one adds to
    the evidence and changes none of it.
    """
    places = np.flatnonzero(_has_value(metric, requests))
    known = requests.scored if metric == QUALITY else requests.time
    if (known[places][1:] < known[places][:-1]).any():
        places = places[np.argsort(known[places], kind="stable")]
    if per_user:
        places = find_first_requests(requests, places)
    is_canary, time = requests.arm[places] == CANARY, known[places]
    if metric not in {LATENCY, COST}:
        marks = {QUALITY: requests.quality, ERRORS: ~requests.failed}.get(metric, requests.signal != NEGATIVE)[places]
        return MetricSeries(is_canary=is_canary, marks=marks.astype("f8"), time=time, margin=limit)
    warm = np.flatnonzero(~is_canary)[:REFERENCE_REQUESTS]
    if len(warm) < REFERENCE_REQUESTS:
        return None
    values = (requests.latency_ms if metric == LATENCY else requests.cost_usd)[places]
    rest = slice(int(warm[-1]) + 1, None)
    marks, margin = _marks_by_reference(metric, limit, np.sort(values[warm]), values[rest])
    return MetricSeries(is_canary=is_canary[rest], marks=marks, time=time[rest], margin=margin)


def _marks_by_reference(metric: str, limit: float, reference: Array, values: Array) -> tuple[Array, float]:
    if metric == LATENCY:
        return (values <= (percentiles(reference.tolist()).p95 or 0.0)).astype("f8"), limit
    cap = MAX_COST_RATIO * statistics.median(reference.tolist())
    if not cap:
        # The control costs nothing, so any cost of the canary is a rise.
        return (values == 0).astype("f8"), MIN_MARGIN
    usual = statistics.fmean(np.minimum(reference, cap).tolist()) / cap
    return 1 - np.minimum(values, cap) / cap, min(0.99, max(limit * usual, MIN_MARGIN))


def find_first_requests(requests: RequestColumns, places: Array) -> Array:
    """Return which of some places have the first request of a user in an arm; one without a user counts by itself."""
    user = number_users(requests.user)[places]
    units = user * 2 + (requests.arm[places] == CANARY)
    # The last of several values written to one place stays, so they are written from the last to the first.
    first = np.full(int(units.max(initial=0)) + 1, -1)
    first[units[::-1]] = np.arange(len(units))[::-1]
    first[: 2 * (NO_USER + 1)] = -1
    return np.asarray(places[np.sort(np.concatenate([first[first >= 0], np.flatnonzero(user == NO_USER)]))])


def _has_value(metric: str, requests: RequestColumns) -> Array:
    """Return which requests have a value of the metric; unknown values are not counted."""
    if metric == ERRORS:
        return np.ones(len(requests), bool)
    columns = {QUALITY: requests.quality, LATENCY: requests.latency_ms, COST: requests.cost_usd}
    return ~requests.failed & (~np.isnan(columns[metric]) if metric in columns else True)
