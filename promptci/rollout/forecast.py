"""When a step of a canary can be decided, at the rate of users seen so far."""

import math
from collections.abc import Sequence

from promptci.rollout.facts import ForecastFacts
from promptci.rollout.metric_result import MetricResult
from promptci.rollout.policy import CanaryPolicy

DAY_S = 24 * 3600.0


def forecast_decision(
    metrics: Sequence[MetricResult], users: int, elapsed_s: float, policy: CanaryPolicy
) -> ForecastFacts | None:
    """Estimate when every metric will be shown to be within its limit; None before there is anything to go by.

    The logarithm of the evidence grows in proportion to the users, and users come at the rate seen so far. That is the
    best case: the same users come back, and a user counts once.
    """
    if users < policy.min_requests / 2 or elapsed_s <= policy.lag_s:
        return None
    factors = [
        math.log(policy.promote_alpha) / math.log(metric.p_within_limit) if 0 < metric.p_within_limit < 1 else None
        for metric in metrics
        if not metric.within_limit
    ]
    per_day = users / elapsed_s * DAY_S
    needed = None
    if all(factor is not None for factor in factors):
        needed = max([policy.min_requests, *(factor * users for factor in factors if factor is not None)])
    days = None if needed is None else max(needed - users, 0) / per_day
    return ForecastFacts(
        users_per_day=per_day, days=days, remaining_days=max(0.0, policy.max_time_s - elapsed_s) / DAY_S
    )
