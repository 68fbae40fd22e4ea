"""Build the views of what people decided: an override, and approvals."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from promptci.findings import Finding
from promptci.gates.people.approval_rule import ApprovalFacts
from promptci.gates.people.override_rule import Override
from promptci.report.model import json_safe
from promptci.report.model.report import ApprovalView, ApproverView, OverrideView

_STATES: dict[str, Literal["approved", "missing", "unknown", "not-checked"]] = {
    "approved": "approved",
    "missing-approval": "missing",
    "approval-unknown": "unknown",
    "approval-not-checked": "not-checked",
}


def build_override_view(override: Override | None) -> OverrideView | None:
    """Return the view of an override."""
    if override is None:
        return None
    reason = override.reason
    return OverrideView(
        by=json_safe.text(override.by.login),
        id=override.by.id,
        permission=override.permission,
        reason=json_safe.text(reason.text),
        reason_by=json_safe.text(reason.by.login) if reason.by else None,
        source=reason.source,
        head=override.blocked.head,
        at=_moment(override.at),
        verdict=override.blocked.verdict.value,
        rules=list(override.blocked.rules),
    )


def build_approval_views(findings: Sequence[Finding]) -> list[ApprovalView]:
    """Return the views of the approvals among the findings about a run."""
    return [
        ApprovalView(
            role=json_safe.text(facts.role),
            prompts=json_safe.texts(facts.prompts),
            pattern=json_safe.text(facts.pattern),
            required=facts.needed,
            allowed=json_safe.texts(facts.by),
            state=_STATES[finding.rule],
            approvers=[
                ApproverView(by=json_safe.text(each.login), id=each.id, at=_moment(each.at) if each.at else None)
                for each in facts.approvers
            ],
        )
        for finding in findings
        if isinstance(facts := finding.facts, ApprovalFacts)
    ]


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
