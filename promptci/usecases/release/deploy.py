"""Deploy a released version to an environment: one commit that changes its deployment file."""

from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci.audit.anchors import TRAILER
from promptci.audit.head import AuditHead, find_audit_head
from promptci.documents.document import Document
from promptci.errors import UsageError
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.prompts.model import Prompt
from promptci.registry import tags
from promptci.registry.bundle_document import find_bundle_obstacle
from promptci.registry.release import Release
from promptci.registry.released_prompt import VersionReader
from promptci.registry.tag_message import format_message
from promptci.rollout import deployment
from promptci.rollout.deployment import Deployed, describe_deployed, list_versions, shorten_version
from promptci.rollout.deployments import commit, edit
from promptci.rollout.deployments.commit import CommitTarget, PlannedCommit
from promptci.rollout.deployments.decision_kind import name_decision, without_stopped_canary
from promptci.rollout.deployments.environment_file import deployment_path, list_environments, progress_path
from promptci.rollout.deployments.history import list_changes
from promptci.rollout.state import load_progress
from promptci.wording import join_names, suggest

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
    new_environment: bool = False
    """Begin an environment beside those that there are."""
    because: str = ""
    target: CommitTarget = field(default_factory=CommitTarget)
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
    pushed: str | None = Field(default=None, description="Branch of the remote that it was pushed to.")
    pulled: bool = Field(default=False, description="Whether the branch that is checked out has the pushed commit.")
    pull_command: str | None = Field(default=None, description="Brings the pushed commit here; null: it is here.")
    warnings: list[str] = Field(default=[])


