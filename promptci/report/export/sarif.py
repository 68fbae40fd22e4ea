"""ReportView -> results.sarif: findings for tools that show them next to the code, such as GitLab's and Azure's."""

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal
from urllib.parse import quote

from promptci.present.escape import clip, visible
from promptci.report.model.report import CaseView, FindingView, PromptView, ReportView
from promptci.report.text.cases.case_outcomes import describe_outcome, is_broken

VERSION = "2.1.0"
ROOT_ID = "%SRCROOT%"
"""Usual name of the repository's root in SARIF."""
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://github.com/promptci/promptci"
MAX_MESSAGE_CHARS = 1000
"""Length of a message."""
_PLACEHOLDER = re.compile(r"\{([0-9]+)\}")
MAX_BROKEN_CASES = 1000
"""Broken cases of a prompt; viewers take 5,000 results of a run."""
FINDING_LEVELS: dict[str, Literal["error", "warning"]] = {"fail": "error", "error": "error", "inconclusive": "warning"}
"""Verdicts that are annotated in the file, with the level."""
_HUNK = re.compile(r"\+([0-9]{1,9})")
"""Head's first line in `@@ -1,4 +1,5 @@`."""

RULES = {
    "regression": "The prompt answers worse than before, by the margin or more.",
    "critical": "A critical case was right before and is wrong after.",
    "broken-case": "A case was right before and is wrong after, or is right less often.",
    "min-quality": "Quality is below the minimum.",
    "cost": "Answers cost more than the limit allows.",
    "p95": "Answers take longer than the limit allows.",
    "cannot-tell": "The goldens cannot tell whether the prompt got worse.",
    "pooled": "The prompts got worse together, although none is shown to on its own.",
    "missing-goldens": "The prompt has no golden cases.",
    "error-rate": "Too many calls failed for a verdict.",
}
"""Rules with a description; other rules are listed by name."""


def render(view: ReportView) -> str:
    """Render the log: a result for each finding that blocks or warns, and for each broken case."""
    results = list(_results(view))
    rules = sorted({result["ruleId"] for result in results})
    for result in results:
        result["ruleIndex"] = rules.index(result["ruleId"])
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "promptci",
                "version": view.promptci_version,
                "informationUri": HOME,
                "rules": [_rule(name) for name in rules],
            }
        },
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {ROOT_ID: {"description": {"text": "The root of the repository."}}},
        "results": results,
        "invocations": [{"executionSuccessful": view.verdict != "error", "exitCode": view.exit_code, **_times(view)}],
        **_revision(view),
    }
    return json.dumps({"$schema": SCHEMA, "version": VERSION, "runs": [run]}, ensure_ascii=False, indent=2) + "\n"


def _rule(name: str) -> dict[str, Any]:
    text = RULES.get(name, f"The finding `{name}`.")
    return {"id": name, "shortDescription": {"text": text}, "helpUri": f"{HOME}/blob/main/docs/verdict.md"}


def _times(view: ReportView) -> dict[str, Any]:
    return {"endTimeUtc": view.generated_at} if view.generated_at else {}


def _revision(view: ReportView) -> dict[str, Any]:
    if not view.repository or not view.head.sha:
        return {}
    return {
        "automationDetails": {"id": f"promptci/{view.kind}/"},
        "properties": {"repository": visible(view.repository), "revision": view.head.sha},
    }


def _results(view: ReportView) -> Iterator[dict[str, Any]]:
    for problem in view.problems:
        if problem.verdict in FINDING_LEVELS:
            yield _result(problem.rule, FINDING_LEVELS[problem.verdict], problem.text, (problem.rule,))
    for prompt in view.prompts:
        reasons = [reason for reason in prompt.findings if reason.verdict in FINDING_LEVELS]
        yield from (_finding(prompt, reason) for reason in reasons)
        broken = (case for case in prompt.case_details if case.outcome == "broken" and case.excluded_reason is None)
        yield from (_build_broken_case(prompt, case) for case in islice(broken, MAX_BROKEN_CASES))


def _finding(prompt: PromptView, reason: FindingView) -> dict[str, Any]:
    result = _result(
        reason.rule, FINDING_LEVELS[reason.verdict], f"{prompt.name}: {reason.text}", (prompt.path, reason.rule)
    )
    return {**result, "locations": [_location(prompt)]}


def _build_broken_case(prompt: PromptView, case: CaseView) -> dict[str, Any]:
    """Return the result of one broken case: error if it is critical, warning if the prompt failed, else note."""
    level = "error" if case.critical else "warning" if prompt.verdict == "fail" else "note"
    before, after = (_quote(answer.text if answer else None) for answer in (case.base, case.head))
    expected = f" Expected: {_quote(case.expected)}." if case.expected is not None else ""
    outcome = "right before, wrong after" if is_broken(case) else describe_outcome(case, prompt)
    text = f"{prompt.name}, case {case.id}: {outcome}.{expected} Before: {before}. After: {after}."
    result = _result("broken-case", level, text, (prompt.path, "broken-case", case.id))
    return {**result, "locations": [_location(prompt)]}


def _quote(text: str | None) -> str:
    return "(none)" if text is None else f"“{clip(text, 200)}”"


def _result(rule: str, level: str, text: str, identity: tuple[str, ...]) -> dict[str, Any]:
    """Return a result; its fingerprint is of the finding, not of its numbers, so that it stays the same."""
    fingerprint = hashlib.sha256("\0".join(identity).encode(errors="backslashreplace")).hexdigest()
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": _plain(clip(visible(text), MAX_MESSAGE_CHARS))},
        "partialFingerprints": {"promptci/v1": fingerprint},
    }


def _plain(text: str) -> str:
    """Escape what SARIF reads as a link or a placeholder."""
    return _PLACEHOLDER.sub(r"{{\1}}", text.replace("[", "\\["))


def _location(prompt: PromptView) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(visible(prompt.path)), "uriBaseId": ROOT_ID},
            "region": {"startLine": first_changed_line(prompt)},
        }
    }


def first_changed_line(prompt: PromptView) -> int:
    """Return head's line of the first difference, from the diff; 1 if there is none."""
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
