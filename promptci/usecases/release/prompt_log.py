"""List what happened to a prompt: releases and deployments with who, when, why, and on which evidence."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from promptci.documents.document import Document
from promptci.git.repo import SHALLOW_HINT, Repo
from promptci.lazy_dataclass import dataclass
from promptci.registry import tags
from promptci.registry.release import parse_moment
from promptci.registry.released_prompt import VersionReader
from promptci.registry.version_entry import VersionEntry, describe_release
from promptci.rollout.deployment import describe_deployed
from promptci.rollout.deployments import environment_file
from promptci.rollout.deployments.history import DeploymentChange, RollbackCommit, list_changes, list_rollbacks
from promptci.wording import short_sha


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptLogRequest:
    """Whose events are listed."""

    root: Path
    config_path: str
    name: str
    revision: str = "HEAD"


class PromptEvent(BaseModel):
    """One release, deployment, or rollback that changed only the prompt's file."""

    at: str
    what: Literal["released", "deployed", "rolled-back"]
    text: str
    by: str
    commit: str
    environment: str | None = None
    release: VersionEntry | None = None
    reason: str | None = None


class PromptLog(Document):
    """Everything that happened to a prompt, newest first."""

    schema_: Literal["promptci/prompt-log/v1"] = Field(default="promptci/prompt-log/v1", alias="schema")
    prompt: str
    events: list[PromptEvent]
    notes: list[str] = Field(default=[])

    @property
    def exit_code(self) -> int:
        """1 where a release is not what was released."""
        return int(any(event.release is not None and event.release.problem for event in self.events))


def list_events(request: PromptLogRequest) -> PromptLog:
    """Return what happened to a prompt.

    Raises
    ------
    UsageError
        Where nothing is known of it.
    """
    repo = Repo.discover(request.root)
    releases = tags.list_releases(repo.root)
    commit = repo.resolve(request.revision)
    reader = VersionReader(repo, releases, request.config_path, revision=commit)
    events = [
        _build_release_event(describe_release(release, reader.describe_problem(release)))
        for release in releases.get(request.name, ())
    ]
    with closing(repo.snapshot(commit)) as snapshot:
        environments = environment_file.list_environments(snapshot)
    every_change = (change for environment in environments for change in list_changes(repo, environment, commit))
    changes = [change for change in every_change if change.prompt == request.name]
    events += [_build_deployment_event(change) for change in changes]
    deployed = {change.commit for change in changes}
    rollbacks = list_rollbacks(repo, request.name, commit)
    events += [_build_rollback_event(rollback) for rollback in rollbacks if rollback.commit not in deployed]
    if not events:
        tags.require_releases(repo.root, releases, request.name)
    notes = [f"Earlier deployments are not known. {SHALLOW_HINT}"] if repo.is_shallow else []
    return PromptLog(
        prompt=request.name, events=sorted(events, key=lambda event: parse_moment(event.at), reverse=True), notes=notes
    )


def log_lines(log: PromptLog) -> Iterator[str]:
    """Yield what a person reads."""
    for event in log.events:
        yield f"{event.at[:16].replace('T', ' ') or 'no date         '}  {event.text}, by {event.by}"
        if event.release is not None:
            yield f"    {event.release.evidence}; commit {short_sha(event.commit)}"
            if event.release.problem:
                yield f"    problem: {event.release.problem}"
        elif event.reason:
            yield f"    because {event.reason}; commit {short_sha(event.commit)}"
        else:
            yield f"    commit {short_sha(event.commit)}"
    yield from (f"note: {note}" for note in log.notes)


def _build_release_event(entry: VersionEntry) -> PromptEvent:
    return PromptEvent(
        at=entry.at,
        what="released",
        text=f"released {entry.version}",
        by=entry.by or "unknown",
        commit=entry.commit,
        release=entry,
        reason=entry.reason,
    )


def _build_rollback_event(rollback: RollbackCommit) -> PromptEvent:
    return PromptEvent(
        at=rollback.at,
        what="rolled-back",
        text=f"file rolled back to {rollback.version}; no environment changed",
        by=rollback.by,
        commit=rollback.commit,
        reason=rollback.reason or None,
    )


def _build_deployment_event(change: DeploymentChange) -> PromptEvent:
    before, after = (
        describe_deployed(deployed) if deployed else "nothing" for deployed in (change.before, change.after)
    )
    return PromptEvent(
        at=change.at,
        what="deployed",
        text=f"{change.environment}: {before} → {after}",
        by=change.by,
        commit=change.commit,
        environment=change.environment,
        reason=change.reason or None,
    )
