"""Where in the repository a finding stands, and how loudly it is told: for annotations and for SARIF."""

import re
from typing import Literal

from promptci.report.model.report import PromptView

LEVELS: dict[str, Literal["error", "warning"]] = {"fail": "error", "error": "error", "inconclusive": "warning"}
"""Verdicts that deserve a remark beside the file, and its level."""
_HUNK = re.compile(r"\+([0-9]{1,9})")
"""In `@@ -1,4 +1,5 @@`: where head's lines start."""


def first_changed_line(prompt: PromptView) -> int:
    """Give head's line of the first difference, from the first hunk of the diff; 1 where there is none."""
    line = 1
    for row in prompt.diff:
        if row.kind == "hunk":
            start = _HUNK.search(row.text)
            line = int(start[1]) if start else 1
        elif row.kind == "context":
            line += 1
        else:
            return max(line, 1)
    return 1
