"""From the decisions about canaries to canary.json and canary.md, which is also the job's summary."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promptci.findings import facts_as_json
from promptci.present.finding_text import canary as words
from promptci.present.finding_text.describe import describe
from promptci.report import templates
from promptci.requestlog.model import RequestLog
from promptci.rollout.canary import CanaryDecision, CanaryOutcome
from promptci.rollout.measure import MetricResult
from promptci.rollout.policy import QUALITY
from promptci.rollout.window import ArmActivity

SCHEMA = "promptci/canary/v1"
ORDER = tuple(CanaryOutcome)
SIGNS = {CanaryOutcome.PROMOTE: "✅", CanaryOutcome.WAIT: "⏳", CanaryOutcome.HOLD: "✋", CanaryOutcome.ROLL_BACK: "⏪"}


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryReport:
    """One evaluation of the canaries of an environment."""

    environment: str
    at: datetime
    decisions: tuple[CanaryDecision, ...]
    log: RequestLog
    applied: bool
    """Whether the shares were written."""

    @property
    def outcome(self) -> CanaryOutcome:
        """The most alarming outcome."""
        return max((decision.outcome for decision in self.decisions), key=ORDER.index, default=CanaryOutcome.WAIT)

    @property
    def changed(self) -> bool:
        """Whether a share differs from the one in the file."""
        return any(decision.share != decision.new_share for decision in self.decisions)

    @property
    def exit_code(self) -> int:
        """1 if something is rolled back, else 0."""
        return int(self.outcome is CanaryOutcome.ROLL_BACK)


def outcome_text(decision: CanaryDecision) -> str:
    """Return the outcome with its share, on one line."""
    if decision.share == decision.new_share:
        return f"{decision.outcome} at {decision.share:g}%" if decision.canary else str(decision.outcome)
    return f"{decision.outcome}: {decision.share:g}% → {decision.new_share:g}%"


def finding_texts(decision: CanaryDecision) -> list[str]:
    """Return the findings behind a decision, in words."""
    return [describe(finding).text for finding in decision.findings]


def to_json(record: CanaryReport) -> dict[str, Any]:
    """Return canary.json; unknown is null."""
    return {
        "schema": SCHEMA,
        "environment": record.environment,
        "at": record.at.isoformat(),
        "outcome": str(record.outcome),
        "exit_code": record.exit_code,
        "applied": record.applied,
        "log": {
            "files": record.log.files,
            "lines": record.log.lines,
            "invalid_lines": record.log.invalid_lines,
            "repeated_lines": record.log.repeated_lines,
        },
        "prompts": [_prompt(decision) for decision in record.decisions],
    }


def dump_json(value: dict[str, Any]) -> str:
    """Return canary.json as text."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def markdown(record: CanaryReport) -> str:
    """Render canary.md."""
    template = templates.environment().get_template("markdown/canary.md.j2")
    return template.render(
        record=record, signs=SIGNS, words=words, sentence=outcome_text, texts=finding_texts, status=metric_status
    )


def metric_status(metric: MetricResult) -> str:
    """Return in a word or two what is known of a metric."""
    if metric.regressed:
        return "worse"
    if metric.drop is None:
        return "no data"
    return "within the limit" if metric.within_limit else "open"


def _prompt(decision: CanaryDecision) -> dict[str, Any]:
    window = decision.window
    return {
        "prompt": decision.prompt,
        "stable": decision.stable,
        "canary": decision.canary,
        "outcome": str(decision.outcome),
        "findings": [
            {"rule": finding.rule, "text": describe(finding).text, "facts": facts_as_json(finding.facts)}
            for finding in decision.findings
        ],
        "share": decision.share,
        "new_share": decision.new_share,
        "since": decision.progress and decision.progress.since.isoformat(),
        "arms": {"stable": _arm(window.stable), "canary": _arm(window.canary)},
        "srm_p": window.srm_p,
        "unscored_p": window.unscored_p,
        "users_in_both_arms": window.users_in_both_arms,
        "not_counted": {
            "other_versions": window.other_versions,
            "other_shares": window.other_shares,
            "too_recent": window.too_recent,
            "in_future": window.in_future,
        },
        "metrics": [_metric(metric) for metric in decision.metrics],
    }


def _arm(arm: ArmActivity) -> dict[str, Any]:
    return {
        "requests": arm.requests,
        "users": arm.users,
        "answered": arm.answered,
        "unscored": arm.unscored,
        "newest": arm.newest and arm.newest.isoformat(),
        "models": list(arm.models),
        "output_tokens": arm.output_tokens,
    }


def _metric(metric: MetricResult) -> dict[str, Any]:
    def natural(mean: float | None) -> float | None:
        return mean if mean is None or metric.metric == QUALITY else 1 - mean

    return {
        "metric": metric.metric,
        "stable": natural(metric.control_mean),
        "canary": natural(metric.canary_mean),
        "stable_n": metric.control_n,
        "canary_n": metric.canary_n,
        "limit": metric.limit,
        "drop": metric.drop,
        "margin": metric.margin,
        "p_worse": metric.p_worse,
        "alpha": metric.alpha,
        "p_within_limit": metric.p_within_limit,
        "promote_alpha": metric.promote_alpha,
        "status": metric_status(metric),
    }
