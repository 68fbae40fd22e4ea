"""canary.json: what one evaluation of an environment's canaries found, for other programs."""

from typing import Literal

from pydantic import BaseModel, Field, JsonValue

from promptci.documents.document import Document
from promptci.findings import facts_as_json
from promptci.present.finding_text.describe import describe
from promptci.report.canary_report import CanaryReport, metric_status
from promptci.rollout.canary import CanaryDecision
from promptci.rollout.metric_result import MetricResult
from promptci.rollout.policy import QUALITY
from promptci.rollout.window import ArmActivity


class LogRow(BaseModel):
    """The request log that was read."""

    files: int
    lines: int
    invalid_lines: int
    repeated_lines: int


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
    models: list[str]
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
    status: str


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
    users_in_both_arms: int
    not_counted: NotCountedRow
    metrics: list[MetricRow]


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


def to_document(record: CanaryReport) -> CanaryDocument:
    """Return canary.json; unknown is null."""
    return CanaryDocument(
        environment=record.environment,
        at=record.at.isoformat(),
        outcome=str(record.outcome),
        exit_code=record.exit_code,
        applied=record.applied,
        log=LogRow.model_validate(record.log, from_attributes=True),
        prompts=[_prompt(decision) for decision in record.decisions],
    )


def _prompt(decision: CanaryDecision) -> CanaryPromptRow:
    window = decision.window
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
        users_in_both_arms=window.users_in_both_arms,
        not_counted=NotCountedRow.model_validate(window, from_attributes=True),
        metrics=[_metric(metric) for metric in decision.metrics],
    )


def _arm(arm: ArmActivity) -> ArmRow:
    return ArmRow(
        requests=arm.requests,
        users=arm.users,
        answered=arm.answered,
        unscored=arm.unscored,
        newest=None if arm.newest is None else arm.newest.isoformat(),
        models=list(arm.models),
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
        status=metric_status(metric),
    )
