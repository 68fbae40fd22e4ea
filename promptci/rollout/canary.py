"""Requests, policy and progress of a canary -> promote, wait, hold or roll back, with findings."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from promptci.findings import Facts, Finding, NoFacts
from promptci.requestlog.columns import RequestColumns
from promptci.rollout import measure
from promptci.rollout.deployment import Deployed
from promptci.rollout.facts import (
    CountedArms,
    CountedUsers,
    MetricFacts,
    MetricName,
    ModelFacts,
    NewCanary,
    NoRequests,
    OutageFacts,
    RollbackFacts,
    ShareFacts,
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
    select_window,
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
class CanaryDecision:
    """What is decided about one prompt, and why."""

    prompt: str
    stable: str
    canary: str | None
    outcome: CanaryOutcome
    findings: tuple[Finding, ...]
    share: float
    """In the deployment file, in percent."""
    new_share: float
    progress: CanaryProgress | None
    """The canary's state after this decision; None: there is no canary."""
    window: Window = field(default_factory=Window)
    metrics: tuple[MetricResult, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Evaluation:
    deployed: Deployed
    canary: str
    policy: CanaryPolicy
    now: datetime

    def decision(self, outcome: CanaryOutcome, progress: CanaryProgress, *facts: tuple[str, Facts]) -> CanaryDecision:
        """Leave the share as it is."""
        return CanaryDecision(
            prompt=self.deployed.prompt,
            stable=self.deployed.stable,
            canary=self.canary,
            outcome=outcome,
            findings=_findings(self.deployed.prompt, outcome, facts),
            share=self.deployed.share,
            new_share=self.deployed.share,
            progress=progress,
        )

    def elapsed_s(self, progress: CanaryProgress) -> float:
        """Return for how long the present step has run."""
        return (self.now - progress.since).total_seconds()


def _findings(prompt: str, outcome: CanaryOutcome, facts: Sequence[tuple[str, Facts]]) -> tuple[Finding, ...]:
    return tuple(
        Finding(rule=rule, verdict=VERDICTS[outcome], subject=prompt, facts=measured) for rule, measured in facts
    )


def decide_canary(
    deployed: Deployed,
    progress: CanaryProgress | None,
    requests: RequestColumns,
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
            findings=_findings(deployed.prompt, CanaryOutcome.WAIT, [("canary-none", NoFacts())]),
            share=0,
            new_share=0,
            progress=None,
        )
    evaluation = _Evaluation(deployed=deployed, canary=deployed.canary, policy=policy, now=now)
    if progress is None or (progress.stable, progress.canary) != (deployed.stable, deployed.canary):
        return _start(evaluation)
    if progress.rolled_back is not None:
        return _rolled_back(evaluation, progress, progress.rolled_back)
    return _after_manual_change(evaluation, progress) or _after_requests(evaluation, progress, requests)


def _start(evaluation: _Evaluation) -> CanaryDecision:
    """Start at the first step, whatever share the file has: no step is skipped."""
    first = evaluation.policy.steps[0]
    progress = CanaryProgress(
        stable=evaluation.deployed.stable, canary=evaluation.canary, share=first, since=evaluation.now
    )
    facts = NewCanary(first_step=first, share=evaluation.deployed.share)
    return replace(evaluation.decision(CanaryOutcome.WAIT, progress, ("canary-started", facts)), new_share=first)


def _rolled_back(evaluation: _Evaluation, progress: CanaryProgress, at: datetime) -> CanaryDecision:
    facts = RollbackFacts(at=at, reason=progress.rollback_reason)
    if evaluation.deployed.share == 0:
        return evaluation.decision(CanaryOutcome.HOLD, progress, ("canary-rolled-back", facts))
    again = evaluation.decision(CanaryOutcome.ROLL_BACK, progress, ("canary-reverted", facts))
    return replace(again, new_share=0)


def _after_manual_change(evaluation: _Evaluation, progress: CanaryProgress) -> CanaryDecision | None:
    """Respond to a share that a person changed; None where nobody did."""
    share = evaluation.deployed.share
    facts = ShareFacts(share=share, step=progress.share)
    restarted = progress.model_copy(update={"share": share, "since": evaluation.now, "paused": False})
    if share == 0:
        paused = progress.model_copy(update={"paused": True})
        return evaluation.decision(CanaryOutcome.HOLD, paused, ("canary-paused", facts))
    if share > progress.share:
        return evaluation.decision(CanaryOutcome.HOLD, progress, ("canary-share-raised", facts))
    if share < progress.share:
        return evaluation.decision(CanaryOutcome.WAIT, restarted, ("canary-share-lowered", facts))
    if progress.paused:
        return evaluation.decision(CanaryOutcome.WAIT, restarted, ("canary-resumed", facts))
    return evaluation.decision(CanaryOutcome.HOLD, progress, ("canary-complete", NoFacts())) if share == 100 else None


def _after_requests(evaluation: _Evaluation, progress: CanaryProgress, requests: RequestColumns) -> CanaryDecision:
    """Decide by what both arms did since the present step began."""
    window = select_window(requests, progress, evaluation.policy, evaluation.now)
    metrics = measure.measure_metrics(window.requests, evaluation.policy)
    outcome, facts = _judge(evaluation, progress, window, metrics)
    decision = replace(evaluation.decision(outcome, progress, *facts), window=window, metrics=metrics)
    if outcome is CanaryOutcome.ROLL_BACK:
        reason = ", ".join(metric.metric for metric in metrics if _is_rollback_reason(metric))
        rolled_back = progress.model_copy(update={"share": 0, "rolled_back": evaluation.now, "rollback_reason": reason})
        return replace(decision, new_share=0, progress=rolled_back)
    if outcome is CanaryOutcome.PROMOTE:
        share = evaluation.policy.next_step(progress.share)
        promoted = progress.model_copy(update={"share": share, "since": evaluation.now})
        return replace(decision, new_share=share, progress=promoted)
    return decision


Judgement = tuple[CanaryOutcome, Sequence[tuple[str, Facts]]]


def _judge(
    evaluation: _Evaluation, progress: CanaryProgress, window: Window, metrics: Sequence[MetricResult]
) -> Judgement:
    """Return the outcome and the facts behind it.

    `worse` comes before what makes the arms hard to compare, a lost share of the canary's own requests above all: a
    canary that dies before it logs loses its worst requests, and that is no alibi.
    """
    policy = evaluation.policy
    total = window.stable.users + window.canary.users
    counted = CountedUsers(users=window.canary.users, total=total, share=progress.share, p=window.srm_p)
    if window.users_in_both_arms > MAX_SHARE_IN_BOTH_ARMS * total:
        return CanaryOutcome.HOLD, [("canary-users-in-both-arms", counted._replace(users=window.users_in_both_arms))]
    regressed = [("canary-worse", _facts(metric, policy)) for metric in metrics if _is_rollback_reason(metric)]
    uneven = window.srm_p < SRM_LEVEL
    doubts = _doubts(window)
    if uneven and not (regressed and window.canary.users < total * progress.share / 100):
        return CanaryOutcome.HOLD, [
            ("canary-uneven-split", counted),
            *doubts,
            *_silent_arms(evaluation, progress, window),
        ]
    if regressed:
        return CanaryOutcome.ROLL_BACK, [*regressed, *([("canary-uneven-split", counted)] if uneven else []), *doubts]
    if doubts:
        return CanaryOutcome.HOLD, doubts
    if complaints := [("canary-signal-worse", _facts(metric, policy)) for metric in metrics if metric.regressed]:
        return CanaryOutcome.HOLD, complaints
    if silent_arms := _silent_arms(evaluation, progress, window):
        # Right after a change of share there cannot be requests yet.
        grace_s = policy.stale_s + 2 * policy.lag_s
        fresh = evaluation.elapsed_s(progress) < grace_s
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
    return _judge_progress(evaluation, progress, window, metrics)


def _is_rollback_reason(metric: MetricResult) -> bool:
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
    evaluation: _Evaluation, progress: CanaryProgress, window: Window, metrics: Sequence[MetricResult]
) -> Judgement:
    """Promote where nothing is missing any more; else wait, or hold where waiting does not help."""
    policy, elapsed_s = evaluation.policy, evaluation.elapsed_s(progress)
    missing = _missing(evaluation, progress, metrics)
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


