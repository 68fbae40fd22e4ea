"""Score requests: for each metric a number in 0..1 per request that has a value, 1 being good."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

import numpy as np

from promptci.requestlog.columns import CANARY, NEGATIVE, NO_USER, Array, RequestColumns
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
    requests = requests.select(_has_value(metric, requests))
    time = requests.time
    if metric == QUALITY:
        order = np.argsort(requests.scored, kind="stable")
        requests = requests.select(order)
        time = requests.scored
    if per_user:
        first = find_first_requests(requests)
        requests, time = requests.select(first), time[first]
    is_canary = requests.arm == CANARY
    if metric not in {LATENCY, COST}:
        marks = {QUALITY: requests.quality, ERRORS: ~requests.failed}.get(metric, requests.signal != NEGATIVE)
        return MetricSeries(is_canary=is_canary, marks=marks.astype("f8"), time=time, margin=limit)
    warm = np.flatnonzero(~is_canary)[:REFERENCE_REQUESTS]
    if len(warm) < REFERENCE_REQUESTS:
        return None
    values = requests.latency_ms if metric == LATENCY else requests.cost_usd
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


def find_first_requests(requests: RequestColumns) -> Array:
    """Return the places of the first request of each user in each arm; one without a user counts by itself."""
    has_user = np.flatnonzero(requests.user != NO_USER)
    # The lowest bit of the hash gives way to the arm.
    units = (requests.user[has_user] & ~np.uint64(1)) | (requests.arm[has_user] == CANARY).astype("u8")
    first = np.unique(units, return_index=True)[1]
    return np.sort(np.concatenate([has_user[first], np.flatnonzero(requests.user == NO_USER)]))


def _has_value(metric: str, requests: RequestColumns) -> Array:
    """Return which requests have a value of the metric; unknown values are not counted."""
    if metric == ERRORS:
        return np.ones(len(requests), bool)
    columns = {QUALITY: requests.quality, LATENCY: requests.latency_ms, COST: requests.cost_usd}
    return ~requests.failed & (~np.isnan(columns[metric]) if metric in columns else True)
