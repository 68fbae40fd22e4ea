"""Build the views of findings: the facts, and their words."""

from collections.abc import Sequence

from promptci.findings import Finding, facts_as_json
from promptci.present.finding_text.describe import describe
from promptci.report.model import json_safe
from promptci.report.model.report import FindingView


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
