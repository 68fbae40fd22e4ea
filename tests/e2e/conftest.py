"""A machine for every test, and a browser for those that look at pages."""

from collections.abc import Iterator
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def window(browser: Browser) -> Window:
    return Window(browser)


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
