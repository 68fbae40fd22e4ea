"""A branch of a remote: its newest commit, and one more on top of it, made without the working tree or the index."""

from dataclasses import replace
from pathlib import Path

from promptci.errors import GitError, UsageError
from promptci.git import command, new_commit, user_git
from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class BranchTip:
    """Where a remote's branch stands."""

    branch: str
    commit: str
    """For a branch that is not there yet, the commit that it begins at."""
    exists: bool = True


def fetch_tip(root: Path, remote: str, branch: str | None) -> BranchTip:
    """Fetch the newest commit of a remote's branch, by default its default branch.

    Raises
    ------
    UsageError
        For what cannot be a remote or a branch.
    GitError
        Where the remote cannot be read, or has no commit.
    """
    user_git.require_remote(root, remote)
    if branch is not None and command.try_git(root, "check-ref-format", "--branch", branch).returncode:
        raise UsageError(f"`{branch}` cannot be a branch", "Pass --branch a name without blanks.")
    tip = _find_tip(root, remote, branch)
    # By its name: a server may refuse to send a commit that is no longer the tip.
    name = f"refs/heads/{tip.branch}" if tip.exists else "HEAD"
    user_git.run_user_git(root, "fetch", "--quiet", "--no-tags", remote, name)
    commit = command.run_git(root, "rev-parse", "--verify", "FETCH_HEAD^{commit}").decode().strip()
    return replace(tip, commit=commit)


def _find_tip(root: Path, remote: str, branch: str | None) -> BranchTip:
    done = user_git.try_user_git(root, "ls-remote", "--symref", remote, "HEAD", "refs/heads/*")
    if done.returncode:
        hint = "Add it with `git remote add`, or see whether you may read it."
        raise GitError(f"The remote `{remote}` cannot be read: {command.error_message(done)}", hint)
    commits: dict[str, str] = {}
    default = ""
    for line in done.stdout.decode(errors="replace").splitlines():
        value, _, ref = line.partition("\t")
        if value.startswith("ref: "):
            default = value.removeprefix("ref: refs/heads/") if ref == "HEAD" else default
        else:
            commits[ref] = value
    name = branch or default
    if f"refs/heads/{name}" in commits:
        return BranchTip(branch=name, commit=commits[f"refs/heads/{name}"])
    if not name or "HEAD" not in commits:
        branches = ", ".join(ref.removeprefix("refs/heads/") for ref in commits if ref != "HEAD")
        hint = f"Name one with --branch: {branches}." if branches else "Push a branch to it first."
        raise GitError(f"The remote `{remote}` has no default branch with a commit", hint)
    return BranchTip(branch=name, commit=commits["HEAD"], exists=False)


def push_commit(root: Path, remote: str, tip: BranchTip, commit: str) -> bool:
    """Push a commit onto a branch that is where it was; return False where somebody else was faster.

    Raises
    ------
    GitError
        Where the remote refuses it for another reason, such as a protected branch.
    """
    ref = f"refs/heads/{tip.branch}"
    output = new_commit.push_commit(root, remote, ref, old=tip.commit if tip.exists else None, new=commit)
    if output is None:
        return True
    if new_commit.is_race(output):
        return False
    hint = "Push rights are needed. Where the branch is protected, pass `--branch NAME` and open a pull request."
    raise GitError(f"git push to {tip.branch} failed: {new_commit.describe_refusal(output)}", hint)
