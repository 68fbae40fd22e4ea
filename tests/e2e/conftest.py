"""A machine for every test, and a browser for those that look at pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.machine import Machine, laid_out
from playwright.sync_api import Browser, Page, sync_playwright
from support.browser import CHROMIUM, FLAGS, Seen, noted


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with laid_out(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Any]:
    """Give a function that opens a page from disk; afterwards nothing may have happened."""
    opened: list[Seen] = []

    def open_(text: str, link: str = "", **options: Any) -> Page:
        context = browser.new_context(**options)
        path = tmp_path / f"report-{len(opened)}.html"
        path.write_text(text, encoding="utf-8")
        seen = Seen(page=context.new_page())
        opened.append(seen)
        address = path.as_uri()
        seen.page.on(
            "request",
            lambda r: seen.misdeeds.append(f"request: {r.url}") if r.url.partition("#")[0] != address else None,
        )
        seen.page.on("console", lambda message: seen.misdeeds.append(f"console: {message.text}"))
        seen.page.on("pageerror", lambda error: seen.misdeeds.append(f"error: {error}"))
        seen.page.on("dialog", noted(seen.misdeeds))
        seen.page.add_init_script(
            "addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective))"
        )
        seen.page.goto(address + link)
        return seen.page

    yield open_
    for seen in opened:
        seen.page.context.close()
        assert not seen.misdeeds
