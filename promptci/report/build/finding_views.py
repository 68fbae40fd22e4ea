"""The views of findings and of the policy that they follow from."""

from collections.abc import Sequence

from promptci.config.policy import GatePolicy
from promptci.findings import Finding, facts_as_json
from promptci.present.finding_text.describe import describe
from promptci.report.model import json_safe
from promptci.report.model.report import FindingView, GateView


def build_finding_views(findings: Sequence[Finding]) -> list[FindingView]:
    """Return the view of each finding, in the same order."""
    return [
        FindingView(
            rule=finding.rule,
            verdict=finding.verdict.value,
            text=json_safe.text(describe(finding).text),
            facts=json_safe.value(facts_as_json(finding.facts)),
        )
        for finding in findings
    ]


def build_gate_view(policy: GatePolicy, source: str) -> GateView:
    """Return the view of a policy that was read at `source`."""
    return GateView(
        mode=policy.mode.value,
        max_drop=policy.max_drop,
        alpha=policy.alpha,
        on_inconclusive=policy.on_inconclusive.value,
        min_quality=policy.min_quality,
        max_cost_increase=policy.max_cost_increase,
        max_p95_increase=policy.max_p95_increase,
        max_error_rate=policy.max_error_rate,
        source=json_safe.text(source),
    )
