"""Show what runs in each environment: since when, by whom, on which evidence, and what it replaced."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field

from promptci.documents.document import Document
from promptci.errors import PromptciError, UsageError
from promptci.git.repo import SHALLOW_HINT, Repo
from promptci.git.snapshot import Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.registry import tags
from promptci.registry.released_prompt import VersionReader
from promptci.registry.version_entry import VersionEntry, describe_release
from promptci.rollout import state
from promptci.rollout.deployment import Deployed, shorten_version
from promptci.rollout.deployments import environment_file
from promptci.rollout.deployments.environment_file import EnvironmentFile
from promptci.rollout.deployments.history import DeploymentChange, list_changes
from promptci.wording import short_sha


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusRequest:
    """Which environments are meant."""

    root: Path
    config_path: str
    environment: str | None = None
    revision: str = "HEAD"


class RunningVersion(BaseModel):
    """A version that runs."""

    version: str
    since: str | None = Field(description="Time of the commit that deployed it; null: unknown.")
    by: str | None
    commit: str | None
    reason: str | None
    replaced: str | None = Field(description="What ran before it; null: nothing.")
    release: VersionEntry | None = Field(description="null: it was not released.")
    problem: str | None = None


class RunningPrompt(BaseModel):
    """What runs of one prompt."""

    prompt: str
    stable: RunningVersion
    canary: RunningVersion | None
    share: float = Field(description="Of the canary, in percent.")
    rolled_back: str | None = Field(default=None, description="When and why the canary was rolled back.")


class StatusDocument(Document):
    """What runs where, as the deployment files of a commit say."""

    schema_: Literal["promptci/status/v1"] = Field(default="promptci/status/v1", alias="schema")
    commit: str
    environments: dict[str, list[RunningPrompt]]
    problems: list[str]
    notes: list[str] = Field(default=[])

    @property
    def exit_code(self) -> int:
        """1 where something that runs is not there or not what was released."""
        return int(bool(self.problems))


def find_status(request: StatusRequest) -> StatusDocument:
    """Return what runs.

    Raises
    ------
    UsageError
        Where there is no deployment file.
    ConfigError
        For a file with mistakes.
    """
    repo = Repo.discover(request.root)
    commit = repo.resolve(request.revision)
    with closing(repo.snapshot(commit)) as snapshot:
        names = [request.environment] if request.environment else environment_file.list_environments(snapshot)
        if not names:
            hint = "Deploy a release with `promptci deploy NAME@VERSION --env production`."
            raise UsageError(f"There is no deployments/*.yml in {snapshot.label}", hint)
        files = [environment_file.load_environment(snapshot, name) for name in names]
        rollbacks = {name: _find_rollbacks(snapshot, name) for name in names}
    reader = VersionReader(repo, tags.list_releases(repo.root), request.config_path, revision=commit)
    finder = _Finder(repo, reader, commit)
    environments = {file.environment: finder.prompts(file, rollbacks[file.environment]) for file in files}
    running = [
        (environment, prompt.prompt, version)
        for environment, prompts in environments.items()
        for prompt in prompts
        for version in (prompt.stable, prompt.canary)
        if version is not None
    ]
    problems = [f"{where}: {prompt}: {version.problem}" for where, prompt, version in running if version.problem]
    is_cut = any(version.since is None for _, _, version in running) and repo.is_shallow
    notes = [f"Since when and by whom is not known for all. {SHALLOW_HINT}"] if is_cut else []
    return StatusDocument(commit=commit, environments=environments, problems=problems, notes=notes)


def status_lines(document: StatusDocument) -> Iterator[str]:
    """Yield what a person reads."""
    for environment, prompts in document.environments.items():
        yield f"{environment} (commit {short_sha(document.commit)})"
        if not prompts:
            yield "  nothing is deployed"
        for prompt in prompts:
            yield f"  {prompt.prompt}: {_describe_running(prompt.stable)}"
            if prompt.canary is not None:
                state = prompt.rolled_back or f"for {prompt.share:g}%"
                yield f"    canary {state}: {_describe_running(prompt.canary)}"
    yield from (f"problem: {problem}" for problem in document.problems)
    yield from (f"note: {note}" for note in document.notes)


def _describe_running(running: RunningVersion) -> str:
    author = (running.by or "").partition(" <")[0]
    since = f"since {running.since[:10]}, by {author}" if running.since else "since an unknown time"
    replaced = f"; replaced {running.replaced or 'nothing'}" if running.since else ""
    evidence = running.release.evidence if running.release else "not released"
    reason = f", because {running.reason}" if running.reason else ""
    return f"{running.version} {since}{reason}; {evidence}{replaced}"


def _find_rollbacks(snapshot: Snapshot, environment: str) -> dict[tuple[str, str, str], str]:
    """Return when and why canaries were rolled back, by prompt, stable version and canary."""
    path = environment_file.progress_path(environment)
    return {
        (prompt, progress.stable, progress.canary): f"rolled back {progress.rolled_back:%Y-%m-%d}"
        + (f" ({progress.rollback_reason})" if progress.rollback_reason else "")
        for prompt, progress in state.load_progress(snapshot.read(path), path).items()
        if progress.rolled_back is not None
    }


class _Finder:
    """Finds what is known of versions that run."""

    def __init__(self, repo: Repo, reader: VersionReader, commit: str) -> None:
        self._repo, self._reader, self._commit = repo, reader, commit

    def prompts(self, file: EnvironmentFile, rollbacks: Mapping[tuple[str, str, str], str]) -> list[RunningPrompt]:
        """Return what runs in an environment."""
        changes = list_changes(self._repo, file.environment, self._commit)
        return [
            RunningPrompt(
                prompt=entry.prompt,
                stable=self._running(entry.prompt, entry.stable, changes, lambda deployed: deployed.stable),
                canary=None
                if entry.canary is None
                else self._running(entry.prompt, entry.canary, changes, lambda deployed: deployed.canary),
                share=entry.share,
                rolled_back=rollbacks.get((entry.prompt, entry.stable, entry.canary or "")),
            )
            for entry in file.deployment.prompts
        ]

    def _running(
        self, prompt: str, version: str, changes: Sequence[DeploymentChange], arm: Callable[[Deployed], str | None]
    ) -> RunningVersion:
        begun = next(
            (
                change
                for change in changes
                if change.prompt == prompt
                and change.after is not None
                and arm(change.after) == version
                and (change.before is None or arm(change.before) != version)
            ),
            None,
        )
        before = arm(begun.before) if begun and begun.before else None
        release = self._reader.find_release(prompt, version)
        return RunningVersion(
            version=shorten_version(prompt, version),
            since=begun.at if begun else None,
            by=begun.by if begun else None,
            commit=begun.commit if begun else None,
            reason=begun.reason or None if begun else None,
            replaced=None if before is None else shorten_version(prompt, before),
            release=None if release is None else describe_release(release),
            problem=self._find_problem(prompt, version),
        )

    def _find_problem(self, prompt: str, version: str) -> str | None:
        try:
            named_version = self._reader.find(prompt, version)
        except PromptciError as error:
            return " ".join(str(error).split())
        return self._reader.describe_moved(named_version.release) if named_version.release else None
