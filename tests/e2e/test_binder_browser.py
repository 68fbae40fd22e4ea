"""The audit binder in a real browser: readable by everybody, on a telephone, in the dark and on paper."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from support import audited
from support.browser import MARKS, SIZES, find_violations
from support.daily import first_daily
from support.released import run

pytestmark = MARKS


@pytest.fixture(scope="module")
def binder(tmp_path_factory: pytest.TempPathFactory) -> str:
    shop = audited.shop(tmp_path_factory.mktemp("audited"))
    path = shop.evidence.parent / "binder.html"
    assert run(shop.builder, "audit", "export", "--evidence", str(shop.evidence), "--out", str(path)).code == 0
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("scheme", "size"), first_daily([("dark", "phone"), ("light", "desk")]))
def test_axe_finds_nothing_and_nothing_hangs_over(scheme: str, size: str, binder: str, visit: Any) -> None:
    viewport = dict(zip(("width", "height"), SIZES[size], strict=True))
    shown = visit(binder, color_scheme=scheme, viewport=viewport, bypass_csp=True)
    assert shown.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert find_violations(shown) == []


def test_on_paper_it_is_white_and_each_change_begins_a_page(binder: str, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "binder.html"
    path.write_text(binder, encoding="utf-8")
    shown = browser.new_page(color_scheme="dark")
    shown.goto(path.as_uri())
    shown.emulate_media(media="print")
    assert shown.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    breaks = "[...document.querySelectorAll('section.prompt')].map((each) => getComputedStyle(each).breakBefore)"
    assert set(shown.evaluate(breaks)) == {"page"}
    for evidence in (".facts", ".diff", ".lines", ".entries", ".points"):
        assert shown.locator(evidence).count() > 0
        assert not shown.locator(evidence).evaluate_all("all => all.filter((each) => each.offsetHeight === 0)")
    shown.close()
