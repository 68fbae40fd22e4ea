"""Shared set-up of all tests."""

from hypothesis import settings

pytest_plugins = ("support.gold_files",)

# How long an example takes says more about the machine's other work than about the code.
settings.register_profile("promptci", deadline=None)
settings.load_profile("promptci")
