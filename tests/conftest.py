"""Shared set-up of all tests."""

import fcntl
import gc
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings
from support import processes

pytest_plugins = ("support.gold_files",)

# How long an example takes says more about the machine's other work than about the code.
# Each run draws other examples; `.ci/run` draws more of them for what decides (`--hypothesis-profile=thorough`).
settings.register_profile("daily", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=100)
settings.load_profile("daily")

# As the command line does: looking for garbage at the usual pace costs time, and finds little.
gc.set_threshold(50_000, 20, 100)


TESTS = Path(__file__).parent


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Let one worker collect alone where nothing is compiled yet: the others then load what it has compiled.

    Compiling tests, promptci and what they import takes as long as collecting does, and each worker would do it.
    """
    with Path(__file__).open(encoding="utf-8") as turn:
        if "PYTEST_XDIST_WORKER" in os.environ and not any(TESTS.glob("unit/__pycache__/test_*.pyc")):
            try:
                fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                fcntl.flock(turn, fcntl.LOCK_SH)  # is given when the first one is done
        return (yield)


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Leave no process to the next test."""
    processes.end_all()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave thousands of collected tests out of every later search for garbage."""
    gc.freeze()