def _silent_arms(evaluation: _Evaluation, progress: CanaryProgress, window: Window) -> Sequence[tuple[str, NoRequests]]:
    oldest = evaluation.now - timedelta(seconds=evaluation.policy.stale_s + evaluation.policy.lag_s)
    arms = [("stable", window.stable.newest), ("canary", window.canary.newest)]
    return [
        ("canary-no-requests", NoRequests(arm=arm, newest=newest, since=progress.since))
        for arm, newest in arms
        if not newest or newest < oldest
    ]


def _missing(
    evaluation: _Evaluation, progress: CanaryProgress, metrics: Sequence[MetricResult]
) -> list[tuple[str, Facts]]:
    """Return what a promotion waits for."""
    policy, elapsed_s = evaluation.policy, evaluation.elapsed_s(progress)
    facts: list[tuple[str, Facts]] = []
    if elapsed_s < policy.min_time_s:
        facts.append(("canary-too-early", TimeFacts(elapsed_s=elapsed_s, limit_s=policy.min_time_s)))
    for metric in metrics:
        if min(metric.canary_n, metric.control_n) < policy.min_requests:
            facts.append(("canary-too-few", _facts(metric, policy)))
        elif not metric.within_limit:
            facts.append(("canary-not-shown", _facts(metric, policy)))
    return facts
