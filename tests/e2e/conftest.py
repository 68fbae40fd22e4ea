"""A machine for every test, and a browser for those that look at pages."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fakes.machine import Machine, laid_out
from playwright.sync_api import Browser, Page, sync_playwright
from support.browser import CHROMIUM, FLAGS, Window


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with laid_out(tmp_path) as folders:
        yield folders


RUNNING = ExitStack()
"""Ends the browser, and the program through which it is steered."""
BROWSERS: list[Browser] = []


@pytest.fixture(scope="module")
def browser() -> Browser:
    """Return the browser that this worker has, or start one: starting takes longer than many a file of tests."""
    if not BROWSERS:
        playwright = RUNNING.enter_context(sync_playwright())
        BROWSERS.append(playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS))
        RUNNING.callback(BROWSERS[0].close)
    return BROWSERS[0]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End the browser before a test of another kind: no event loop can be run while it is steered."""
    if nextitem is None or nextitem.get_closest_marker("browser") is None:
        BROWSERS.clear()
        RUNNING.close()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Window]:
    window = Window(browser)
    yield window
    window.close()


@pytest.fixture
def visit(window: Window, tmp_path: Path) -> Iterator[Any]:
    """Return a function that opens a page from disk; afterwards nothing may have happened."""
    numbers = count()

    def open_(text: str, link: str = "", **options: Any) -> Page:
        path = tmp_path / f"report-{next(numbers)}.html"
        path.write_text(text, encoding="utf-8")
        return window.show(path.as_uri(), link, **options)

    yield open_
    assert not window.clear()
