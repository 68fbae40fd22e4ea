"""Shared set-up of all tests."""

import gc

import pytest
from hypothesis import settings

pytest_plugins = ("support.gold_files",)

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("promptci", deadline=None)
settings.load_profile("promptci")

# As the command line does: looking for garbage at the usual pace costs time, and finds little.
gc.set_threshold(50_000, 20, 100)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave thousands of collected tests out of every later search for garbage."""
    gc.freeze()
