"""Requests, policy and progress of a canary -> promote, wait, hold or roll back, with findings."""

from collections.abc import Sequence
from dataclasses import field, replace
from datetime import datetime

from promptci.findings import Facts, Finding, NoFacts
from promptci.lazy_dataclass import dataclass
from promptci.requestlog.columns import RequestColumns
from promptci.rollout import measure
from promptci.rollout.deployment import Deployed
from promptci.rollout.facts import NewCanary, RollbackFacts, ShareFacts
from promptci.rollout.judgement import VERDICTS, CanaryOutcome, StepTime, is_rollback_reason, judge_step
from promptci.rollout.metric_result import MetricResult
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.state import CanaryProgress
from promptci.rollout.window import AffectedRequests, Window, count_affected, select_window

__all__ = ["CanaryDecision", "CanaryOutcome", "decide_canary"]


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
    affected: AffectedRequests | None = None
    """None but where this look rolls the canary back by its requests."""


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

    def step(self, progress: CanaryProgress) -> StepTime:
        """Return the present step."""
        return StepTime(policy=self.policy, now=self.now, since=progress.since)


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
    outcome, facts = judge_step(evaluation.step(progress), progress, window, metrics)
    decision = replace(evaluation.decision(outcome, progress, *facts), window=window, metrics=metrics)
    if outcome is CanaryOutcome.ROLL_BACK:
        reason = ", ".join(metric.metric for metric in metrics if is_rollback_reason(metric))
        rolled_back = progress.model_copy(update={"share": 0, "rolled_back": evaluation.now, "rollback_reason": reason})
        return replace(decision, new_share=0, progress=rolled_back, affected=count_affected(requests, progress))
    if outcome is CanaryOutcome.PROMOTE:
        share = evaluation.policy.next_step(progress.share)
        promoted = progress.model_copy(update={"share": share, "since": evaluation.now})
        return replace(decision, new_share=share, progress=promoted)
    return decision
