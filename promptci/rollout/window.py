"""The requests of a log that a step of a canary is decided by, and what speaks against comparing them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from promptci.requestlog.model import Observation
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress
from promptci.stats import sequential

MAX_CLOCK_SKEW = timedelta(minutes=5)
"""By so much a clock may be ahead of ours."""
SRM_LEVEL = 0.001
"""Below it the arms are not split as configured."""
MAX_SHARE_IN_BOTH_ARMS = 0.01
"""Share of users in both arms over which arms are not assigned by user."""
OUTAGE_SHARE = 0.25
"""Share of the control's latest requests that failed, over which it is no time to promote."""
OUTAGE_PERIOD = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmActivity:
    """What one arm did in the window."""

    requests: int = 0
    units: int = 0
    """Users, and requests without one."""
    newest: datetime | None = None
    models: tuple[str, ...] = ()
    output_tokens: float | None = None
    """Mean of those logged."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """The requests that count, in the order of time, and how many do not."""

    requests: tuple[Observation, ...] = ()
    stable: ArmActivity = ArmActivity()
    canary: ArmActivity = ArmActivity()
    srm_p: float = 1.0
    """Of `the units are split as configured`."""
    users_in_both_arms: int = 0
    """Users in both arms."""
    control_failing: float = 0.0
    """Share of the control's requests of the latest hour that failed."""
    other_versions: int = 0
    other_shares: int = 0
    """Assigned by another share than the present one."""
    too_recent: int = 0
    """Left for the next look."""
    in_future: int = 0
    """From the future."""


def select_window(requests: Sequence[Observation], standing: CanaryProgress, policy: CanaryPolicy, now: datetime) -> Window:
    """Choose among the requests of one prompt those of the present step."""
    lag = timedelta(seconds=policy.lag_s)
    versions = {"stable": standing.stable, "canary": standing.canary}
    kept: list[Observation] = []
    left = dict.fromkeys(("other_versions", "other_shares", "young", "ahead"), 0)
    for one in requests:
        # A share that was written is not at once in force everywhere; where it is logged we need not guess.
        start = standing.since + (lag if one.share is None else timedelta(0))
        if one.time > now + MAX_CLOCK_SKEW:
            left["ahead"] += 1
        elif one.time < start:
            continue
        elif one.version != versions[one.arm]:
            left["other_versions"] += 1
        elif one.share is not None and one.share != standing.share:
            left["other_shares"] += 1
        elif one.time > now - lag:
            left["young"] += 1
        else:
            kept.append(one)
    arms = {name: [one for one in kept if one.arm == name] for name in versions}
    users = {name: {one.user for one in found} - {None} for name, found in arms.items()}
    stable, canary = (_arm(arms[name], len(users[name])) for name in ("stable", "canary"))
    return Window(
        requests=tuple(kept),
        stable=stable,
        canary=canary,
        srm_p=sequential.share_p(canary.units, stable.units, standing.share / 100),
        users_in_both_arms=len(users["stable"] & users["canary"]),
        control_failing=_failing(arms["stable"], now - lag),
        **left,
    )


def _arm(requests: Sequence[Observation], users: int) -> ArmActivity:
    tokens = [one.output_tokens for one in requests if one.output_tokens is not None]
    return ArmActivity(
        requests=len(requests),
        units=users + sum(one.user is None for one in requests),
        newest=max((one.time for one in requests), default=None),
        models=tuple(sorted({one.model for one in requests if one.model is not None})),
        output_tokens=sum(tokens) / len(tokens) if tokens else None,
    )


def _failing(control: Sequence[Observation], now: datetime) -> float:
    latest = [one for one in control if one.time > now - OUTAGE_PERIOD]
    return sum(one.error is not None for one in latest) / len(latest) if latest else 0.0
