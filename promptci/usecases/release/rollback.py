"""Roll a prompt back to a release: one commit restores its content and what environments run."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import field
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci.audit.anchors import TRAILER
from promptci.audit.head import AuditHead, find_audit_head
from promptci.documents.document import Document
from promptci.errors import GitError, UsageError
from promptci.git.overlay import OverlaySnapshot
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.registry import tags
from promptci.registry.release import Release
from promptci.registry.released_prompt import NamedVersion, VersionReader, load_prompts_by_name
from promptci.registry.tag_message import format_message
from promptci.rollout.deployment import Deployed, describe_deployed, shorten_version
from promptci.rollout.deployments import commit, edit, environment_file
from promptci.rollout.deployments.commit import CommitTarget, PlannedCommit


@dataclass(frozen=True, kw_only=True, slots=True)
class RollbackRequest:
    """What is to go back where."""

    root: Path
    config_path: str
    name: str
    version: str
    environments: tuple[str, ...] = ()
    """Empty: all in which the prompt is deployed."""
    keep_content: bool = False
    """Change what runs, and leave the prompt's file as it is."""
    because: str = ""
    target: CommitTarget = field(default_factory=CommitTarget)
    dry_run: bool = False


class RollbackSummary(Document):
    """What was rolled back."""

    schema_: Literal["promptci/rollback/v1"] = Field(default="promptci/rollback/v1", alias="schema")
    prompt: str
    version: str
    files: list[str] = Field(description="Files that the commit changes.")
    environments: dict[str, str] = Field(description="What ran, and what runs, in words.")
    commit: str | None = Field(description="null where nothing changed, and after a dry run.")
    pushed: str | None = Field(default=None, description="Branch of the remote that it was pushed to.")
    pulled: bool = Field(default=False, description="Whether the branch that is checked out has the pushed commit.")
    pull_command: str | None = Field(default=None, description="Brings the pushed commit here; null: it is here.")
    warnings: list[str] = Field(default=[])


@dataclass(frozen=True, kw_only=True)
class _RollbackPlan(PlannedCommit):
    """The commit, and what it changes."""

    environments: dict[str, str]
    """In words."""


def roll_back(request: RollbackRequest) -> RollbackSummary:
    """Make the commit. Memory is not rewritten: what is rolled back stays in it.

    Raises
    ------
    UsageError
        For a version that was not released, or an environment in which the prompt does not run.
    GitError
        Where the release is not what was released, or its content cannot be restored without changing other prompts.
    """
    repo = Repo.discover(request.root)
    target = request.target
    if target.push:
        tags.fetch_tags(repo.root, target.remote)
    releases = tags.list_releases(repo.root)
    release = tags.find_release(repo.root, releases, request.name, request.version)
    if target.push:
        tags.require_pushed(repo.root, target.remote, release)
    reader = VersionReader(repo, releases, request.config_path)
    named_version = reader.find(request.name, str(release.number))
    reader.require_unmoved(release)
    head = find_audit_head(repo.root, target.remote, fetch=target.push)
    with closing(repo.snapshot(release.commit)) as old:

        def make_plan(present: Snapshot) -> _RollbackPlan:
            files: dict[str, bytes | None] = {}
            if not request.keep_content:
                files = _find_restored_files(present, old, named_version, request)
            changes = _deployments(present, release, request)
            files |= {path: data for path, data, _ in changes.values()}
            words = {environment: text for environment, (_, _, text) in changes.items()}
            return _RollbackPlan(files=files, message=_message(request, release, words, head), environments=words)

        result = commit.commit_planned(repo, target, make_plan, dry_run=request.dry_run)
    return RollbackSummary(
        prompt=request.name,
        version=str(release.number),
        files=sorted(result.plan.files),
        environments=result.plan.environments,
        commit=result.commit,
        pushed=result.branch,
        pulled=result.pulled,
        pull_command=result.pull_command,
        warnings=[*([head.warning] if head.warning else []), *result.warnings],
    )


def summary_lines(summary: RollbackSummary) -> Iterator[str]:
    """Yield what a person reads."""
    if not summary.files:
        yield f"{summary.prompt} is at {summary.version} already; nothing changed"
        return
    yield f"{summary.prompt}: back to {summary.version}"
    yield from (f"  {environment}: {text}" for environment, text in summary.environments.items())
    if summary.commit is None:
        yield f"  would change {', '.join(summary.files)} by one commit"
    else:
        yield from commit.commit_lines(summary.commit, summary.files, summary.pushed, summary.pull_command)
        yield "  Applications follow when the bundle is made and published"
    yield from (f"warning: {text}" for text in summary.warnings)


def _find_restored_files(
    head: Snapshot, old: Snapshot, named_version: NamedVersion, request: RollbackRequest
) -> dict[str, bytes | None]:
    """Return the files that bring the prompt's content back and change no other prompt."""
    now, _ = load_prompts_by_name(head, request.config_path)
    current = now.get(request.name)
    if current is not None and current.fingerprint == named_version.prompt.fingerprint:
        return {}
    if named_version.prompt.selector:
        message = f"`{request.name}` is a part of {named_version.prompt.path}, the rest of which must stay"
        raise GitError(
            message, "Restore it by hand in a pull request, or pass --keep-content to change only what runs."
        )
    files: dict[str, bytes | None] = {
        path: old.read(path) for path in (named_version.prompt.path, *named_version.prompt.includes)
    }
    if current is not None and current.path != named_version.prompt.path:
        files[current.path] = None
    files = {path: data for path, data in files.items() if data != head.read(path)}
    then, _ = load_prompts_by_name(OverlaySnapshot(head, files), request.config_path)
    others = [
        name
        for name in sorted(now.keys() | then.keys())
        if name != request.name
        and (now[name].fingerprint if name in now else None) != (then[name].fingerprint if name in then else None)
    ]
    hint = "Restore it by hand in a pull request, or pass --keep-content to change only what runs."
    if others:
        raise GitError(f"Restoring {', '.join(files)} would change other prompts too: {', '.join(others)}", hint)
    if request.name not in then or then[request.name].fingerprint != named_version.prompt.fingerprint:
        message = "With the present configuration and includes, the old file would not be the same prompt"
        raise GitError(message, hint)
    return files


Changes = dict[str, tuple[str, bytes, str]]
"""By environment: path, new content, and the change in words."""


def _deployments(head: Snapshot, release: Release, request: RollbackRequest) -> Changes:
    changes: Changes = {}
    for environment in request.environments or environment_file.list_environments(head):
        file = environment_file.load_environment(head, environment)
        before = file.find(request.name)
        if before is None:
            if request.environments:
                raise UsageError(f"`{request.name}` does not run in {environment}", "Deploy it with `promptci deploy`.")
            continue
        same = shorten_version(request.name, before.stable) == str(release.number)
        after = Deployed(prompt=request.name, stable=before.stable if same else release.tag)
        if after != before:
            words = f"{describe_deployed(before)} → {describe_deployed(after)}"
            changes[environment] = file.path, edit.with_deployed(file.data, file.path, after), words
    return changes


def _message(request: RollbackRequest, release: Release, environments: dict[str, str], head: AuditHead) -> str:
    trailers = [
        ("Rolled-back-to", release.name),
        ("Fingerprint", release.fingerprint),
        *(("Environment", f"{environment}: {text}") for environment, text in environments.items()),
        ("Reason", request.because),
        (TRAILER, head.trailer),
    ]
    return format_message(f"Roll back {request.name} to {release.number}", trailers)
