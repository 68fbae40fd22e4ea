"""ReportView -> results.sarif: findings for tools that show them beside the code, GitLab's and Azure's among them."""

import hashlib
import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote

from promptci.present.escape import clip, visible
from promptci.report.export import locations
from promptci.report.model.report import CaseView, FindingView, PromptView, ReportView

VERSION = "2.1.0"
ROOT = "%SRCROOT%"
"""The repository's root, by the name that readers know."""
SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
HOME = "https://github.com/promptci/promptci"
LIMIT = 1000
"""Characters of a message."""
_PLACEHOLDER = re.compile(r"\{([0-9]+)\}")
MOST_CASES = 1000
"""Broken cases of a prompt; a viewer takes 5,000 results of a run."""

RULES = {
    "regression": "The prompt answers worse than before, by the margin or more.",
    "critical": "A critical case was right before and is wrong now.",
    "broken-case": "A case was right before and is wrong now.",
    "min-quality": "Quality is below the least that is allowed.",
    "cost": "An answer costs more than the limit allows.",
    "p95": "Answers take longer than the limit allows.",
    "cannot-tell": "The goldens cannot tell whether the prompt got worse.",
    "pooled": "The prompts got worse together, though none is shown to by itself.",
    "missing-goldens": "The prompt has no golden cases.",
    "error-rate": "Too many calls failed for a verdict.",
}
"""Rules with a description; others that a finding names are listed by their name."""


def render(view: ReportView) -> str:
    """Give the log: a result for each finding that blocks or warns, and one for each case that broke."""
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
        "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the repository."}}},
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
        if problem.verdict in locations.LEVELS:
            yield _result(problem.rule, locations.LEVELS[problem.verdict], problem.text, (problem.rule,))
    for prompt in view.prompts:
        weighty = [finding for finding in prompt.findings if finding.verdict in locations.LEVELS]
        yield from (_finding(prompt, finding) for finding in weighty)
        broken = (case for case in prompt.case_details if case.outcome == "broken" and case.aside is None)
        yield from (_broken(prompt, case) for case in islice(broken, MOST_CASES))


def _finding(prompt: PromptView, finding: FindingView) -> dict[str, Any]:
    level = locations.LEVELS[finding.verdict]
    result = _result(finding.rule, level, f"{prompt.name}: {finding.text}", (prompt.path, finding.rule))
    return {**result, "locations": [_location(prompt)]}


def _broken(prompt: PromptView, case: CaseView) -> dict[str, Any]:
    """Tell of one case: an error where the case is critical or the prompt failed, else a note."""
    level = "error" if case.critical else "warning" if prompt.verdict == "fail" else "note"
    before, now = (_said(answer.text if answer else None) for answer in (case.base, case.head))
    wanted = f" Expected: {_said(case.expected)}." if case.expected is not None else ""
    text = f"{prompt.name}, case {case.id}: right before, wrong now.{wanted} Before: {before}. Now: {now}."
    found = _result("broken-case", level, text, (prompt.path, "broken-case", case.id))
    return {**found, "locations": [_location(prompt)]}


def _said(text: str | None) -> str:
    return "(none)" if text is None else f"“{clip(text, 200)}”"


def _result(rule: str, level: str, text: str, identity: tuple[str, ...]) -> dict[str, Any]:
    """Give a result; its fingerprint names the finding, not its numbers, so that it is the same one tomorrow."""
    named = hashlib.sha256("\0".join(identity).encode(errors="backslashreplace")).hexdigest()
    return {
        "ruleId": rule,
        "level": level,
        "message": {"text": _plain(clip(visible(text), LIMIT))},
        "partialFingerprints": {"promptci/v1": named},
    }


def _plain(text: str) -> str:
    """Keep a message from holding a link or a placeholder; all other brackets and braces stand for themselves."""
    return _PLACEHOLDER.sub(r"{{\1}}", text.replace("[", "\\["))


def _location(prompt: PromptView) -> dict[str, Any]:
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(visible(prompt.path)), "uriBaseId": ROOT},
            "region": {"startLine": locations.first_changed_line(prompt)},
        }
    }
