"""A real browser to look at pages with: how it is started, and a hooks on what a page does that it should not do."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"phone": (360, 740), "tablet": (800, 1100), "desk": (1280, 900)}
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not CHROMIUM.exists() and "browser" not in os.environ.get("PROMPTCI_REQUIRE", ""),
        reason=f"no browser at {CHROMIUM}",
    ),
]


@dataclass(kw_only=True, slots=True)
class Seen:
    """A page that is open, and everything it did that it should not do."""

    page: Page
    misdeeds: list[str] = field(default_factory=list)


def noted(misdeeds: list[str]) -> Callable[[Dialog], None]:
    """Give what is to happen when a dialog opens, which only a payload can have done."""

    def note(dialog: Dialog) -> None:
        misdeeds.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    return note
