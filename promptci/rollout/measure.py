"""Turn the scores of both arms into evidence that the canary is worse, or within the limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from promptci.requestlog.columns import Array, RequestColumns, moment
from promptci.rollout import metric_scores
from promptci.rollout.metric_result import EvidencePoint, MetricResult
from promptci.rollout.metric_scores import MetricSeries
from promptci.rollout.policy import CanaryPolicy
from promptci.stats.significance import sequential
from promptci.stats.significance.sequential import Blocks

DROPS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Drops that the evidence for a rollback bets on, each with a sixth of the stake."""
MAX_POINTS = 60
"""Points of a metric's evidence that are kept for its chart."""


def drops_within(margin: float) -> tuple[float, float, float]:
    """Return the drops that the evidence for a promotion bets on."""
    return (0.0, margin / 2, -margin)


def measure_metrics(requests: RequestColumns, policy: CanaryPolicy) -> tuple[MetricResult, ...]:
    """Measure every metric that the policy tests."""
    return tuple(_measure_metric(metric, limit, requests, policy) for metric, limit in policy.limits)


def _measure_metric(metric: str, limit: float, requests: RequestColumns, policy: CanaryPolicy) -> MetricResult:
    series = metric_scores.build_series(metric, limit, requests, per_user=policy.per_user)
    empty = MetricResult(
        metric=metric, limit=limit, margin=limit, alpha=policy.alpha_each, promote_alpha=policy.promote_alpha
    )
    if series is None:
        return empty
    control, canary = series.marks[~series.is_canary], series.marks[series.is_canary]
    ends = find_block_ends(series.is_canary)
    blocks = sum_blocks(series, ends)
    worse = sequential.log_evidence(blocks, DROPS, 0.0)
    fine = sequential.log_evidence(blocks, drops_within(series.margin), series.margin)
    return replace(
        empty,
        margin=series.margin,
        control_n=len(control),
        canary_n=len(canary),
        control_mean=float(np.mean(control)) if len(control) else None,
        canary_mean=float(np.mean(canary)) if len(canary) else None,
        p_worse=sequential.anytime_p(worse),
        p_within_limit=sequential.anytime_p(fine),
        path=_path(series, ends, blocks, np.array([worse, fine])),
    )


def find_block_ends(is_canary: Array) -> Array:
    """Return where the shortest blocks with both arms end: the place of each block's last mark; the rest waits.

    A block ends with the first mark of the other arm. Of a run of marks of one arm the first ends a block, and the
    others begin the next; where there are no others, the next run does.
    """
    starts = np.flatnonzero(is_canary[1:] != is_canary[:-1]) + 1
    if not len(starts):
        return starts
    is_single = np.append(starts[1:], len(is_canary)) - starts == 1
    # Every run ends a block, but for one that only a run of a single mark precedes which ended a block itself.
    before = np.concatenate([[0], np.flatnonzero(~is_single) + 1])
    chain = np.arange(len(starts)) - before[np.searchsorted(before, np.arange(len(starts)), side="right") - 1]
    return np.asarray(starts[chain % 2 == 0])


def sum_blocks(series: MetricSeries, ends: Array) -> Blocks:
    """Return the sums and counts of both arms in each block."""
    places = np.concatenate([[0], ends[:-1] + 1])[: len(ends)]
    last = int(ends[-1]) + 1 if len(ends) else 0
    canary = series.is_canary[:last].astype("f8")
    marks = series.marks[:last]

    def sums(values: Array) -> Array:
        return np.add.reduceat(values, places) if len(places) else np.zeros(0)

    return Blocks(
        control_n=sums(1 - canary),
        control_sum=sums((1 - canary) * marks),
        canary_n=sums(canary),
        canary_sum=sums(canary * marks),
    )


def _path(series: MetricSeries, ends: Array, blocks: Blocks, log_e: Array) -> tuple[EvidencePoint, ...]:
    """Return how the evidence grew, at evenly spaced blocks, the last one among them."""
    if not len(ends):
        return ()
    control_n, canary_n = np.cumsum(blocks.control_n), np.cumsum(blocks.canary_n)
    drop = np.cumsum(blocks.control_sum) / control_n - np.cumsum(blocks.canary_sum) / canary_n
    places = np.unique(np.linspace(0, len(ends) - 1, MAX_POINTS).round().astype(int))
    return tuple(
        EvidencePoint(
            at=moment(series.time[ends[place]]),
            control_n=int(control_n[place]),
            canary_n=int(canary_n[place]),
            drop=float(drop[place]),
            log_e_worse=float(log_e[0, place]),
            log_e_fine=float(log_e[1, place]),
        )
        for place in places
    )
