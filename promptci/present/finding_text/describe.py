"""`describe`: from a finding to its words."""

from promptci.findings import Finding
from promptci.present.finding_text.text import FindingText


def describe(finding: Finding) -> FindingText:
    """Return the words of a finding."""
    from promptci.present.finding_text.table import TEXTS

    return TEXTS[finding.rule](finding.facts)
