"""When a step of a canary can be decided, at the rate of users seen so far."""

import math
from collections.abc import Sequence

from promptci.rollout.facts import ForecastFacts
from promptci.rollout.metric_result import MetricResult
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.window import ArmActivity

DAY_S = 24 * 3600.0


MIN_USERS = 10
"""Users of half a step from which on it is said that they come back, and of a step before its rate is known."""


def forecast_decision(
    metrics: Sequence[MetricResult], canary: ArmActivity, elapsed_s: float, policy: CanaryPolicy
) -> ForecastFacts | None:
    """Estimate when every metric will be shown to be within its limit; None before there is anything to go by.

    The logarithm of the evidence grows in proportion to the users. A user counts once, so where fewer new users came in
    the second half of the step than in the first, as many fewer are expected in each half that follows. With less than
    half of the users that a step needs, only the time until they have come can be told.
    """
    users = canary.users
    if not users or elapsed_s <= policy.lag_s or (users < MIN_USERS and elapsed_s < DAY_S):
        return None
    earliest = users < policy.min_requests / 2
    factors = [
        math.log(policy.promote_alpha) / math.log(metric.p_within_limit) if 0 < metric.p_within_limit < 1 else None
        for metric in metrics
        if not metric.within_limit and not earliest
    ]
    needed = None
    if all(factor is not None for factor in factors):
        needed = max([policy.min_requests, *(factor * users for factor in factors if factor is not None)])
    ratio, reachable = _expect_users(canary, per_user=policy.per_user)
    days = None if needed is None else _days_until(max(needed - users, 0), canary, ratio, elapsed_s / DAY_S)
    return ForecastFacts(
        users_per_day=users / elapsed_s * DAY_S,
        days=days,
        remaining_days=max(0.0, policy.max_time_s - elapsed_s) / DAY_S,
        reachable=None if needed is None or reachable is None or reachable >= needed else reachable,
        per_user=policy.per_user,
        earliest=earliest,
    )


def _expect_users(canary: ArmActivity, *, per_user: bool) -> tuple[float, float | None]:
    """Return how many times as many new users each half of the step brings, and how many there can be; None: no end."""
    early = canary.users - canary.new_users
    ratio = canary.new_users / early if per_user and early >= MIN_USERS else 1.0
    # Above it the difference may be chance, or the time of day.
    if ratio > 1 - 3 / math.sqrt(max(early, 1)):
        return 1.0, None
    return ratio, canary.users + canary.new_users * ratio / (1 - ratio)


def _days_until(missing: float, canary: ArmActivity, ratio: float, elapsed_days: float) -> float | None:
    """Return the days until so many more users have come; None: never."""
    if ratio == 1 or not missing:
        return missing / canary.users * elapsed_days
    share_left = 1 - missing * (1 - ratio) / (canary.new_users * ratio) if canary.new_users else 0.0
    return math.log(share_left) / math.log(ratio) * elapsed_days / 2 if share_left > 0 else None
