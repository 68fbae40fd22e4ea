"""Processes that a test starts and talks to: none of them outlives the test, whatever fails."""

import contextlib
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

LONGEST_S = 300
"""Of a wait that has to end: never reached, also on a machine that does much else."""
_started: "list[subprocess.Popen[str]]" = []


def start(command: Sequence[str | Path], **options: Any) -> "subprocess.Popen[str]":
    """Start a process that is ended with the test, if it has not ended before."""
    process = subprocess.Popen(list(map(str, command)), text=True, **options)
    _started.append(process)
    return process


def end_all() -> None:
    """End what a test started and, because it failed, did not wait for."""
    while _started:
        process = _started.pop()
        if process.poll() is None:
            process.kill()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was written to it last, and nobody reads
                    stream.close()
        process.wait()


def wait_until(is_reached: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Wait until a process has come so far; fail where it has ended before, or is long silent."""
    until = time.monotonic() + LONGEST_S
    while not is_reached():
        assert process.poll() is None, f"it ended with {process.returncode} before"
        assert time.monotonic() < until
        time.sleep(0.02)
