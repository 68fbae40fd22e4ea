"""Requests x policy x where the canary stands -> promote, hold, roll back or wait, with the reasons in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from promptci.requestlog.model import Observation
from promptci.rollout import measure, words
from promptci.rollout.deployment import Deployed
from promptci.rollout.measure import Measured
from promptci.rollout.metric_scores import WARM_UP
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import Standing
from promptci.rollout.window import CROSSED, OUTAGE, SRM_P, Window, window


class Outcome(StrEnum):
    """What becomes of a canary at one look, from harmless to alarming."""

    PROMOTE = "promote"
    WAIT = "wait"
    """Not enough is known yet."""
    HOLD = "hold"
    """Something speaks against going on that does not pass by itself: for a person to look at."""
    ROLL_BACK = "roll back"


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is decided about one prompt, and why."""

    prompt: str
    stable: str
    canary: str | None
    outcome: Outcome
    reasons: tuple[str, ...]
    share: float
    """In the deployment file, in percent."""
    new_share: float
    standing: Standing | None
    """Where the canary stands after this; None: there is none."""
    window: Window = field(default_factory=Window)
    measured: tuple[Measured, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    deployed: Deployed
    canary: str
    policy: CanaryPolicy
    now: datetime

    def decision(self, outcome: Outcome, standing: Standing, *reasons: str) -> Decision:
        """Leave the share as it is."""
        return Decision(
            prompt=self.deployed.prompt,
            stable=self.deployed.stable,
            canary=self.canary,
            outcome=outcome,
            reasons=reasons,
            share=self.deployed.share,
            new_share=self.deployed.share,
            standing=standing,
        )


def decide(
    deployed: Deployed,
    standing: Standing | None,
    requests: Sequence[Observation],
    policy: CanaryPolicy,
    now: datetime,
) -> Decision:
    """Decide about one prompt by the log's requests for it; nothing is written."""
    if deployed.canary is None:
        return Decision(
            prompt=deployed.prompt,
            stable=deployed.stable,
            canary=None,
            outcome=Outcome.WAIT,
            reasons=(words.NO_CANARY,),
            share=0,
            new_share=0,
            standing=None,
        )
    look = _Look(deployed=deployed, canary=deployed.canary, policy=policy, now=now)
    if standing is None or (standing.stable, standing.canary) != (deployed.stable, deployed.canary):
        return _begin(look)
    if standing.rolled_back is not None:
        return _rolled_back(look, standing, standing.rolled_back)
    return _by_hand(look, standing) or _tested(look, standing, requests)


def _begin(look: _Look) -> Decision:
    """Start at the first step, whatever share the file says: no step is skipped."""
    first = look.policy.steps[0]
    standing = Standing(stable=look.deployed.stable, canary=look.canary, share=first, since=look.now)
    begun = look.decision(Outcome.WAIT, standing, words.begins(first, look.deployed.share))
    return replace(begun, new_share=first)


def _rolled_back(look: _Look, standing: Standing, at: datetime) -> Decision:
    if look.deployed.share == 0:
        return look.decision(Outcome.HOLD, standing, words.stays_back(at, standing.why))
    again = look.decision(Outcome.ROLL_BACK, standing, words.back_again(at, standing.why))
    return replace(again, new_share=0)


def _by_hand(look: _Look, standing: Standing) -> Decision | None:
    """Answer a share that a person changed; None where nobody did."""
    share = look.deployed.share
    anew = standing.model_copy(update={"share": share, "since": look.now, "paused": False})
    if share == 0:
        return look.decision(Outcome.HOLD, standing.model_copy(update={"paused": True}), words.paused(standing.share))
    if share > standing.share:
        return look.decision(Outcome.HOLD, standing, words.raised(share, standing.share))
    if share < standing.share:
        return look.decision(Outcome.WAIT, anew, words.lowered(share))
    if standing.paused:
        return look.decision(Outcome.WAIT, anew, words.resumed(share))
    return look.decision(Outcome.HOLD, standing, words.COMPLETE) if share == 100 else None


def _tested(look: _Look, standing: Standing, requests: Sequence[Observation]) -> Decision:
    """Decide by what both arms did since the present step began."""
    seen = window(requests, standing, look.policy, look.now)
    measured = measure.measure(seen.requests, look.policy)
    outcome, reasons = _judged(look, standing, seen, measured)
    decided = replace(look.decision(outcome, standing, *reasons), window=seen, measured=measured)
    if outcome is Outcome.ROLL_BACK:
        why = " ".join(reasons)
        return replace(
            decided, new_share=0, standing=standing.model_copy(update={"share": 0, "rolled_back": look.now, "why": why})
        )
    if outcome is Outcome.PROMOTE:
        share = look.policy.after(standing.share)
        return replace(
            decided, new_share=share, standing=standing.model_copy(update={"share": share, "since": look.now})
        )
    return decided


def _judged(
    look: _Look, standing: Standing, seen: Window, measured: Sequence[Measured]
) -> tuple[Outcome, tuple[str, ...]]:
    if reasons := _not_comparable(standing, seen):
        return Outcome.HOLD, reasons
    if bad := [one for one in measured if one.bad]:
        return Outcome.ROLL_BACK, tuple(map(words.worse, bad))
    if reasons := _no_data(look, standing, seen):
        # Right after a change of share there cannot be requests yet.
        fresh = look.now - standing.since < timedelta(seconds=look.policy.stale_s + 2 * look.policy.lag_s)
        return (Outcome.WAIT if fresh else Outcome.HOLD), reasons
    if seen.control_failing > OUTAGE:
        return Outcome.HOLD, (words.outage(seen.control_failing),)
    missing = _missing(look, standing, measured)
    elapsed = (look.now - standing.since).total_seconds()
    if not missing:
        return Outcome.PROMOTE, tuple(map(words.fine, measured))
    if elapsed > look.policy.max_time_s:
        return Outcome.HOLD, (words.too_long(look.policy.max_time_s), *missing)
    if silent := [one.metric for one in measured if not one.canary_n or not one.control_n]:
        enough = min(seen.canary.units, seen.stable.units - WARM_UP) >= look.policy.min_requests
        if enough and elapsed > look.policy.stale_s + look.policy.lag_s:
            return Outcome.HOLD, tuple(map(words.silent, silent))
    return Outcome.WAIT, missing


def _no_data(look: _Look, standing: Standing, seen: Window) -> tuple[str, ...]:
    oldest = look.now - timedelta(seconds=look.policy.stale_s + look.policy.lag_s)
    found = [("stable", seen.stable.newest), ("canary", seen.canary.newest)]
    return tuple(
        words.no_requests(arm, newest, standing.since) for arm, newest in found if not newest or newest < oldest
    )


def _not_comparable(standing: Standing, seen: Window) -> tuple[str, ...]:
    reasons = []
    users = seen.stable.units + seen.canary.units
    if seen.crossed > CROSSED * users:
        reasons.append(words.crossed(seen.crossed))
    if seen.split_p < SRM_P:
        reasons.append(words.split(seen.canary.units, users, standing.share, seen.split_p))
    return tuple(reasons)


def _missing(look: _Look, standing: Standing, measured: Sequence[Measured]) -> tuple[str, ...]:
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
