"""The decisions about canaries -> canary.json and canary.md, which is the job's summary as well."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from promptci.report import templates
from promptci.requestlog.model import RequestLog
from promptci.rollout import words
from promptci.rollout.canary import CanaryDecision, CanaryOutcome
from promptci.rollout.measure import MetricResult
from promptci.rollout.policy import QUALITY
from promptci.rollout.window import ArmActivity

SCHEMA = "promptci/canary/v1"
ORDER = tuple(CanaryOutcome)
SIGNS = {CanaryOutcome.PROMOTE: "✅", CanaryOutcome.WAIT: "⏳", CanaryOutcome.HOLD: "✋", CanaryOutcome.ROLL_BACK: "⏪"}


@dataclass(frozen=True, kw_only=True, slots=True)
class CanaryReport:
    """One look at the canaries of an environment."""

    environment: str
    at: datetime
    decisions: tuple[CanaryDecision, ...]
    log: RequestLog
    applied: bool
    """Whether the shares were written."""

    @property
    def outcome(self) -> CanaryOutcome:
        """Give the most alarming outcome."""
        return max((one.outcome for one in self.decisions), key=ORDER.index, default=CanaryOutcome.WAIT)

    @property
    def changed(self) -> bool:
        """Whether a share differs from the one in the file."""
        return any(one.share != one.new_share for one in self.decisions)

    @property
    def exit_code(self) -> int:
        """1 where something is rolled back, else 0."""
        return int(self.outcome is CanaryOutcome.ROLL_BACK)


def outcome_text(one: CanaryDecision) -> str:
    """Give the outcome with its share, on one line."""
    if one.share == one.new_share:
        return f"{one.outcome} at {one.share:g}%" if one.canary else str(one.outcome)
    return f"{one.outcome}: {one.share:g}% → {one.new_share:g}%"


def to_json(record: CanaryReport) -> dict[str, Any]:
    """Give canary.json; unknown is null."""
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
            "bad": record.log.bad,
            "repeated": record.log.repeated,
        },
        "prompts": [_prompt(one) for one in record.decisions],
    }


def dump_json(value: dict[str, Any]) -> str:
    """Give the bytes of canary.json as text."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def markdown(record: CanaryReport) -> str:
    """Give canary.md."""
    template = templates.environment().get_template("markdown/canary.md.j2")
    return template.render(record=record, signs=SIGNS, words=words, sentence=outcome_text, standing=metric_status)


def metric_status(one: MetricResult) -> str:
    """Say in a word or two how a metric stands."""
    if one.bad:
        return "worse"
    if one.drop is None:
        return "no data"
    return "within the limit" if one.fine else "open"


def _prompt(one: CanaryDecision) -> dict[str, Any]:
    window = one.window
    return {
        "prompt": one.prompt,
        "stable": one.stable,
        "canary": one.canary,
        "outcome": str(one.outcome),
        "reasons": list(one.reasons),
        "share": one.share,
        "new_share": one.new_share,
        "since": one.standing and one.standing.since.isoformat(),
        "arms": {"stable": _arm(window.stable), "canary": _arm(window.canary)},
        "split_p": window.srm_p,
        "users_in_both_arms": window.users_in_both_arms,
        "not_counted": {
            "other_versions": window.other_versions,
            "other_shares": window.other_shares,
            "too_young": window.too_recent,
            "from_the_future": window.in_future,
        },
        "metrics": [_metric(measured) for measured in one.measured],
    }


def _arm(arm: ArmActivity) -> dict[str, Any]:
    return {
        "requests": arm.requests,
        "users": arm.units,
        "newest": arm.newest and arm.newest.isoformat(),
        "models": list(arm.models),
        "output_tokens": arm.output_tokens,
    }


def _metric(one: MetricResult) -> dict[str, Any]:
    def natural(mean: float | None) -> float | None:
        return mean if mean is None or one.metric == QUALITY else 1 - mean

    return {
        "metric": one.metric,
        "stable": natural(one.control_mean),
        "canary": natural(one.canary_mean),
        "stable_n": one.control_n,
        "canary_n": one.canary_n,
        "limit": one.limit,
        "drop": one.drop,
        "margin": one.margin,
        "p_worse": one.p_worse,
        "alpha": one.alpha,
        "p_within_limit": one.p_fine,
        "promote_alpha": one.promote_alpha,
        "stands": metric_status(one),
    }
