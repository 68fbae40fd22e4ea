"""Run git as its user: with their name, signed where their git signs, and pushed with their rights."""

import os
import subprocess
from pathlib import Path

from promptci.errors import GitError, UsageError
from promptci.files import write
from promptci.git import command, safe_open

DROPPED_VARIABLES = frozenset(
    ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_COMMON_DIR")
)
"""They would lead git to another repository, as inside of a hook."""


def try_user_git(root: Path, *words: str, data: bytes | None = None) -> "subprocess.CompletedProcess[bytes]":
    """Run git with the user's settings and return the finished process; raises GitError as `command.try_git` does."""
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED_VARIABLES}
    environment = {**kept, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    command_line = ["git", "-C", str(root), "-c", f"safe.directory={root}", *words]
    hint = "See whether it waits for the network or for a passphrase."
    return command.run_process(command_line, environment, data, name=f"git {words[0]}", hint=hint)


def run_user_git(root: Path, *words: str, data: bytes | None = None) -> bytes:
    """Run git with the user's settings and return what it prints.

    Raises
    ------
    GitError
        With what it complained of.
    """
    done = try_user_git(root, *words, data=data)
    if done.returncode:
        message = command.error_message(done)
        hint = "Set `user.name` and `user.email` with `git config`." if b"identity" in done.stderr else ""
        raise GitError(f"git {words[0]} failed: {message}", hint)
    return done.stdout


def require_remote(root: Path, remote: str) -> None:
    """Raise UsageError for a remote that there is not, and for what git would take for an option in place of one."""
    if remote.startswith("-") or not remote.strip():
        raise UsageError(f"`{remote}` cannot be a remote", "Name one of those that `git remote` lists.")
    names = command.run_git(root, "remote").decode(errors="replace").split()
    if remote not in names and not {"/", ":"} & set(remote):  # neither a name nor an address
        add = f"`git remote add {remote} ADDRESS` adds it"
        hint = f"--remote names another one: {', '.join(names)}; {add}." if names else f"There is none; {add}."
        raise UsageError(f"This repository has no remote `{remote}`", hint)


def commit_files(root: Path, files: dict[str, bytes | None], message: str) -> str:
    """Write some files (None: delete it) and commit them, and nothing else; return the commit.

    Where git does not commit, the files are as they were before.

    Raises
    ------
    InputError
        Where one of the files is, or lies behind, a symbolic link: the link is not followed, nor replaced.
    GitError
        Where one of the files has changes that are not committed, or git refuses.
    """
    for folder in {parent for path in files for parent in (root / path).parents if parent.is_relative_to(root)}:
        if folder.exists() and not folder.is_dir():
            raise GitError(f"{folder.relative_to(root)} is not a folder", "Rename it: a file is to be written there.")
    before = {path: _read(root, path) for path in files}
    # By the user's git, which may keep other line ends in the working tree.
    status = run_user_git(root, "status", "--porcelain", "-z", "--untracked-files=all", "--", *files)
    if changed := [entry[3:] for entry in command.split_nul(status)]:
        hint = "Commit or discard the change first, so that the new commit holds one thing."
        raise GitError(f"{', '.join(changed)} has changes that are not committed", hint)
    try:
        _write(root, files)
        run_user_git(root, "add", "--force", "--all", "--", *files)
        run_user_git(root, "commit", "--quiet", "--only", "--file=-", "--", *files, data=message.encode())
    except BaseException:
        _write(root, before)
        try_user_git(root, "reset", "--quiet", "--", *files)
        raise
    return command.run_git(root, "rev-parse", "HEAD").decode().strip()


def _read(root: Path, path: str) -> bytes | None:
    descriptor = safe_open.open_plain_file(root, path)
    if descriptor is None:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _write(root: Path, files: dict[str, bytes | None]) -> None:
    for path, content in files.items():
        place = root / path
        if content is None:
            place.unlink(missing_ok=True)
        else:
            write.write_bytes(place, content)
