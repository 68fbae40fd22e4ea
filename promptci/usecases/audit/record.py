"""Record in the audit log what it does not have yet: what git knows, and what runs left in their files."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci import wording
from promptci.app.audit_actor import find_actor
from promptci.audit import anchors, log
from promptci.audit.chain import LogHead, verify_chain
from promptci.audit.log import NewEntry
from promptci.documents.document import Document
from promptci.errors import GitError
from promptci.evaluation.auditing import decisions, file_changes, git_decisions, reported
from promptci.evaluation.auditing.decisions import FoundDecision
from promptci.git.data_branch import BranchFiles, find_branch
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass
from promptci.registry import tags
from promptci.registry.tag_message import one_line


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRecordRequest:
    """What is recorded, and by whom."""

    root: Path
    environ: Mapping[str, str]
    now: datetime
    config_path: str = "promptci.yml"
    revision: str | None = None
    """Whose deployments and files are recorded; None: the default branch."""
    reports: tuple[Path, ...] = ()
    """report.json of runs."""
    canaries: tuple[Path, ...] = ()
    """canary.json of looks."""
    mended: str = ""
    """How a log that somebody had tampered with was restored."""
    remote: str = "origin"
    dry_run: bool = False


class AuditRecordSummary(Document):
    """What was added to the log."""

    schema_: Literal["promptci/audit-record/v1"] = Field(default="promptci/audit-record/v1", alias="schema")
    added: list[str] = Field(description="The new entries, in words.")
    head: str | None = Field(description="Number and digest of the last entry; null for a dry run of a new log.")
    dry_run: bool


def record(request: AuditRecordRequest) -> AuditRecordSummary:
    """Add every decision that the log does not have; begin the log where there is none.

    Raises
    ------
    GitError
        If the branch cannot be read or pushed.
    InputError
        If the log is damaged, or a file is not what it should be: nothing is added.
    """
    repo = Repo.discover(request.root)
    branch = find_branch(repo.root, request.remote)
    known = _list_decisions(repo, request)
    added: list[str] = []

    def find_new(files: BranchFiles) -> Sequence[NewEntry]:
        if request.mended:
            _require_whole(repo, files, request.revision or repo.default_branch())
        missing = decisions.find_missing(files, known)
        added[:] = [decision.description for decision in missing]
        return [decision.entry for decision in missing]

    if request.dry_run:
        files = branch.files()
        find_new(files)
        head: LogHead | None = log.read_head(files)
    else:
        head = log.append_entries(branch, find_new, now=request.now, by=find_actor(repo.root, request.environ))
    return AuditRecordSummary(added=added, head=str(head) if head else None, dry_run=request.dry_run)


def _list_decisions(repo: Repo, request: AuditRecordRequest) -> list[FoundDecision]:
    """Return every decision that is known, the oldest first."""
    releases = tags.list_releases(repo.root)
    commit = repo.resolve(request.revision or repo.default_branch())
    deployments = list(git_decisions.list_deployments(repo, commit, releases))
    known = [
        *git_decisions.list_releases(releases),
        *deployments,
        *file_changes.list_file_changes(repo, commit, request.config_path, deployments),
    ]
    for path in request.reports:
        known += reported.list_report_decisions(repo, path, request.config_path)
    for path in request.canaries:
        known += reported.list_canary_decisions(path)
    if request.mended:
        known.append(_describe_mending(one_line(request.mended), request.now))
    return sorted(known, key=lambda decision: decision.moment)


def _require_whole(repo: Repo, files: BranchFiles, revision: str) -> None:
    """Raise GitError where the log is still damaged."""
    fault = verify_chain(log.read_lines(files), anchors.list_anchors(repo.root, revision)).fault
    if fault is not None:
        hint = "Push the branch again from a clone that has the log as it was; then record that it was mended."
        raise GitError(f"The audit log is not whole: entry {fault.n} was {fault.kind} ({fault.message})", hint)


def _describe_mending(reason: str, now: datetime) -> FoundDecision:
    return FoundDecision(
        key=decisions.decision_key("log-mended", evidence=reason),
        moment=now,
        description=f"log-mended: {reason}",
        entry={"what": "log-mended", "why": reason},
    )


def record_lines(summary: AuditRecordSummary) -> Iterator[str]:
    """Yield what a person reads."""
    verb = "would be added" if summary.dry_run else "added"
    yield from (f"{verb}: {text}" for text in summary.added)
    entries = wording.count(len(summary.added), "entry", "entries")
    yield f"{entries} {verb} to the audit log" + (f"; its head is {summary.head}" if summary.head else "")