@dataclass(frozen=True, kw_only=True)
class _DeployPlan(PlannedCommit):
    """The commit, and what it changes."""

    before: Deployed | None
    after: Deployed
    warnings: tuple[str, ...] = ()


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
    target = request.target
    path = deployment_path(request.environment)
    prompt, version = tags.split_name(request.name)
    if target.push:
        tags.fetch_tags(repo.root, target.remote)
    releases = tags.list_releases(repo.root)
    release = tags.find_release(repo.root, releases, prompt, version)
    if target.push:
        tags.require_pushed(repo.root, target.remote, release)
    reader = VersionReader(repo, releases, request.config_path)
    named = reader.find(prompt, str(release.number))  # refuses a release that is not what was released
    reader.require_unmoved(release)
    head = find_audit_head(repo.root, target.remote, fetch=target.push)
    result = commit.commit_planned(
        repo, target, lambda snapshot: _plan(request, release, head, repo, snapshot), dry_run=request.dry_run
    )
    plan = result.plan
    obstacles = warn_of_bundle(named.prompt, path) if plan.after != plan.before else ()
    return DeploySummary(
        environment=request.environment,
        path=path,
        prompt=prompt,
        before=None if plan.before is None else describe_deployed(plan.before),
        after=describe_deployed(plan.after),
        changed=plan.after != plan.before,
        commit=result.commit,
        pushed=result.branch,
        pulled=result.pulled,
        pull_command=result.pull_command,
        warnings=[*([head.warning] if head.warning else []), *plan.warnings, *obstacles, *result.warnings],
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
        yield from commit.commit_lines(summary.commit, [summary.path], summary.pushed, summary.pull_command)
    yield from (f"warning: {text}" for text in summary.warnings)


def _plan(request: DeployRequest, release: Release, head: AuditHead, repo: Repo, snapshot: Snapshot) -> _DeployPlan:
    """Return the change of the deployment file as one revision has it."""
    path = deployment_path(request.environment)
    data = snapshot.read(path)
    if data is None and not request.new_environment:
        _require_first_environment(request, snapshot)
    file = None if data is None else deployment.load(data, path)
    before = next((deployed for deployed in file.prompts if deployed.prompt == release.prompt), None) if file else None
    first_step = file.policy.steps[0] if file else FIRST_STEP
    after = _plan_deployed(request, release, before, first_step, _find_rollback(request.environment, before, snapshot))
    files: dict[str, bytes | None] = {} if after == before else {path: edit.with_deployed(data, path, after)}
    message = _message(request, release, before, after, head)
    warnings = () if after == before else tuple(_list_warnings(request, release, repo, snapshot))
    return _DeployPlan(files=files, message=message, before=before, after=after, warnings=warnings)


def _require_first_environment(request: DeployRequest, snapshot: Snapshot) -> None:
    """Raise UsageError where there are others: a mistyped name would begin an environment that nobody reads."""
    names = list_environments(snapshot)
    if names:
        listed = f"{suggest(request.environment, names, cutoff=0.3)} Environments there: {join_names(names)}.".lstrip()
        message = f"There is no environment `{request.environment}` yet"
        raise UsageError(message, f"{listed} Pass --new-env to begin another one.")


def _list_warnings(request: DeployRequest, release: Release, repo: Repo, snapshot: Snapshot) -> Iterator[str]:
    """Yield what speaks against a version: no passing result, or that it was rolled back in the environment."""
    verdict = release.trailers.get("Verdict", "none")
    if verdict.partition(";")[0].strip() != "pass":
        result = "no result" if verdict == "none" else f"the result `{verdict}`"
        reason = release.trailers.get("Reason")
        yield f"{release.name} was released on {result}" + (f", because {reason}" if reason else "")
    changes = list_changes(repo, request.environment, snapshot.sha or "HEAD")
    number = str(release.number)
    for change in changes:
        if change.prompt != release.prompt or number not in list_versions(change.before):
            continue
        if name_decision(change.before, change.after) == "rolled-back" and number not in list_versions(
            without_stopped_canary(change.after)
        ):
            because = f" ({change.reason or change.subject})"
            yield f"{release.name} was rolled back in {request.environment} on {change.at[:10]}{because}"
        return


def warn_of_bundle(prompt: Prompt, path: str) -> Iterator[str]:
    """Yield that the environment's bundle cannot be made with a prompt, and how to take it out again."""
    if obstacle := find_bundle_obstacle(prompt):
        yield (
            f"{obstacle}: `promptci bundle` refuses the whole environment. If applications read bundles, take"
            f" `{prompt.name}` out of `prompts` in {path} and commit that"
        )


def _find_rollback(environment: str, before: Deployed | None, snapshot: Snapshot) -> str | None:
    """Return when and why the canary in the file was rolled back; None where it was not."""
    if before is None or before.canary is None or before.share:
        return None
    path = progress_path(environment)
    progress = load_progress(snapshot.read(path), path).get(before.prompt)
    if (
        progress is None
        or progress.rolled_back is None
        or (progress.stable, progress.canary) != (before.stable, before.canary)
    ):
        return None
    return f"{progress.rolled_back:%Y-%m-%d}" + (f" ({progress.rollback_reason})" if progress.rollback_reason else "")


def _plan_deployed(
    request: DeployRequest, release: Release, before: Deployed | None, first_step: float, rollback: str | None
) -> Deployed:
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
        if tried == number and rollback:
            hint = "Release a corrected version and deploy that one."
            raise UsageError(f"The canary {release.name} was rolled back there on {rollback}, and stays so", hint)
        if tried == number:
            return before
    if tried not in {None, number} and not request.drop_canary and not rollback:
        hint = "Decide about it first, or pass --drop-canary to end it."
        raise UsageError(f"The canary {tried} is being tried there", hint)
    if request.canary and before is not None:
        return Deployed(prompt=release.prompt, stable=before.stable, canary=tag, share=first_step)
    stable = before.stable if before is not None and runs == number else tag
    return Deployed(prompt=release.prompt, stable=stable)


def _message(
    request: DeployRequest, release: Release, before: Deployed | None, after: Deployed, head: AuditHead
) -> str:
    suffix = " as canary" if request.canary else ""
    trailers = {
        "Deployed": release.name,
        "Fingerprint": release.fingerprint,
        "Environment": request.environment,
        "Before": "" if before is None else describe_deployed(before),
        "After": describe_deployed(after),
        "Reason": request.because,
        TRAILER: head.trailer,
    }
    return format_message(f"Deploy {release.name}{suffix} to {request.environment}", trailers.items())
