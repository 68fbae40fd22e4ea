"""Turn the scores of both arms into evidence that the canary is worse, or within the limit."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from promptci.requestlog.model import Observation
from promptci.rollout import metric_scores
from promptci.rollout.metric_result import MetricResult
from promptci.rollout.policy import CanaryPolicy
from promptci.stats.significance import sequential
from promptci.stats.significance.sequential import Blocks

DROPS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Drops that the evidence for a rollback bets on, each with a sixth of the stake."""


def measure_metrics(requests: Sequence[Observation], policy: CanaryPolicy) -> tuple[MetricResult, ...]:
    """Measure every metric that the policy tests."""
    return tuple(_measure_metric(metric, limit, requests, policy) for metric, limit in policy.limits)


def _measure_metric(metric: str, limit: float, requests: Sequence[Observation], policy: CanaryPolicy) -> MetricResult:
    series = metric_scores.build_series(metric, limit, requests, per_user=policy.per_user)
    empty = MetricResult(
        metric=metric, limit=limit, margin=limit, alpha=policy.alpha_each, promote_alpha=policy.promote_alpha
    )
    if series is None:
        return empty
    control = [mark for is_canary, mark in series.marks if not is_canary]
    canary = [mark for is_canary, mark in series.marks if is_canary]
    cut = cut_blocks(series.marks)
    margin = series.margin
    return replace(
        empty,
        margin=margin,
        control_n=len(control),
        canary_n=len(canary),
        control_mean=float(np.mean(control)) if control else None,
        canary_mean=float(np.mean(canary)) if canary else None,
        p_worse=sequential.anytime_p(sequential.log_evidence(cut, DROPS, 0.0)),
        p_within_limit=sequential.anytime_p(sequential.log_evidence(cut, (0.0, margin / 2, -margin), margin)),
    )


def cut_blocks(marks: Sequence[tuple[bool, float]]) -> Blocks:
    """Cut scores in the order of time into the shortest blocks with both arms; the rest waits."""
    rows: list[tuple[int, float, int, float]] = []
    counts, sums = [0, 0], [0.0, 0.0]
    for is_canary, mark in marks:
        counts[is_canary] += 1
        sums[is_canary] += mark
        if all(counts):
            rows.append((counts[0], sums[0], counts[1], sums[1]))
            counts, sums = [0, 0], [0.0, 0.0]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Blocks(control_n=table[:, 0], control_sum=table[:, 1], canary_n=table[:, 2], canary_sum=table[:, 3])
