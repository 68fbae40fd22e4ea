"""Deploy a released version to an environment: one commit that changes its deployment file."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci.documents.document import Document
from promptci.errors import UsageError
from promptci.git import user_git
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.registry.release import Release
from promptci.registry.released_prompt import VersionReader
from promptci.registry.tag_message import format_message
from promptci.registry.tags import find_release, list_releases, split_name
from promptci.rollout import deployment
from promptci.rollout.deployment import Deployed, describe_deployed, shorten_version
from promptci.rollout.deployments import edit
from promptci.rollout.deployments.environment_file import deployment_path

FIRST_STEP = 5.0
"""Share of a canary in a new file; else the file's own first step."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DeployRequest:
    """What is to run where."""

    root: Path
    config_path: str
    name: str
    """NAME@VERSION."""
    environment: str
    canary: bool = False
    drop_canary: bool = False
    """End another version's canary."""
    because: str = ""
    dry_run: bool = False


class DeploySummary(Document):
    """What was deployed."""

    schema_: Literal["promptci/deployment/v1"] = Field(default="promptci/deployment/v1", alias="schema")
    environment: str
    path: str
    prompt: str
    before: str | None = Field(description="What ran before, in words; null: nothing.")
    after: str
    changed: bool
    commit: str | None = Field(description="null where nothing changed, and after a dry run.")


def deploy(request: DeployRequest) -> DeploySummary:
    """Change the deployment file and commit it, and nothing else.

    Raises
    ------
    UsageError
        For a version that was not released, or a canary that would be cut off.
    GitError
        For a release that is not what was released, or a file with changes that are not committed.
    """
    repo = Repo.discover(request.root)
    path = deployment_path(request.environment)
    prompt, version = split_name(request.name)
    releases = list_releases(repo.root)
    release = find_release(repo.root, releases, prompt, version)
    # Refuses a release that is not what was released.
    VersionReader(repo, releases, request.config_path).find(prompt, str(release.number))
    data = repo.snapshot(WORK_TREE).read(path)
    file = None if data is None else deployment.load(data, path)
    before = next((deployed for deployed in file.prompts if deployed.prompt == prompt), None) if file else None
    after = _plan_deployed(request, release, before, file.policy.steps[0] if file else FIRST_STEP)
    commit = None
    if after != before:
        new = edit.with_deployed(data, path, after)
        if not request.dry_run:
            commit = user_git.commit_files(repo.root, {path: new}, _message(request, release, before, after))
    return DeploySummary(
        environment=request.environment,
        path=path,
        prompt=prompt,
        before=None if before is None else describe_deployed(before),
        after=describe_deployed(after),
        changed=after != before,
        commit=commit,
    )


def summary_lines(summary: DeploySummary) -> Iterator[str]:
    """Yield what a person reads."""
    if not summary.changed:
        yield f"{summary.prompt} in {summary.environment}: already {summary.after}; nothing changed"
        return
    yield f"{summary.prompt} in {summary.environment}: {summary.before or 'nothing'} → {summary.after}"
    if summary.commit is None:
        yield f"  {summary.path} would be changed by one commit"
    else:
        yield f"  commit {summary.commit[:10]} changes {summary.path}. Push it, or open a pull request with it"


def _plan_deployed(request: DeployRequest, release: Release, before: Deployed | None, first_step: float) -> Deployed:
    tag = release.tag
    number = str(release.number)
    tried = shorten_version(release.prompt, before.canary) if before and before.canary is not None else None
    runs = None if before is None else shorten_version(release.prompt, before.stable)
    if request.canary:
        if before is None:
            hint = f"Deploy a stable version first: `promptci deploy {request.name} --env {request.environment}`."
            raise UsageError(f"Nothing of `{release.prompt}` runs in {request.environment} to compare with", hint)
        if runs == number:
            raise UsageError(f"{release.name} is the stable version there", "Deploy another version as the canary.")
        if tried == number:
            return before
    if tried not in {None, number} and not request.drop_canary:
        hint = "Decide about it first, or pass --drop-canary to end it."
        raise UsageError(f"The canary {tried} is being tried there", hint)
    if request.canary and before is not None:
        return Deployed(prompt=release.prompt, stable=before.stable, canary=tag, share=first_step)
    stable = before.stable if before is not None and runs == number else tag
    return Deployed(prompt=release.prompt, stable=stable)


def _message(request: DeployRequest, release: Release, before: Deployed | None, after: Deployed) -> str:
    suffix = " as canary" if request.canary else ""
    trailers = {
        "Deployed": release.name,
        "Fingerprint": release.fingerprint,
        "Environment": request.environment,
        "Before": "" if before is None else describe_deployed(before),
        "After": describe_deployed(after),
        "Reason": request.because,
    }
    return format_message(f"Deploy {release.name}{suffix} to {request.environment}", trailers.items())
