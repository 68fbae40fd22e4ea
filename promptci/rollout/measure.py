"""From the scores of both arms to evidence that the canary is worse, or that it is within the limit."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from promptci.requestlog.model import Observation
from promptci.rollout import metric_scores
from promptci.rollout.policy import CanaryPolicy
from promptci.stats import sequential
from promptci.stats.sequential import Blocks

DROPS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Drops that the evidence for a rollback bets on, each with a sixth of the stake."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MetricResult:
    """One metric of a canary at its present step."""

    metric: str
    limit: float
    """As configured."""
    margin: float
    """The limit on the scale of the scores."""
    control_n: int = 0
    canary_n: int = 0
    control_mean: float | None = None
    """Of the scores, 1 being good; None: no scores."""
    canary_mean: float | None = None
    p_worse: float = 1.0
    """Valid at every evaluation; of `the canary is no worse than the control`."""
    p_within_limit: float = 1.0
    """Likewise, of `the canary is worse by the margin or more`."""
    alpha: float
    """What `p_worse` must not exceed for a rollback."""
    promote_alpha: float

    @property
    def drop(self) -> float | None:
        """The control's mean minus the canary's."""
        if self.control_mean is None or self.canary_mean is None:
            return None
        return self.control_mean - self.canary_mean

    @property
    def regressed(self) -> bool:
        """Whether it is shown worse, and by the margin as far as one can tell."""
        return self.drop is not None and self.p_worse <= self.alpha and self.drop >= self.margin - 1e-12

    @property
    def within_limit(self) -> bool:
        """Whether it is shown not to be worse by the margin."""
        return self.drop is not None and self.p_within_limit <= self.promote_alpha and self.drop < self.margin


def measure_metrics(requests: Sequence[Observation], policy: CanaryPolicy) -> tuple[MetricResult, ...]:
    """Measure every metric that the policy tests."""
    return tuple(_measure_metric(metric, limit, requests, policy) for metric, limit in policy.limits)


def _measure_metric(metric: str, limit: float, requests: Sequence[Observation], policy: CanaryPolicy) -> MetricResult:
    found = metric_scores.build_series(metric, limit, requests, per_user=policy.per_user)
    empty = MetricResult(
        metric=metric, limit=limit, margin=limit, alpha=policy.alpha_each, promote_alpha=policy.promote_alpha
    )
    if found is None:
        return empty
    control = [mark for is_canary, mark in found.marks if not is_canary]
    canary = [mark for is_canary, mark in found.marks if is_canary]
    cut = cut_blocks(found.marks)
    margin = found.margin
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


def cut_blocks(found: Sequence[tuple[bool, float]]) -> Blocks:
    """Cut scores in the order of time into the shortest blocks with both arms; the rest waits."""
    rows: list[tuple[int, float, int, float]] = []
    counts, sums = [0, 0], [0.0, 0.0]
    for is_canary, mark in found:
        counts[is_canary] += 1
        sums[is_canary] += mark
        if all(counts):
            rows.append((counts[0], sums[0], counts[1], sums[1]))
            counts, sums = [0, 0], [0.0, 0.0]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Blocks(control_n=table[:, 0], control_sum=table[:, 1], canary_n=table[:, 2], canary_sum=table[:, 3])
