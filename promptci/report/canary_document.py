"""canary.json: what one evaluation of an environment's canaries found, for other programs."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from promptci.documents.document import Document
from promptci.findings import facts_as_json
from promptci.present.finding_text.describe import describe
from promptci.report.canary_report import CanaryReport, metric_status, propose_stable
from promptci.rollout.canary import CanaryDecision
from promptci.rollout.judging.sample import SampleState
from promptci.rollout.metric_result import MetricResult
from promptci.rollout.policy import QUALITY
from promptci.rollout.window import ArmActivity


class LogRow(BaseModel):
    """The request log that was read."""

    files: int
    lines: int
    invalid_lines: int
    repeated_lines: int
    late_lines: int = Field(description="Lines with a later mark of a request.")


class CanaryFindingRow(BaseModel):
    """One finding behind a decision."""

    rule: str
    text: str
    facts: dict[str, JsonValue]


class ArmRow(BaseModel):
    """What was logged of one version."""

    requests: int
    users: int
    answered: int
    unscored: int
    newest: str | None = Field(description="Time of the newest request, ISO 8601.")
    new_users: int = Field(description="Users first seen in the second half of the step.")
    models: list[str]
    response_models: list[str] = Field(description="Models that answered, as the provider names them.")
    output_tokens: float | None = Field(description="Mean of the answers; null: not logged.")


class ArmRows(BaseModel):
    """Both versions."""

    stable: ArmRow
    canary: ArmRow


class NotCountedRow(BaseModel):
    """Requests of the log that the comparison leaves out."""

    other_versions: int
    other_shares: int
    too_recent: int
    in_future: int


class MetricRow(BaseModel):
    """One metric of both versions."""

    metric: str
    stable: float | None
    canary: float | None
    stable_n: int
    canary_n: int
    limit: float
    drop: float | None
    margin: float
    p_worse: float
    alpha: float
    p_within_limit: float
    promote_alpha: float
    need_worse: float = Field(description="What log_e_worse must reach for a rollback.")
    need_fine: float = Field(description="What log_e_fine must reach for a promotion.")
    status: str


class EvidenceRow(BaseModel):
    """The evidence about one metric after some requests of this step."""

    at: str = Field(description="When the last of these values was known, ISO 8601.")
    share: float
    metric: str
    control_n: int
    canary_n: int
    drop: float = Field(description="Mean of the stable version minus that of the canary, 1 being good.")
    log_e_worse: float = Field(description="Natural logarithm of the evidence that the canary is worse.")
    log_e_fine: float = Field(description="Likewise, that it is within the limit.")
    need: float = Field(description="What log_e_worse must reach for a rollback.")


class AffectedRow(BaseModel):
    """What a canary that is rolled back answered since its step began."""

    requests: int
    users: int | None = Field(description="null: the log names no user or key.")


class ProposalRow(BaseModel):
    """The pull request that makes a canary with all traffic the stable version."""

    branch: str
    title: str
    command: str


class CanaryPromptRow(BaseModel):
    """The decision about one prompt's canary."""

    prompt: str
    stable: str
    canary: str | None
    outcome: str
    findings: list[CanaryFindingRow]
    share: float
    new_share: float
    since: str | None = Field(description="When this step began, ISO 8601; null: no step has begun.")
    arms: ArmRows
    srm_p: float
    unscored_p: float
    models_p: float = Field(description="Of `the same models answer in both arms`.")
    users_in_both_arms: int
    keyed: int = Field(description="Requests of which the arm can be computed again from the key.")
    wrong_arms: int = Field(description="Those of them that are in the other arm.")
    not_counted: NotCountedRow
    metrics: list[MetricRow]
    evidence: list[EvidenceRow] = Field(description="How the evidence of this step grew, oldest first.")
    proposal: ProposalRow | None = Field(description="null but where the canary has all traffic.")
    affected: AffectedRow | None = Field(default=None, description="null but where this look rolls the canary back.")


class SampleRow(BaseModel):
    """What the judge marked of one prompt's answers."""

    prompt: str
    state: str = Field(description=f"One of: {', '.join(SampleState)}. Only the first two are no exit code 4.")
    chosen: int = Field(description="Answers that were chosen at this look.")
    judged: int = Field(description="Those that the judge marked; 0 in a dry run.")
    without_answer: int = Field(description="Users' first requests of this step without an answer in the file.")
    reason: str


