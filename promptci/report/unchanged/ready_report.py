"""Fill in the ready report of a run without changes: its texts differ in names, times and the gate's limits only.

The renderers and the model of a report take longer to import than everything else that such a run does. Their texts are
kept in no_change.json, which `make docs` writes with them. What is not plain enough to be put in as it is, such as a
name that would have to be escaped, is left to the renderers.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from promptci import __version__
from promptci.config.policy import GateMode, GatePolicy
from promptci.git import snapshot
from promptci.lazy_dataclass import dataclass
from promptci.present import formatting
from promptci.present.content_policy import hash_asset
from promptci.redact import Redactor
from promptci.report.html.assets import SCRIPTS, STYLES, read_assets

TEXTS_FILE = Path(__file__).with_name("no_change.json")
COMMIT, WORK_TREE = "commit", "working tree"
"""Keys of the file: what head is."""
HEADLINE = "headline"
REPORT = "report.json"
PLACEHOLDER = re.compile(r"@\{(\w+)\}")
NO_LIMIT = "no limit"
_PLAIN = re.compile(r"[A-Za-z0-9./-]+(?: [A-Za-z0-9./-]+)*")
"""Names that look the same in Markdown, HTML, XML and JSON."""
MAX_NAME_CHARS = 80
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@dataclass(frozen=True, kw_only=True, slots=True)
class UnchangedRun:
    """What the report of a run without changes shows."""

    base_rev: str
    base_sha: str
    head_rev: str
    head_sha: str | None
    """None for the working tree."""
    started_at: str
    generated_at: str
    policy: GatePolicy
    source: str
    """Where the policy was read."""


def fill_report(run: UnchangedRun, redactor: Redactor) -> dict[str, str] | None:
    """Return the text of each output by its name, and of the headline; None where the renderers are needed."""
    if run.head_sha is None and run.head_rev != snapshot.WORK_TREE:
        return None
    names = (run.base_rev, run.head_rev, run.source)
    is_plain = all(_PLAIN.fullmatch(name) and len(name) <= MAX_NAME_CHARS for name in names)
    has_times = _TIME.fullmatch(run.started_at) and _TIME.fullmatch(run.generated_at)
    gate = _gate_values(run.policy)
    # Exponents are written in more than one way.
    has_exponent = any("e" in text for name, text in gate.items() if name.endswith("_json"))
    if not is_plain or not has_times or has_exponent or run.policy.mode is not GateMode.BLOCK:
        return None
    templates = json.loads(TEXTS_FILE.read_text(encoding="utf-8"))[WORK_TREE if run.head_sha is None else COMMIT]
    values = {**_run_values(run), **gate}
    report = _fill(templates.pop(REPORT), values)
    if not redactor.is_clean(report):
        return None
    values["digest"] = hashlib.sha256(report.encode()).hexdigest()
    values |= _asset_values()
    return {**{name: _fill(text, values) for name, text in templates.items()}, REPORT: report}


def _fill(template: str, values: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda match: values[match[1]], template)


def _run_values(run: UnchangedRun) -> dict[str, str]:
    shas = {"base": run.base_sha, "head": run.head_sha or ""}
    times = {"started": run.started_at, "generated": run.generated_at}
    return {
        "version": __version__,
        "base_rev": run.base_rev,
        "head_rev": run.head_rev,
        **{f"{side}_sha": sha for side, sha in shas.items()},
        **{f"{side}_short": formatting.short_sha(sha) for side, sha in shas.items()},
        **{f"{name}_at": time for name, time in times.items()},
        **{f"{name}_moment": f"{time[:10]} {time[11:16]} UTC" for name, time in times.items()},
        "source": run.source,
    }


def _gate_values(policy: GatePolicy) -> dict[str, str]:
    """Return the limits as report.json (`_json`) and the page (`_text`) write them."""
    limits = {name: getattr(policy, name) for name in ("min_quality", "max_cost_increase", "max_p95_increase")}
    numbers = {"max_drop": policy.max_drop, "alpha": policy.alpha, "max_error_rate": policy.max_error_rate, **limits}
    return {
        "on_inconclusive": policy.on_inconclusive.value,
        **{f"{name}_json": json.dumps(number) for name, number in numbers.items()},
        **{f"{name}_text": describe_limit(limit) for name, limit in limits.items()},
        "max_drop_text": formatting.points(policy.max_drop),
        "alpha_text": f"{policy.alpha:g}",
        "max_error_rate_text": formatting.percent(policy.max_error_rate),
    }


def describe_limit(share: float | None) -> str:
    """Return a limit of the gate in words."""
    return NO_LIMIT if share is None else formatting.percent(share)


def _asset_values() -> dict[str, str]:
    texts = {"style": read_assets(*STYLES), "script": read_assets(*SCRIPTS)}
    return {**texts, **{f"{name}_hash": hash_asset(text) for name, text in texts.items()}}
