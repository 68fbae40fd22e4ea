"""`--watch`: run a command again whenever a file of the working tree is saved."""

import os
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from promptci.app import error_boundary
from promptci.cli import console
from promptci.git import command
from promptci.git.repo import Repo
from promptci.wording import join_names

POLL_SECONDS = 0.1
MAX_NAMES = 3
FileState = tuple[int, int]
"""Time of the last change in nanoseconds, and size."""


def run_on_every_save(action: Callable[[], int], root: Path, out: Path) -> int:
    """Run the action now and after every change of the working tree, until Ctrl-C; return its last exit code.

    Files that git ignores and those in `out` are not watched. An error is printed, and the next save starts a new run.
    """
    top = Repo.discover(root).root
    while True:
        before = read_state(top, out)
        code = error_boundary.run_guarded(action, os.environ, sys.stderr)
        if code == error_boundary.INTERRUPTED:
            return code
        console.say_progress("watching for changes; Ctrl-C ends")
        try:
            changed = wait_for_change(top, out, before)
        except KeyboardInterrupt:
            return code
        console.say_progress(f"\n{datetime.now().astimezone():%H:%M:%S} changed: {join_names(changed, MAX_NAMES)}")


def wait_for_change(top: Path, out: Path, before: dict[str, FileState]) -> list[str]:
    """Wait until the working tree differs from `before` and is at rest again; return the changed paths."""
    while True:
        after = read_state(top, out)
        if after != before:
            time.sleep(POLL_SECONDS)
            while (settled := read_state(top, out)) != after:  # an editor may write several files, or one in parts
                after = settled
                time.sleep(POLL_SECONDS)
            return sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
        time.sleep(POLL_SECONDS)


def read_state(top: Path, out: Path) -> dict[str, FileState]:
    """Return time and size of every file that git tracks or would track, without those in `out`."""
    listed = command.split_nul(command.run_git(top, "ls-files", "-z", "--cached", "--others", "--exclude-standard"))
    folder = out.resolve()
    states = {}
    for path in listed:
        file = top / path
        try:
            status = file.lstat()
        except OSError:
            continue
        if folder not in file.parents:
            states[path] = (status.st_mtime_ns, status.st_size)
    return states
