"""A real browser to look at pages with: how it is started, and records of what a page does that it should not do."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fakes import tools
from playwright.sync_api import Browser, Dialog, Page

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
DEFAULT_SIZE = {"width": 1280, "height": 720}
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
    address: str = ""
    """The only one that the page may request."""
    misdeeds: list[str] = field(default_factory=list)


def watch(page: Page) -> Seen:
    """Record from now on what a page does that it should not do."""
    seen = Seen(page=page)

    def note_request(url: str) -> None:
        if url.partition("#")[0] != seen.address:
            seen.misdeeds.append(f"request: {url}")

    page.on("request", lambda request: note_request(request.url))
    page.on("console", lambda message: seen.misdeeds.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: seen.misdeeds.append(f"error: {error}"))
    page.on("dialog", noted(seen.misdeeds))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => console.error('policy: ' + e.violatedDirective))"
    )
    return seen


RUN_AXE = """(tags) => axe
    .run(document, {...(tags.length ? {runOnly: {type: 'tag', values: tags}} : {}), resultTypes: ['violations']})
    .then((results) => [
        results.passes.length,
        results.violations.map((rule) => [rule.id, rule.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))]),
    ])
"""
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def find_violations(page: Page, tags: Sequence[str] = ()) -> list[Any]:
    """Return the rules that axe finds broken on a page, each with some of the elements that break it.

    Only violations are collected: what passed is thousands of elements, which takes most of the time.
    """
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate((tools.node_modules() / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    passed, violations = page.evaluate(RUN_AXE, list(tags))
    assert passed > 10
    return list(violations)


class Window:
    """Pages of a browser, most of them in one tab that is used again: a new tab costs more than what a test does."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._tab = watch(browser.new_context().new_page())
        self._others: list[Seen] = []

    def show(self, address: str, link: str = "", before: str = "", **options: Any) -> Page:
        """Open a page; another one that was opened in the same tab is gone then.

        `before` is a script that runs first. It and options that no open tab can take get a tab of their own.
        """
        if before or set(options) - {"viewport", "color_scheme"}:
            seen = watch(self._browser.new_context(**options).new_page())
            self._others.append(seen)
            if before:
                seen.page.add_init_script(before)
        else:
            seen = self._tab
            seen.page.set_viewport_size(options.get("viewport", DEFAULT_SIZE))
            seen.page.emulate_media(media="null", color_scheme=options.get("color_scheme", "light"))
            seen.page.mouse.move(0, 0)
        seen.address = address
        seen.page.goto(address + link)
        return seen.page

    def clear(self) -> list[str]:
        """Leave all pages; return what they did that they should not have done."""
        self._tab.page.goto("about:blank")
        seen = [self._tab, *self._others]
        for other in self._others:
            other.page.context.close()
        self._others = []
        misdeeds = [misdeed for page in seen for misdeed in page.misdeeds]
        self._tab.misdeeds.clear()
        return misdeeds

    def close(self) -> None:
        """Close the tab; the browser may show pages of other tests."""
        self._tab.page.context.close()


def noted(misdeeds: list[str]) -> Callable[[Dialog], None]:
    """Return what is to happen when a dialog opens, which only a payload can have done."""

    def note(dialog: Dialog) -> None:
        misdeeds.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    return note
