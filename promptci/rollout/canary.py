"""Requests x policy x where the canary stands -> promote, hold, roll back or wait, with the reasons in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from promptci.requestlog.model import Observation
from promptci.rollout import measure, words
from promptci.rollout.deployment import Deployed
from promptci.rollout.measure import MetricResult
from promptci.rollout.metric_scores import REFERENCE_REQUESTS
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress
from promptci.rollout.window import MAX_SHARE_IN_BOTH_ARMS, OUTAGE_SHARE, SRM_LEVEL, Window, select_window


class CanaryOutcome(StrEnum):
    """What becomes of a canary at one look, from harmless to alarming."""

    PROMOTE = "promote"
    WAIT = "wait"
    """Not enough is known yet."""
    HOLD = "hold"
    """Something speaks against going on that does not pass by itself: for a person to look at."""
    ROLL_BACK = "roll back"


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryDecision:
    """What is decided about one prompt, and why."""

    prompt: str
    stable: str
    canary: str | None
    outcome: CanaryOutcome
    reasons: tuple[str, ...]
    share: float
    """In the deployment file, in percent."""
    new_share: float
    standing: CanaryProgress | None
    """Where the canary stands after this; None: there is none."""
    window: Window = field(default_factory=Window)
    measured: tuple[MetricResult, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Evaluation:
    deployed: Deployed
    canary: str
    policy: CanaryPolicy
    now: datetime

    def decision(self, outcome: CanaryOutcome, standing: CanaryProgress, *reasons: str) -> CanaryDecision:
        """Leave the share as it is."""
        return CanaryDecision(
            prompt=self.deployed.prompt,
            stable=self.deployed.stable,
            canary=self.canary,
            outcome=outcome,
            reasons=reasons,
            share=self.deployed.share,
            new_share=self.deployed.share,
            standing=standing,
        )


def decide_canary(
    deployed: Deployed,
    standing: CanaryProgress | None,
    requests: Sequence[Observation],
    policy: CanaryPolicy,
    now: datetime,
) -> CanaryDecision:
    """Decide about one prompt by the log's requests for it; nothing is written."""
    if deployed.canary is None:
        return CanaryDecision(
            prompt=deployed.prompt,
            stable=deployed.stable,
            canary=None,
            outcome=CanaryOutcome.WAIT,
            reasons=(words.NO_CANARY,),
            share=0,
            new_share=0,
            standing=None,
        )
    look = _Evaluation(deployed=deployed, canary=deployed.canary, policy=policy, now=now)
    if standing is None or (standing.stable, standing.canary) != (deployed.stable, deployed.canary):
        return _begin(look)
    if standing.rolled_back is not None:
        return _rolled_back(look, standing, standing.rolled_back)
    return _by_hand(look, standing) or _tested(look, standing, requests)


def _begin(look: _Evaluation) -> CanaryDecision:
    """Start at the first step, whatever share the file says: no step is skipped."""
    first = look.policy.steps[0]
    standing = CanaryProgress(stable=look.deployed.stable, canary=look.canary, share=first, since=look.now)
    begun = look.decision(CanaryOutcome.WAIT, standing, words.begins(first, look.deployed.share))
    return replace(begun, new_share=first)


def _rolled_back(look: _Evaluation, standing: CanaryProgress, at: datetime) -> CanaryDecision:
    if look.deployed.share == 0:
        return look.decision(CanaryOutcome.HOLD, standing, words.stays_back(at, standing.why))
    again = look.decision(CanaryOutcome.ROLL_BACK, standing, words.back_again(at, standing.why))
    return replace(again, new_share=0)


def _by_hand(look: _Evaluation, standing: CanaryProgress) -> CanaryDecision | None:
    """Answer a share that a person changed; None where nobody did."""
    share = look.deployed.share
    anew = standing.model_copy(update={"share": share, "since": look.now, "paused": False})
    if share == 0:
        return look.decision(CanaryOutcome.HOLD, standing.model_copy(update={"paused": True}), words.paused(standing.share))
    if share > standing.share:
        return look.decision(CanaryOutcome.HOLD, standing, words.raised(share, standing.share))
    if share < standing.share:
        return look.decision(CanaryOutcome.WAIT, anew, words.lowered(share))
    if standing.paused:
        return look.decision(CanaryOutcome.WAIT, anew, words.resumed(share))
    return look.decision(CanaryOutcome.HOLD, standing, words.COMPLETE) if share == 100 else None


