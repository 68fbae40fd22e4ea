"""Shared set-up of all tests."""

pytest_plugins = ("goldtest",)
