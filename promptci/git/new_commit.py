"""Write a commit without the working tree or its index, and push it where nobody else was faster."""

import os
import random
import re
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from promptci.errors import GitError
from promptci.git import command, user_git

PLAIN_FILE = "100644"
MAX_TRIES = 10
MAX_WAIT_S = 0.3
"""Longest wait before the second try; it grows with each."""
_RACE = re.compile(
    r"\[rejected\]|stale info|fetch first|non-fast-forward|cannot lock ref|failed to update ref|incorrect old value"
    r"|reference already exists"
)


def write_commit(
    root: Path,
    parent: str | None,
    files: Mapping[str, bytes | None],
    message: str,
    *,
    identity: Sequence[str] = (),
) -> str:
    """Write a commit that changes some files (None: delete it) of its parent, signed where the user's git signs.

    Without a parent it is the first commit of a branch of its own. `identity` holds settings for git that name who
    commits, where git does not know.
    """
    entries = [_index_entry(root, parent, path, content) for path, content in files.items()]
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        _run_with_index(root, index, "read-tree", parent or "--empty")
        _run_with_index(root, index, "update-index", "-z", "--index-info", data=os.fsencode("".join(entries)))
        tree = _run_with_index(root, index, "write-tree").decode().strip()
    signs = user_git.try_user_git(root, "config", "--type=bool", "commit.gpgsign").stdout.strip() == b"true"
    words = ("commit-tree", *(["-S"] if signs else []), *(["-p", parent] if parent else []), "-F", "-", tree)
    return user_git.run_user_git(root, *identity, *words, data=message.encode()).decode().strip()


def push_commit(root: Path, remote: str, ref: str, *, old: str | None, new: str) -> str | None:
    """Push a commit onto a branch that is still at `old` (None: not there); return None, or what git printed.

    `is_race` says whether that means that somebody else was faster.
    """
    lease = f"--force-with-lease={ref}:{old or ''}"
    done = user_git.try_user_git(root, "push", "--porcelain", lease, remote, f"{new}:{ref}")
    return None if done.returncode == 0 else (done.stdout + done.stderr).decode(errors="replace")


def attempts() -> Iterator[None]:
    """Yield once for each try of a push, from the second on after a random wait: others push at the same time."""
    for attempt in range(MAX_TRIES):
        time.sleep(random.uniform(0, MAX_WAIT_S * attempt))  # noqa: S311 - no secret
        yield


def is_race(output: str) -> bool:
    """Return whether a push was refused because the branch has moved."""
    return _RACE.search(output) is not None


def describe_refusal(output: str) -> str:
    """Return why a remote refused a push: the words in the last brackets of its line, else the line with the error."""
    match = re.search(r"\[remote rejected\] \((.+)\)", output)
    reason = match[1] if match else command.find_error_line(output)
    return "".join(sign for sign in reason if sign.isprintable())


def _index_entry(root: Path, parent: str | None, path: str, content: bytes | None) -> str:
    if content is None:
        return f"0 {'0' * len(parent or '')}\t{path}\0"
    oid = command.run_git(root, "hash-object", "-w", "--stdin", data=content).decode().strip()
    listed = command.run_git(root, "ls-tree", parent, "--", path).decode(errors="replace") if parent else ""
    return f"{listed.partition(' ')[0] or PLAIN_FILE} {oid}\t{path}\0"


def _run_with_index(root: Path, index: Path, *words: str, data: bytes | None = None) -> bytes:
    environment = command.build_environment() | {"GIT_INDEX_FILE": os.fspath(index)}
    line = command.build_command(root, *words)
    done = command.run_process(line, environment, data, name=f"git {words[0]}", hint="Try again.")
    if done.returncode:
        raise GitError(f"git {words[0]} failed: {command.error_message(done)}")
    return done.stdout
