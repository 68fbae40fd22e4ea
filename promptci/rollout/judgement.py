"""What both arms did at a step -> the outcome and the facts behind it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from promptci.findings import Facts
from promptci.lazy_dataclass import dataclass
from promptci.rollout.facts import (
    CountedArms,
    CountedUsers,
    MetricFacts,
    MetricName,
    ModelFacts,
    NoRequests,
    OutageFacts,
    TimeFacts,
    UnscoredFacts,
)
from promptci.rollout.forecast import forecast_decision
from promptci.rollout.metric_result import MetricResult
from promptci.rollout.metric_scores import REFERENCE_REQUESTS
from promptci.rollout.policy import SIGNALS, CanaryPolicy
from promptci.rollout.state import CanaryProgress
from promptci.rollout.window import (
    MAX_SHARE_IN_BOTH_ARMS,
    MAX_WRONG_ARMS,
    OUTAGE_SHARE,
    SRM_LEVEL,
    Window,
)
from promptci.verdict import Verdict


class CanaryOutcome(StrEnum):
    """What becomes of a canary at one evaluation, from harmless to alarming."""

    PROMOTE = "promote"
    WAIT = "wait"
    """Not enough is known yet."""
    HOLD = "hold"
    """An obstacle that does not go away by itself: a person must look at it."""
    ROLL_BACK = "roll back"


VERDICTS = {
    CanaryOutcome.PROMOTE: Verdict.PASS,
    CanaryOutcome.WAIT: Verdict.NO_CHANGE,
    CanaryOutcome.HOLD: Verdict.INCONCLUSIVE,
    CanaryOutcome.ROLL_BACK: Verdict.FAIL,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class StepTime:
    """The policy, and how long the present step has run."""

    policy: CanaryPolicy
    now: datetime
    since: datetime

    @property
    def elapsed_s(self) -> float:
        """Return for how long the present step has run."""
        return (self.now - self.since).total_seconds()


Judgement = tuple[CanaryOutcome, Sequence[tuple[str, Facts]]]


def judge_step(step: StepTime, progress: CanaryProgress, window: Window, metrics: Sequence[MetricResult]) -> Judgement:
    """Return the outcome and the facts behind it.

    `worse` comes before what makes the arms hard to compare, a lost share of the canary's own requests above all: a
    canary that dies before it logs loses its worst requests, and that is no alibi.
    """
    policy = step.policy
    total = window.stable.users + window.canary.users
    counted = CountedUsers(users=window.canary.users, total=total, share=progress.share, p=window.srm_p)
    if window.users_in_both_arms > MAX_SHARE_IN_BOTH_ARMS * total:
        return CanaryOutcome.HOLD, [("canary-users-in-both-arms", counted._replace(users=window.users_in_both_arms))]
    regressed = [("canary-worse", _facts(metric, policy)) for metric in metrics if is_rollback_reason(metric)]
    uneven = window.srm_p < SRM_LEVEL
    doubts = _doubts(window)
    if uneven and not (regressed and window.canary.users < total * progress.share / 100):
        return CanaryOutcome.HOLD, [
            ("canary-uneven-split", counted),
            *doubts,
            *_silent_arms(step, progress, window),
        ]
    if regressed:
        return CanaryOutcome.ROLL_BACK, [*regressed, *([("canary-uneven-split", counted)] if uneven else []), *doubts]
    if doubts:
        return CanaryOutcome.HOLD, doubts
    if complaints := [("canary-signal-worse", _facts(metric, policy)) for metric in metrics if metric.regressed]:
        return CanaryOutcome.HOLD, complaints
    if silent_arms := _silent_arms(step, progress, window):
        # Right after a change of share there cannot be requests yet.
        grace_s = policy.stale_s + 2 * policy.lag_s
        fresh = step.elapsed_s < grace_s
        return (CanaryOutcome.WAIT if fresh else CanaryOutcome.HOLD), silent_arms
    if window.unscored_p < SRM_LEVEL:
        unscored = UnscoredFacts(
            canary_unscored=window.canary.unscored,
            canary=window.canary.answered,
            stable_unscored=window.stable.unscored,
            stable=window.stable.answered,
            p=window.unscored_p,
        )
        return CanaryOutcome.HOLD, [("canary-unscored", unscored)]
    if window.control_failing > OUTAGE_SHARE:
        return CanaryOutcome.HOLD, [("canary-outage", OutageFacts(failing=window.control_failing))]
    return _judge_progress(step, progress, window, metrics)


def is_rollback_reason(metric: MetricResult) -> bool:
    """Return whether a metric ends the canary: what users signal is for a person to look at."""
    return metric.regressed and metric.metric != SIGNALS


def _doubts(window: Window) -> list[tuple[str, Facts]]:
    """Return why the arms may not be comparable although their users are split as configured."""
    doubts: list[tuple[str, Facts]] = []
    if window.wrong_arms > MAX_WRONG_ARMS * window.keyed:
        doubts.append(("canary-wrong-arms", CountedArms(wrong=window.wrong_arms, keyed=window.keyed)))
    if window.models_p < SRM_LEVEL:
        models = (window.canary.response_models, window.stable.response_models)
        doubts.append(("canary-different-models", ModelFacts(canary=models[0], stable=models[1], p=window.models_p)))
    return doubts


def _judge_progress(
    step: StepTime, progress: CanaryProgress, window: Window, metrics: Sequence[MetricResult]
) -> Judgement:
    """Promote where nothing is missing any more; else wait, or hold where waiting does not help."""
    policy, elapsed_s = step.policy, step.elapsed_s
    missing = _missing(step, progress, metrics)
    if not missing:
        return CanaryOutcome.PROMOTE, [("canary-within-limit", _facts(metric, policy)) for metric in metrics]
    if elapsed_s > policy.max_time_s:
        time = TimeFacts(elapsed_s=elapsed_s, limit_s=policy.max_time_s)
        return CanaryOutcome.HOLD, [("canary-too-long", time), *missing]
    if silent := [metric.metric for metric in metrics if not metric.canary_n or not metric.control_n]:
        enough = min(window.canary.users, window.stable.users - REFERENCE_REQUESTS) >= policy.min_requests
        if enough and elapsed_s > policy.stale_s + policy.lag_s:
            return CanaryOutcome.HOLD, [("canary-no-values", MetricName(metric=name)) for name in silent]
    forecast = forecast_decision(metrics, window.canary, elapsed_s, policy)
    return CanaryOutcome.WAIT, [*missing, *([("canary-forecast", forecast)] if forecast else [])]


def _facts(metric: MetricResult, policy: CanaryPolicy) -> MetricFacts:
    return MetricFacts(
        metric=metric.metric,
        limit=metric.limit,
        control=metric.control_mean,
        canary=metric.canary_mean,
        control_n=metric.control_n,
        canary_n=metric.canary_n,
        p_worse=metric.p_worse,
        alpha=metric.alpha,
        min_requests=policy.min_requests,
        per_user=policy.per_user,
    )


def _silent_arms(step: StepTime, progress: CanaryProgress, window: Window) -> Sequence[tuple[str, NoRequests]]:
    oldest = step.now - timedelta(seconds=step.policy.stale_s + step.policy.lag_s)
    arms = [("stable", window.stable.newest), ("canary", window.canary.newest)]
    # Where the log does not state the share, requests of the first `lag` are left out too.
    lag = timedelta(seconds=step.policy.lag_s)
    counted_from = next((time for times in (1, 2) if step.now < (time := progress.since + times * lag)), None)
    return [
        ("canary-no-requests", NoRequests(arm=arm, newest=newest, since=progress.since, counted_from=counted_from))
        for arm, newest in arms
        if not newest or newest < oldest
    ]


def _missing(step: StepTime, progress: CanaryProgress, metrics: Sequence[MetricResult]) -> list[tuple[str, Facts]]:
    """Return what a promotion waits for."""
    policy, elapsed_s = step.policy, step.elapsed_s
    facts: list[tuple[str, Facts]] = []
    if elapsed_s < policy.min_time_s:
        facts.append(("canary-too-early", TimeFacts(elapsed_s=elapsed_s, limit_s=policy.min_time_s)))
    for metric in metrics:
        if min(metric.canary_n, metric.control_n) < policy.min_requests:
            facts.append(("canary-too-few", _facts(metric, policy)))
        elif not metric.within_limit:
            facts.append(("canary-not-shown", _facts(metric, policy)))
    return facts
