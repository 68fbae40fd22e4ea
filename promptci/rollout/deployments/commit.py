"""Commit a planned change: onto the branch that is checked out, or onto a remote's branch, pushed with a lease."""

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Generic, TypeVar

from promptci.errors import GitError, UsageError
from promptci.git import command, new_commit, user_git
from promptci.git.repo import Repo
from promptci.git.snapshot import Snapshot
from promptci.lazy_dataclass import dataclass
from promptci.rollout.deployments import remote_branch
from promptci.wording import count, short_sha


@dataclass(frozen=True, kw_only=True, slots=True)
class CommitTarget:
    """Where a commit goes."""

    push: bool = False
    """Onto the remote's branch, and nothing of the clone with it; else onto the branch that is checked out."""
    remote: str = "origin"
    branch: str | None = None
    """None: the remote's default branch. One that is not there is begun at the default branch."""


@dataclass(frozen=True, kw_only=True)
class PlannedCommit:
    """What is to be committed."""

    files: dict[str, bytes | None]
    """Empty: nothing is to change. None: the file is deleted."""
    message: str


Plan = TypeVar("Plan", bound=PlannedCommit)


@dataclass(frozen=True, kw_only=True)
class CommitResult(Generic[Plan]):
    """What was committed."""

    plan: Plan
    commit: str | None = None
    """None: nothing changed, or this was a dry run."""
    branch: str | None = None
    """Branch of the remote that it was pushed to."""
    pulled: bool = False
    """Whether the branch that is checked out has it too."""
    pull_command: str | None = None
    """Command that brings it here; None where the branch that is checked out has it, or nothing was pushed."""
    warnings: tuple[str, ...] = ()


def commit_planned(
    repo: Repo, target: CommitTarget, make_plan: Callable[[Snapshot], Plan], *, dry_run: bool
) -> CommitResult[Plan]:
    """Make one commit of a plan, which is made for the newest files: once more for each time that others were faster.

    Raises
    ------
    UsageError
        Where no branch is checked out that the commit could belong to.
    GitError
        Where git refuses.
    """
    if target.push:
        return _commit_at_remote(repo, target, make_plan, dry_run=dry_run)
    _require_branch(repo.root)
    with closing(repo.snapshot(repo.resolve("HEAD"))) as head:
        plan = make_plan(head)
    if dry_run or not plan.files:
        return CommitResult(plan=plan)
    return CommitResult(plan=plan, commit=user_git.commit_files(repo.root, plan.files, plan.message))


def commit_lines(commit: str, files: list[str], branch: str | None, pull_command: str | None) -> list[str]:
    """Return what a person reads of a commit, and what to do with it."""
    line = f"  commit {short_sha(commit)} changes {', '.join(files)}"
    if branch is None:
        return [f"{line}. Push it, or open a pull request with it"]
    return [f"{line}; pushed to {branch}" + (f". `{pull_command}` brings it here" if pull_command else "")]


def _require_branch(root: Path) -> None:
    if command.try_git(root, "symbolic-ref", "--quiet", "HEAD").returncode:
        hint = "Switch to a branch with `git switch`, or pass --push to commit onto the remote's branch."
        raise UsageError("HEAD is detached: a commit made here would belong to no branch", hint)


def _commit_at_remote(
    repo: Repo, target: CommitTarget, make_plan: Callable[[Snapshot], Plan], *, dry_run: bool
) -> CommitResult[Plan]:
    for _ in new_commit.attempts():
        tip = remote_branch.fetch_tip(repo.root, target.remote, target.branch)
        with closing(repo.snapshot(tip.commit)) as snapshot:
            plan = make_plan(snapshot)
        if dry_run or not plan.files:
            return CommitResult(plan=plan)
        commit = new_commit.write_commit(repo.root, tip.commit, plan.files, plan.message)
        if remote_branch.push_commit(repo.root, target.remote, tip, commit):
            warnings = _describe_unpushed(repo.root, tip.commit, plan.files)
            pull_command = _fast_forward(repo.root, target.remote, tip.branch, commit)
            return CommitResult(
                plan=plan,
                commit=commit,
                branch=tip.branch,
                pulled=pull_command is None,
                pull_command=pull_command,
                warnings=warnings,
            )
    raise GitError(f"Nothing was pushed to {target.remote}: others push at the same time", "Try again.")


def _fast_forward(root: Path, remote: str, branch: str, commit: str) -> str | None:
    """Bring the branch that is checked out up to the commit, where that loses nothing; else return the command to run.

    The command names remote and branch, since a branch that follows none has nothing to pull from.
    """
    head = command.try_git(root, "symbolic-ref", "--quiet", "--short", "HEAD").stdout.decode().strip()
    if head != branch:
        return f"git fetch {remote} {branch}"
    if user_git.try_user_git(root, "merge", "--quiet", "--ff-only", commit).returncode == 0:
        return None
    return f"git pull {remote} {branch}"


def _describe_unpushed(root: Path, tip: str, files: Iterable[str]) -> tuple[str, ...]:
    """Return a warning of commits of this clone that change the same files and are not at the remote."""
    done = command.try_git(root, "rev-list", "--count", f"{tip}..HEAD", "--", *files)
    number = int(done.stdout) if done.returncode == 0 and done.stdout.strip() else 0
    if not number:
        return ()
    commits = f"{count(number, 'commit')} of this clone {'changes' if number == 1 else 'change'} the same files"
    return (f"{commits} and {'is' if number == 1 else 'are'} not at the remote; what was pushed does not contain it",)
