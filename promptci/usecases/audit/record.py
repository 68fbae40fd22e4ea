"""Record in the audit log what git knows: releases and deployments that the log does not have yet."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci import wording
from promptci.app.audit_actor import find_actor
from promptci.audit import log
from promptci.audit.chain import LogHead
from promptci.audit.entry import Approval, AuditedChange, AuditEntry, DeployedShare, EvidenceFile
from promptci.audit.log import NewEntry
from promptci.documents.document import Document
from promptci.git.data_branch import BranchFiles, find_branch
from promptci.git.repo import Repo
from promptci.registry import tags
from promptci.registry.number import ReleaseNumber
from promptci.registry.release import Release, parse_moment
from promptci.registry.tag_message import one_line
from promptci.registry.tags import Releases
from promptci.rollout.deployment import Deployed, shorten_version
from promptci.rollout.deployments import environment_file
from promptci.rollout.deployments.history import DeploymentChange, list_changes


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRecordRequest:
    """What is recorded, and by whom."""

    root: Path
    environ: Mapping[str, str]
    now: datetime
    revision: str | None = None
    """Whose deployments are recorded; None: the default branch."""
    remote: str = "origin"
    dry_run: bool = False


class AuditRecordSummary(Document):
    """What was added to the log."""

    schema_: Literal["promptci/audit-record/v1"] = Field(default="promptci/audit-record/v1", alias="schema")
    added: list[str] = Field(description="The new entries, in words.")
    head: str | None = Field(description="Number and digest of the last entry; null for a dry run of a new log.")
    dry_run: bool


def record(request: AuditRecordRequest) -> AuditRecordSummary:
    """Add every release and deployment that the log does not have; begin the log where there is none.

    Raises
    ------
    GitError
        If the branch cannot be read or pushed.
    InputError
        If the log is damaged: nothing is added to it.
    """
    repo = Repo.discover(request.root)
    branch = find_branch(repo.root, request.remote)
    releases = tags.list_releases(repo.root)
    decisions = [*_list_releases(releases), *_list_deployments(repo, request, releases)]
    decisions.sort(key=lambda decision: decision.moment)
    added: list[str] = []

    def find_missing(files: BranchFiles) -> Sequence[NewEntry]:
        known = _list_known(files)
        missing = [decision for decision in decisions if decision.key not in known]
        added[:] = [decision.description for decision in missing]
        return [decision.entry for decision in missing]

    if request.dry_run:
        files = branch.files()
        find_missing(files)
        head: LogHead | None = log.read_head(files)
    else:
        head = log.append_entries(branch, find_missing, now=request.now, by=find_actor(repo.root, request.environ))
    return AuditRecordSummary(added=added, head=str(head) if head else None, dry_run=request.dry_run)


def record_lines(summary: AuditRecordSummary) -> Iterator[str]:
    """Yield what a person reads."""
    verb = "would be added" if summary.dry_run else "added"
    yield from (f"{verb}: {text}" for text in summary.added)
    entries = wording.count(len(summary.added), "entry", "entries")
    yield f"{entries} {verb} to the audit log" + (f"; its head is {summary.head}" if summary.head else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Decision:
    """A release or deployment as git knows it."""

    key: tuple[str, ...]
    """The same in every clone and at every time."""
    moment: datetime
    description: str
    entry: NewEntry


def _list_known(files: BranchFiles) -> set[tuple[str, ...]]:
    """Return the keys of the decisions that the log has; raises InputError for a line that is no entry."""
    known: set[tuple[str, ...]] = set()
    for line in log.read_lines(files):
        entry = AuditEntry.parse(line.content, line.place)
        commit = entry.change.commit if entry.change and entry.change.commit else ""
        known.add(_key(entry.prompt or "", entry.environment or "", entry.to.version if entry.to else "", commit))
    return known


def _key(prompt: str, environment: str, version: str, commit: str) -> tuple[str, ...]:
    return prompt, environment, version, commit


def _list_releases(releases: Releases) -> Iterator[_Decision]:
    for prompt, prompt_releases in releases.items():
        for release in prompt_releases:
            if release.fingerprint:
                yield _describe_release(prompt, release)


def _describe_release(prompt: str, release: Release) -> _Decision:
    trailers = release.trailers
    version = str(release.number)
    report = trailers.get("Report", "").removeprefix("sha256:")
    pull_request = trailers.get("Pull-request", "")
    replaced = release.replaces
    entry: NewEntry = {
        "what": "released",
        "prompt": prompt,
        "from": DeployedShare(version=str(replaced[0]), fingerprint=replaced[1] or None, share=0) if replaced else None,
        "to": DeployedShare(version=version, fingerprint=release.fingerprint, share=0),
        "why": one_line(trailers.get("Reason") or trailers.get("Bump") or ""),
        "verdict": one_line(trailers.get("Verdict", "")) or None,
        "approved": tuple(Approval(login=login) for login in _split_names(trailers.get("Approved-by", ""))),
        "change": AuditedChange(
            commit=release.commit,
            pull_request=int(pull_request) if pull_request.isdecimal() and len(pull_request) < 10 else None,
            proposed_by=trailers.get("Proposed-by") or None,
            author=one_line(release.tagged_by) or None,
            at=_to_utc(release.at),
        ),
        "evidence": (EvidenceFile(name="report.json", sha256=report),) if _is_digest(report) else (),
        "policy": trailers.get("Policy"),
    }
    return _Decision(
        key=_key(prompt, "", version, release.commit),
        moment=parse_moment(release.at),
        description=f"released {prompt} {version}",
        entry=entry,
    )


def _list_deployments(repo: Repo, request: AuditRecordRequest, releases: Releases) -> Iterator[_Decision]:
    commit = repo.resolve(request.revision or repo.default_branch())
    with closing(repo.snapshot(commit)) as snapshot:
        environments = environment_file.list_environments(snapshot)
    for environment in environments:
        for change in reversed(list_changes(repo, environment, commit)):  # of one second: in their order
            yield _describe_deployment(change, releases)


def _describe_deployment(change: DeploymentChange, releases: Releases) -> _Decision:
    before, after = (_share(deployed, releases) for deployed in (change.before, change.after))
    version = after.version if after else ""
    kind = _name_change(change.before, change.after)
    entry: NewEntry = {
        "what": kind,
        "prompt": change.prompt,
        "environment": change.environment,
        "from": before,
        "to": after,
        "why": one_line(change.reason or change.subject),
        "change": AuditedChange(commit=change.commit, author=one_line(change.by) or None, at=_to_utc(change.at)),
    }
    return _Decision(
        key=_key(change.prompt, change.environment, version, change.commit),
        moment=parse_moment(change.at),
        description=f"{kind} {change.prompt} {version} in {change.environment}".replace("  ", " "),
        entry=entry,
    )


def _share(deployed: Deployed | None, releases: Releases) -> DeployedShare | None:
    """Return the version that a deployment is about: the canary where there is one, else the stable one."""
    if deployed is None:
        return None
    written = deployed.canary if deployed.canary is not None else deployed.stable
    version = shorten_version(deployed.prompt, written)
    fingerprints = [r.fingerprint for r in releases.get(deployed.prompt, ()) if str(r.number) == version]
    share = deployed.share if deployed.canary is not None else 100.0
    return DeployedShare(version=one_line(version), fingerprint=next(iter(fingerprints), None) or None, share=share)


def _name_change(before: Deployed | None, after: Deployed | None) -> str:
    """Return the kind of decision that a changed deployment is."""
    if before is None or after is None:
        return "deployed"
    if before.canary is None:
        return "rolled-back" if after.canary is None and _goes_back(before, after) else "deployed"
    if after.canary is None:
        return "promoted" if after.stable == before.canary else "rolled-back"
    if after.canary != before.canary or after.share == before.share:
        return "deployed"
    if after.share > before.share:
        return "promoted"
    return "deployed" if after.share else "rolled-back"


def _goes_back(before: Deployed, after: Deployed) -> bool:
    """Return whether the stable version is an older release than before."""
    old, new = (ReleaseNumber.find(shorten_version(side.prompt, side.stable)) for side in (before, after))
    return old is not None and new is not None and new < old


def _split_names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _is_digest(text: str) -> bool:
    return len(text) == 64 and set(text) <= set("0123456789abcdef")


def _to_utc(written: str) -> str | None:
    moment = parse_moment(written)
    return None if moment.year < 1970 else f"{moment:%Y-%m-%dT%H:%M:%SZ}"
