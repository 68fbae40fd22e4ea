"""Decisions that a run left in its files: checked, blocked and overridden in report.json, held in canary.json."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from promptci.audit.entry import Actor, Approval, AuditedChange, AuditTools, DeployedShare, EvidenceFile
from promptci.audit.report_record import RecordedOverride, RecordedPrompt, RecordedReport
from promptci.config.find import find_config
from promptci.documents.document import read_bounded
from promptci.errors import PromptciError
from promptci.evaluation.auditing.decisions import FoundDecision, decision_key, is_digest, to_utc
from promptci.git.repo import Repo
from promptci.registry.release import parse_moment
from promptci.registry.tag_message import one_line
from promptci.report.canary_document import CanaryDocument, CanaryPromptRow
from promptci.wording import short_sha

MAX_RULES = 50
"""Rules that an entry names."""
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")


def list_report_decisions(repo: Repo, path: Path, config_path: str) -> Iterator[FoundDecision]:
    """Yield what a report.json decided about each of its prompts, and who overrode it.

    Raises
    ------
    InputError
        Where the file is no report.
    """
    report, digest = RecordedReport.read(path)
    common = _common_fields(repo, report, digest, config_path)
    blocked = [prompt for prompt in report.prompts if report.is_blocked and not prompt.is_green]
    for prompt in report.prompts:
        yield _describe_check(report, prompt, digest, common, is_blocked=prompt in blocked)
    if not report.prompts or (report.is_blocked and not blocked):
        yield _describe_check(report, None, digest, common, is_blocked=report.is_blocked)
    if report.override is not None:
        overridden: list[RecordedPrompt | None] = [*blocked] or [None]
        for subject in overridden:
            yield _describe_override(report, subject, digest, common, report.override)


def _common_fields(repo: Repo, report: RecordedReport, digest: str, config_path: str) -> dict[str, object]:
    return {
        "by": Actor(
            kind="workflow" if report.run_url else "person",
            actor=one_line(report.actor or "") or None,
            run=one_line(report.run_url or "") or None,
        ),
        "evidence": (EvidenceFile(name="report.json", sha256=digest),),
        "policy": find_policy(repo, report, config_path),
        "change": AuditedChange(
            pull_request=report.pull_request,
            commit=_commit(report.head.sha),
            at=to_utc(report.generated_at),
        ),
    }


def find_policy(repo: Repo, report: RecordedReport, config_path: str) -> str | None:
    """Return the digest of promptci.yml at base, which decided; None where this clone does not have that commit."""
    if report.base is None or not report.base.sha:
        return None
    try:
        with closing(repo.snapshot(report.base.sha)) as snapshot:
            config = find_config(snapshot, config_path)
            content = b"" if config is None else snapshot.read(config) or b""
    except PromptciError:
        return None
    return f"sha256:{sha256(content).hexdigest()}"


def _list_approvals(report: RecordedReport, prompt: RecordedPrompt | None) -> tuple[Approval, ...]:
    return tuple(
        Approval(
            login=one_line(approver.by),
            id=approver.id,
            role=one_line(approval.role) or None,
            at=to_utc(approver.at),
            commit=_commit(report.head.sha),
        )
        for approval in report.approvals
        for approver in approval.approvers
        if prompt is None or prompt.name in approval.prompts
    )


def _describe_check(
    report: RecordedReport, prompt: RecordedPrompt | None, digest: str, common: dict[str, object], *, is_blocked: bool
) -> FoundDecision:
    kind = "blocked" if is_blocked else "checked"
    verdict = prompt.verdict if prompt else report.verdict
    entry = {
        **common,
        **_versions(report, prompt),
        "what": kind,
        "approved": _list_approvals(report, prompt),
        "verdict": verdict,
        "why": one_line((prompt.sentence if prompt else "") or report.headline),
        "rules": _list_rules(prompt.blocking_rules) if prompt and is_blocked else (),
    }
    return _decision(report, prompt, digest, entry)


def _describe_override(
    report: RecordedReport,
    prompt: RecordedPrompt | None,
    digest: str,
    common: dict[str, object],
    override: RecordedOverride,
) -> FoundDecision:
    login = one_line(override.by)
    approval = Approval(
        login=login,
        id=override.id,
        role=one_line(override.permission) or None,
        at=to_utc(override.at),
        commit=_commit(override.head),
    )
    entry = {
        **common,
        **_versions(report, prompt),
        "what": "overridden",
        "by": Actor(kind="person", actor=login, actor_id=override.id),
        "approved": (approval,),
        "why": one_line(override.reason),
        "verdict": prompt.verdict if prompt else report.verdict,
        "rules": _list_rules(override.rules or (prompt.blocking_rules if prompt else [])),
    }
    return _decision(report, prompt, digest, entry)


def _list_rules(rules: Sequence[str]) -> tuple[str, ...]:
    return tuple(one_line(rule) for rule in rules[:MAX_RULES])


def _versions(report: RecordedReport, prompt: RecordedPrompt | None) -> dict[str, object]:
    if prompt is None:
        return {}
    sides = {
        "from": (report.base, prompt.base_fingerprint),
        "to": (report.head, prompt.head_fingerprint),
    }
    versions = {
        key: DeployedShare(version=short_sha(_commit(side.sha)), fingerprint=fingerprint, share=0)
        for key, (side, fingerprint) in sides.items()
        if side is not None and fingerprint is not None and is_digest(fingerprint)
    }
    goldens = prompt.goldens if prompt.goldens and is_digest(prompt.goldens) else None
    return {**versions, "prompt": one_line(prompt.name), "goldens": goldens, "tool": _tool(report)}


def _commit(written: str | None) -> str | None:
    return written if written and _COMMIT.fullmatch(written) else None


def _tool(report: RecordedReport) -> AuditTools:
    return AuditTools(promptci=one_line(report.promptci_version) or "unknown")


def _decision(
    report: RecordedReport, prompt: RecordedPrompt | None, digest: str, entry: dict[str, object]
) -> FoundDecision:
    kind, to = str(entry["what"]), entry.get("to")
    name = one_line(prompt.name) if prompt else ""
    return FoundDecision(
        key=decision_key(
            kind,
            prompt=name,
            version=to.version if isinstance(to, DeployedShare) else "",
            commit=_commit(report.head.sha) or "",
            evidence=digest,
        ),
        moment=parse_moment(report.generated_at or ""),
        description=f"{kind} {name or 'a run'} at {short_sha(report.head.sha)}: {entry['verdict']}",
        entry=entry,
    )


def list_canary_decisions(path: Path) -> Iterator[FoundDecision]:
    """Yield the canaries that canary.json holds back.

    Raises
    ------
    InputError
        Where the file is none.
    """
    data = read_bounded(path, str(path), max_bytes=CanaryDocument.MAX_BYTES, hint=CanaryDocument.HINT)
    document = CanaryDocument.parse(data, str(path))
    evidence = (EvidenceFile(name="canary.json", sha256=sha256(data).hexdigest()),)
    for row in document.prompts:
        if row.outcome == "hold" and row.canary is not None:
            yield _describe_hold(document, row, evidence)


def _describe_hold(document: CanaryDocument, row: CanaryPromptRow, evidence: tuple[EvidenceFile, ...]) -> FoundDecision:
    rules = _list_rules(sorted({finding.rule for finding in row.findings}))
    version = one_line(row.canary or "")
    entry: dict[str, object] = {
        "what": "held",
        "environment": one_line(document.environment),
        "prompt": one_line(row.prompt),
        "from": DeployedShare(version=one_line(row.stable), share=100 - row.share),
        "to": DeployedShare(version=version, share=row.share),
        "why": one_line("; ".join(finding.text for finding in row.findings)),
        "rules": rules,
        "evidence": evidence,
        "change": AuditedChange(at=to_utc(document.at)),
    }
    return FoundDecision(
        key=decision_key(
            "held", prompt=row.prompt, environment=document.environment, version=version, evidence=" ".join(rules)
        ),
        moment=parse_moment(document.at),
        description=f"held {row.prompt} {version} in {document.environment}",
        entry=entry,
    )
