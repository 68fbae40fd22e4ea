"""Select the requests that decide a canary step, and measure whether the arms are comparable."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from promptci.requestlog.model import Observation
from promptci.rollout.deployment import shorten_version
from promptci.rollout.metric_scores import first_requests
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress
from promptci.runtime import point

MAX_CLOCK_SKEW = timedelta(minutes=5)
"""Tolerated clock skew."""
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
    users: int = 0
    """Users, and requests without one."""
    answered: int = 0
    """First answered requests of users; the unit of `unscored`."""
    unscored: int = 0
    """Those of them without a quality score."""
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
    """Of `the users are split as configured`, valid at every look (sample-ratio mismatch)."""
    unscored_p: float = 1.0
    """Of `both arms have the same share of answers with a quality score`, valid at every look."""
    users_in_both_arms: int = 0
    control_failing: float = 0.0
    """Share of the control's requests of the latest hour that failed."""
    other_versions: int = 0
    other_shares: int = 0
    """Assigned by another share than the present one."""
    too_recent: int = 0
    """Left for the next evaluation."""
    in_future: int = 0
    """From the future."""


def select_window(
    requests: Sequence[Observation], progress: CanaryProgress, policy: CanaryPolicy, now: datetime
) -> Window:
    """Select the requests of the present step from those of one prompt."""
    lag = timedelta(seconds=policy.lag_s)
    prompt = requests[0].prompt if requests else ""
    versions = {
        "stable": shorten_version(prompt, progress.stable),
        "canary": shorten_version(prompt, progress.canary),
    }
    kept: list[Observation] = []
    not_counted = dict.fromkeys(("other_versions", "other_shares", "too_recent", "in_future"), 0)
    for request in requests:
        # A new share takes a while to be in force everywhere; where it is logged, that need not be guessed.
        arm = _arm_of(request, progress, versions["canary"])
        start = progress.since + (lag if request.share is None else timedelta(0))
        if request.time > now + MAX_CLOCK_SKEW:
            not_counted["in_future"] += 1
        elif request.time < start:
            continue
        elif (
            shorten_version(prompt, request.version) != versions[arm := _arm_of(request, progress, versions["canary"])]
        ):
            not_counted["other_versions"] += 1
        elif request.share is not None and request.share != progress.share:
            not_counted["other_shares"] += 1
        elif request.time > now - lag:
            not_counted["too_recent"] += 1
        else:
            kept.append(replace(request, arm=arm))
    arms = {name: [request for request in kept if request.arm == name] for name in versions}
    users = {name: {request.user for request in arm_requests} - {None} for name, arm_requests in arms.items()}
    stable, canary = (_arm(arms[name], len(users[name])) for name in ("stable", "canary"))
    return Window(
        requests=tuple(kept),
        stable=stable,
        canary=canary,
        srm_p=split_p(canary.users, stable.users, progress.share / 100),
        unscored_p=_unscored_p(canary, stable),
        users_in_both_arms=len(users["stable"] & users["canary"]),
        control_failing=_failing(arms["stable"], now - lag),
        **not_counted,
    )


def _arm_of(request: Observation, progress: CanaryProgress, canary: str) -> str:
    """Return the arm as logged; computed by the hash of the bundle where only the key is logged."""
    if request.arm is not None:
        return request.arm
    share = progress.share if request.share is None else request.share
    is_canary = point(f"{request.prompt}@{canary}", request.key or "") * 10_000 < round(share * 100) << 32
    return "canary" if is_canary else "stable"


def split_p(canary: int, control: int, share: float) -> float:
    """Return the p-value of `the canary gets this share`, valid however often it is looked at.

    The evidence is the likelihood ratio of a uniform prior over the share against the configured one, which is a
    martingale where the users are split as configured (Ville). 1 at a share of 0 or 1.
    Source: Lindon and Malek, Anytime-valid inference for multinomial count data, NeurIPS 2022.
    """
    total = canary + control
    if not total or not 0 < share < 1:
        return 1.0
    log_choose = math.lgamma(total + 1) - math.lgamma(canary + 1) - math.lgamma(control + 1)
    log_likelihood = log_choose + canary * math.log(share) + control * math.log1p(-share)
    return math.exp(min(0.0, log_likelihood + math.log(total + 1)))


def _unscored_p(canary: ArmActivity, stable: ArmActivity) -> float:
    """Return the p-value of `the arms have the same share of scored answers`, from the rarer kind of answers."""
    total = canary.answered + stable.answered
    if not total:
        return 1.0
    share = canary.answered / total
    unscored = canary.unscored, stable.unscored
    scored = canary.answered - canary.unscored, stable.answered - stable.unscored
    if not sum(scored):
        return 1.0
    return split_p(*min(unscored, scored, key=sum), share)


def _arm(requests: Sequence[Observation], users: int) -> ArmActivity:
    first_answers = first_requests([request for request in requests if request.error is None])
    tokens = [observation.output_tokens for observation in requests if observation.output_tokens is not None]
    return ArmActivity(
        requests=len(requests),
        users=users + sum(observation.user is None for observation in requests),
        answered=len(first_answers),
        unscored=sum(request.quality is None for request in first_answers),
        newest=max((observation.time for observation in requests), default=None),
        models=tuple(sorted({observation.model for observation in requests if observation.model is not None})),
        output_tokens=sum(tokens) / len(tokens) if tokens else None,
    )


def _failing(control: Sequence[Observation], now: datetime) -> float:
    latest = [request for request in control if request.time > now - OUTAGE_PERIOD]
    return sum(request.error is not None for request in latest) / len(latest) if latest else 0.0
