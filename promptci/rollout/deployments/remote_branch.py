"""A branch of a remote: its newest commit, and one more on top of it, made without the working tree or the index."""

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from promptci.errors import GitError, UsageError
from promptci.git import command, user_git

_RACE = re.compile(
    r"\[rejected\]|stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref|incorrect old value"
    r"|reference already exists"
)
PLAIN_FILE = "100644"


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
    user_git.require_remote_name(remote)
    if branch is not None and command.try_git(root, "check-ref-format", "--branch", branch).returncode:
        raise UsageError(f"`{branch}` cannot be a branch", "Pass --branch a name without blanks.")
    tip = _find_tip(root, remote, branch)
    fetched = user_git.try_user_git(root, "fetch", "--quiet", "--no-tags", remote, tip.commit)
    if fetched.returncode:  # a server may refuse to send a commit by its name
        name = f"refs/heads/{tip.branch}" if tip.exists else "HEAD"
        user_git.run_user_git(root, "fetch", "--quiet", "--no-tags", remote, name)
    return tip


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


def write_commit(root: Path, parent: str, files: dict[str, bytes | None], message: str) -> str:
    """Write a commit that changes some files (None: delete it) of its parent, signed where the user's git signs."""
    entries = [_index_entry(root, parent, path, content) for path, content in files.items()]
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        _run_with_index(root, index, "read-tree", parent)
        _run_with_index(root, index, "update-index", "-z", "--index-info", data=os.fsencode("".join(entries)))
        tree = _run_with_index(root, index, "write-tree").decode().strip()
    signs = user_git.try_user_git(root, "config", "--type=bool", "commit.gpgsign").stdout.strip() == b"true"
    words = ("commit-tree", *(["-S"] if signs else []), "-p", parent, "-F", "-", tree)
    return user_git.run_user_git(root, *words, data=message.encode()).decode().strip()


def _index_entry(root: Path, parent: str, path: str, content: bytes | None) -> str:
    if content is None:
        return f"0 {'0' * len(parent)}\t{path}\0"
    oid = command.run_git(root, "hash-object", "-w", "--stdin", data=content).decode().strip()
    listed = command.run_git(root, "ls-tree", parent, "--", path).decode(errors="replace")
    mode = listed.partition(" ")[0] or PLAIN_FILE
    return f"{mode} {oid}\t{path}\0"


def _run_with_index(root: Path, index: Path, *words: str, data: bytes | None = None) -> bytes:
    environment = command.build_environment() | {"GIT_INDEX_FILE": os.fspath(index)}
    done = command.run_process(
        command.build_command(root, *words), environment, data, name=f"git {words[0]}", hint="Try again."
    )
    if done.returncode:
        raise GitError(f"git {words[0]} failed: {command.error_message(done)}")
    return done.stdout


def push_commit(root: Path, remote: str, tip: BranchTip, commit: str) -> bool:
    """Push a commit onto a branch that is where it was; return False where somebody else was faster.

    Raises
    ------
    GitError
        Where the remote refuses it for another reason, such as a protected branch.
    """
    ref = f"refs/heads/{tip.branch}"
    lease = f"--force-with-lease={ref}:{tip.commit if tip.exists else ''}"
    done = user_git.try_user_git(root, "push", "--porcelain", lease, remote, f"{commit}:{ref}")
    if done.returncode == 0:
        return True
    output = (done.stdout + done.stderr).decode(errors="replace")
    if _RACE.search(output):
        return False
    hint = "Push rights are needed. Where the branch is protected, pass `--branch NAME` and open a pull request."
    raise GitError(f"git push to {tip.branch} failed: {_reason(output) or command.error_message(done)}", hint)


def _reason(output: str) -> str:
    """Return why a remote refused a branch: the words in the last brackets of its line."""
    match = re.search(r"\[remote rejected\] \((.+)\)", output)
    return "".join(sign for sign in match[1] if sign.isprintable()) if match else ""