class CanaryDocument(Document):
    """canary.json."""

    schema_: Literal["promptci/canary/v1"] = Field(default="promptci/canary/v1", alias="schema")
    environment: str
    at: str = Field(description="Time of the evaluation, ISO 8601.")
    outcome: str
    exit_code: int
    applied: bool
    log: LogRow
    prompts: list[CanaryPromptRow]
    samples: list[SampleRow] = Field(default=[], description="Empty without --judge-sample.")


def to_document(record: CanaryReport) -> CanaryDocument:
    """Return canary.json; unknown is null."""
    return CanaryDocument(
        environment=record.environment,
        at=record.at.isoformat(),
        outcome=str(record.outcome),
        exit_code=record.exit_code,
        applied=record.applied,
        log=LogRow.model_validate(record.log, from_attributes=True),
        prompts=[_prompt(decision, record.environment) for decision in record.decisions],
        samples=[SampleRow.model_validate(sample, from_attributes=True) for sample in record.samples],
    )


def _prompt(decision: CanaryDecision, environment: str) -> CanaryPromptRow:
    window = decision.window
    proposal = propose_stable(decision, environment)
    return CanaryPromptRow(
        prompt=decision.prompt,
        stable=decision.stable,
        canary=decision.canary,
        outcome=str(decision.outcome),
        findings=[
            CanaryFindingRow(rule=finding.rule, text=describe(finding).text, facts=facts_as_json(finding.facts))
            for finding in decision.findings
        ],
        share=decision.share,
        new_share=decision.new_share,
        since=None if decision.progress is None else decision.progress.since.isoformat(),
        arms=ArmRows(stable=_arm(window.stable), canary=_arm(window.canary)),
        srm_p=window.srm_p,
        unscored_p=window.unscored_p,
        models_p=window.models_p,
        users_in_both_arms=window.users_in_both_arms,
        keyed=window.keyed,
        wrong_arms=window.wrong_arms,
        not_counted=NotCountedRow.model_validate(window, from_attributes=True),
        metrics=[_metric(metric) for metric in decision.metrics],
        evidence=[row for metric in decision.metrics for row in _evidence(metric, decision.share)],
        proposal=None if proposal is None else ProposalRow(**proposal._asdict()),
        affected=None
        if decision.affected is None
        else AffectedRow.model_validate(decision.affected, from_attributes=True),
    )


def _evidence(metric: MetricResult, share: float) -> list[EvidenceRow]:
    return [
        EvidenceRow(
            at=point.at.isoformat(),
            share=share,
            metric=metric.metric,
            control_n=point.control_n,
            canary_n=point.canary_n,
            drop=point.drop,
            log_e_worse=point.log_e_worse,
            log_e_fine=point.log_e_fine,
            need=metric.log_need_worse,
        )
        for point in metric.path
    ]


def _arm(arm: ArmActivity) -> ArmRow:
    return ArmRow(
        requests=arm.requests,
        users=arm.users,
        answered=arm.answered,
        unscored=arm.unscored,
        newest=None if arm.newest is None else arm.newest.isoformat(),
        new_users=arm.new_users,
        models=list(arm.models),
        response_models=list(arm.response_models),
        output_tokens=arm.output_tokens,
    )


def _metric(metric: MetricResult) -> MetricRow:
    def natural(mean: float | None) -> float | None:
        return mean if mean is None or metric.metric == QUALITY else 1 - mean

    return MetricRow(
        metric=metric.metric,
        stable=natural(metric.control_mean),
        canary=natural(metric.canary_mean),
        stable_n=metric.control_n,
        canary_n=metric.canary_n,
        limit=metric.limit,
        drop=metric.drop,
        margin=metric.margin,
        p_worse=metric.p_worse,
        alpha=metric.alpha,
        p_within_limit=metric.p_within_limit,
        promote_alpha=metric.promote_alpha,
        need_worse=metric.log_need_worse,
        need_fine=metric.log_need_fine,
        status=metric_status(metric),
    )
