"""A test that fails leaves no process behind that another one would trip over."""

import subprocess
import sys

import pytest
from support import processes

WAITING = [sys.executable, "-c", "print('here', flush=True); import time; time.sleep(600)"]


def test_a_process_that_nobody_waited_for_is_ended_and_its_streams_are_closed() -> None:
    process = processes.start(WAITING, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == "here\n"
    processes.end_all()
    assert process.returncode == -9
    assert process.stdout.closed


def test_a_wait_for_a_process_that_has_ended_fails_at_once() -> None:
    process = processes.start([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(AssertionError, match="it ended with 3 before"):
        processes.wait_until(lambda: False, process)