def _tested(look: _Evaluation, standing: CanaryProgress, requests: Sequence[Observation]) -> CanaryDecision:
    """Decide by what both arms did since the present step began."""
    seen = select_window(requests, standing, look.policy, look.now)
    measured = measure.measure_metrics(seen.requests, look.policy)
    outcome, reasons = _judged(look, standing, seen, measured)
    decided = replace(look.decision(outcome, standing, *reasons), window=seen, measured=measured)
    if outcome is CanaryOutcome.ROLL_BACK:
        why = " ".join(reasons)
        return replace(
            decided, new_share=0, standing=standing.model_copy(update={"share": 0, "rolled_back": look.now, "why": why})
        )
    if outcome is CanaryOutcome.PROMOTE:
        share = look.policy.next_step(standing.share)
        return replace(
            decided, new_share=share, standing=standing.model_copy(update={"share": share, "since": look.now})
        )
    return decided


def _judged(
    look: _Evaluation, standing: CanaryProgress, seen: Window, measured: Sequence[MetricResult]
) -> tuple[CanaryOutcome, tuple[str, ...]]:
    if reasons := _not_comparable(standing, seen):
        return CanaryOutcome.HOLD, reasons
    if bad := [one for one in measured if one.bad]:
        return CanaryOutcome.ROLL_BACK, tuple(map(words.worse, bad))
    if reasons := _no_data(look, standing, seen):
        # Right after a change of share there cannot be requests yet.
        fresh = look.now - standing.since < timedelta(seconds=look.policy.stale_s + 2 * look.policy.lag_s)
        return (CanaryOutcome.WAIT if fresh else CanaryOutcome.HOLD), reasons
    if seen.control_failing > OUTAGE_SHARE:
        return CanaryOutcome.HOLD, (words.outage(seen.control_failing),)
    missing = _missing(look, standing, measured)
    elapsed = (look.now - standing.since).total_seconds()
    if not missing:
        return CanaryOutcome.PROMOTE, tuple(map(words.fine, measured))
    if elapsed > look.policy.max_time_s:
        return CanaryOutcome.HOLD, (words.too_long(look.policy.max_time_s), *missing)
    if silent := [one.metric for one in measured if not one.canary_n or not one.control_n]:
        enough = min(seen.canary.units, seen.stable.units - REFERENCE_REQUESTS) >= look.policy.min_requests
        if enough and elapsed > look.policy.stale_s + look.policy.lag_s:
            return CanaryOutcome.HOLD, tuple(map(words.silent, silent))
    return CanaryOutcome.WAIT, missing


def _no_data(look: _Evaluation, standing: CanaryProgress, seen: Window) -> tuple[str, ...]:
    oldest = look.now - timedelta(seconds=look.policy.stale_s + look.policy.lag_s)
    found = [("stable", seen.stable.newest), ("canary", seen.canary.newest)]
    return tuple(
        words.no_requests(arm, newest, standing.since) for arm, newest in found if not newest or newest < oldest
    )


def _not_comparable(standing: CanaryProgress, seen: Window) -> tuple[str, ...]:
    reasons = []
    users = seen.stable.units + seen.canary.units
    if seen.users_in_both_arms > MAX_SHARE_IN_BOTH_ARMS * users:
        reasons.append(words.crossed(seen.users_in_both_arms))
    if seen.srm_p < SRM_LEVEL:
        reasons.append(words.split(seen.canary.units, users, standing.share, seen.srm_p))
    return tuple(reasons)


def _missing(look: _Evaluation, standing: CanaryProgress, measured: Sequence[MetricResult]) -> tuple[str, ...]:
    """Say what a promotion waits for."""
    reasons = []
    elapsed = (look.now - standing.since).total_seconds()
    if elapsed < look.policy.min_time_s:
        reasons.append(words.too_early(elapsed, look.policy.min_time_s))
    for one in measured:
        if min(one.canary_n, one.control_n) < look.policy.min_requests:
            reasons.append(words.too_few(one, look.policy.min_requests))
        elif not one.fine:
            reasons.append(words.undecided(one))
    return tuple(reasons)
