"""A shop whose life is in the audit log: changes, a block, an override, releases, a canary that was rolled back."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fakes.repo import RepoBuilder
from support.released import PROMPT, prompt, run

from promptci.audit import log
from promptci.audit.entry import Actor
from promptci.git.data_branch import DataBranch
from promptci.registry.release import parse_moment

GOLDENS = "goldens/order.jsonl"
CONFIG = "promptci.yml"
CASES = ("plain", "late-parcel", "two-numbers", "no-number")
LATER = "2026-01-20T09:00:00Z"


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditedShop:
    """The repository, and the folder with the reports of its checks."""

    builder: RepoBuilder
    evidence: Path
    base: str
    head: str


def report_of(prompts: list[dict[str, Any]], **options: Any) -> dict[str, Any]:
    """A report.json, with what the audit log and the binder read of one."""
    verdict = prompts[0]["verdict"] if prompts else "no-change"
    return {
        "schema": "promptci/report/v1",
        "promptci_version": "1.0.0",
        "verdict": verdict,
        "exit_code": int(verdict == "fail"),
        "headline": "1 prompt checked",
        "pull_request": 247,
        "actor": "bob",
        "run_url": "https://github.com/example/shop/actions/runs/7",
        "generated_at": "2026-01-02T03:30:00Z",
        "provider": "api.example.com",
        "gate": {"mode": "block", "max_drop": 0.05, "min_quality": None, "source": "promptci.yml at base"},
        "prompts": prompts,
        **options,
    }


def checked_prompt(fingerprints: tuple[str, str], verdict: str = "pass", **options: Any) -> dict[str, Any]:
    """One prompt of a report: of its four cases one broke, and one was wrong before too."""
    answers = dict(zip(CASES, (True, verdict == "pass", False, True), strict=True))
    cases = [
        {
            "id": case,
            "outcome": "same" if passed or case == "two-numbers" else "broken",
            "critical": case == "plain",
            "head": {"passed": passed},
        }
        for case, passed in answers.items()
    ]
    return {
        "name": "order",
        "path": PROMPT,
        "status": "changed",
        "verdict": verdict,
        "sentence": "Not worse by 5 points on these cases." if verdict == "pass" else "25 points worse on these cases.",
        "base_fingerprint": fingerprints[0],
        "head_fingerprint": fingerprints[1],
        "goldens": "9a" * 32,
        "cases": 4,
        "errors": 0,
        "pairs": 4,
        "quality": {
            "base": 0.75,
            "head": 0.75 if verdict == "pass" else 0.5,
            "delta": 0.0 if verdict == "pass" else -0.25,
            "interval": [-0.019, 0.011],
            "confidence": 0.9,
            "p": 0.4,
            "method": "exact permutation",
        },
        "comparability": {"parts": {"goldens": "9a" * 32, "judge": f"gpt-4o, rubric {'71' * 32}"}},
        "head": {
            "model_requested": "gpt-4o-mini",
            "models": ["gpt-4o-mini-2024-07-18"],
            "evaluated": 4,
            "quality": 0.75 if verdict == "pass" else 0.5,
            "quality_interval": None,
        },
        "regressions": [] if verdict == "pass" else ["late-parcel"],
        "findings": [] if verdict == "pass" else [{"rule": "quality", "verdict": "fail", "text": "worse"}],
        "new_cases": ["no-number"],
        "case_details": cases,
        **options,
    }


def write_report(path: Path, value: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def note(builder: RepoBuilder, *entries: Mapping[str, Any], at: str = LATER) -> None:
    """Add entries as the commands of drift and alerts do."""
    by = Actor(kind="workflow", actor="ann", actor_id=98712, event="schedule")
    log.append_entries(DataBranch(root=builder.path), lambda _: entries, now=parse_moment(at), by=by)


def _fingerprint(builder: RepoBuilder) -> str:
    planned = run(builder, "release", "order", "--dry-run", "--because", "x", "--json").value
    return str(planned["prompts"][0]["fingerprint"])


def copy(shop: AuditedShop, path: Path) -> AuditedShop:
    """Return a copy of a shop that a test may change."""
    shutil.copytree(shop.evidence.parent, path, dirs_exist_ok=True)
    return replace(shop, builder=RepoBuilder(path / "shop"), evidence=path / "evidence")


def shop(path: Path) -> AuditedShop:
    """Live the life: four commits, two releases, a canary that is promoted and then rolled back."""
    files = {PROMPT: prompt(), GOLDENS: '{"input": "1", "expected": "1"}\n', CONFIG: "version: 1\n"}
    builder = RepoBuilder(path / "shop").write({**files, ".gitignore": "evidence/\n"})
    base = builder.commit("Begin")
    evidence = path / "evidence"
    first = _fingerprint(builder)
    assert run(builder, "release", "order", "--because", "the first").code == 0
    assert run(builder, "deploy", "order@v1.0.0", "--env", "production", "--because", "go live").code == 0
    builder.write({GOLDENS: '{"input": "2", "expected": "2"}\n'}).commit("Correct a case (#240)")
    builder.write({CONFIG: "version: 1\ngate: {max_drop: 0.04}\n"}).commit("Ask for more (#241)")

    builder.write({PROMPT: prompt("Copy any number.")})
    head = builder.commit("Copy any number")
    ends = {"base": {"rev": "main", "sha": base}, "head": {"rev": "x", "sha": head}}
    override = {"by": "dora", "id": 5, "permission": "maintain", "reason": "known outage", "head": head}
    override |= {"at": "2026-01-02T03:31:00Z", "verdict": "fail", "rules": ["quality"]}
    worse = checked_prompt((first, _fingerprint(builder)), "fail")
    write_report(evidence / "blocked.json", report_of([worse], **ends, override=override, exit_code=0))

    builder.write({PROMPT: prompt("Copy only the number.")})
    head = builder.commit("Copy only the number (#247)")
    ends["head"] = {"rev": "y", "sha": head}
    people = [{"by": "ann", "id": 98712, "at": "2026-01-02T03:20:00Z"}]
    approvals = [{"role": "medical-review", "prompts": ["order"], "state": "approved", "approvers": people}]
    better = checked_prompt((first, _fingerprint(builder)))
    passed = write_report(evidence / "passed.json", report_of([better], **ends, approvals=approvals))
    words = [
        "--pull-request",
        "247",
        "--proposed-by",
        "bob",
        "--approved-by",
        "ann (id 98712)",
        "--report",
        str(passed),
    ]
    assert run(builder, "release", "order", *words).code == 0
    assert run(builder, "deploy", "order@v1.1.0", "--env", "production", "--canary").code == 0
    assert run(builder, "deploy", "order@v1.1.0", "--env", "production", "--because", "canary fine").code == 0
    assert run(builder, "rollback", "order", "--to", "v1.0.0", "--because", "complaints").code == 0
    recorded = run(builder, "audit", "record", *_reports(evidence))
    assert recorded.code == 0, recorded.text
    drift = {"prompt": "order", "to": {"version": "v1.1.0", "share": 100}, "why": "12 points worse than its reference"}
    note(builder, {"what": "drift-opened", **drift}, {"what": "alert-opened", "prompt": "order", "why": "errors 9%"})
    return AuditedShop(builder=builder, evidence=evidence, base=base, head=head)


def _reports(evidence: Path) -> list[str]:
    return [word for path in sorted(evidence.glob("*.json")) for word in ("--report", str(path))]
