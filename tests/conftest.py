"""Shared set-up of all tests."""

import gc

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


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Leave no process to the next test."""
    processes.end_all()


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave thousands of collected tests out of every later search for garbage."""
    gc.freeze()
