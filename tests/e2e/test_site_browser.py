"""The site as people meet it: hostile records, no request, keyboard, dark, phone, paper, without JavaScript."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from support.browser import MARKS, WCAG, Window, find_violations
from support.daily import first_daily
from support.hostile_payloads import XSS
from support.site_records import MADE_AT, build, hostile, nights, prompt, records

from promptci.site.build import build_site
from promptci.site.model import RunningPair, VersionChange
from promptci.site.pages.frame import Frame

PAGES = ["index", "prompt", "prompts", "canary", "drift", "alerts", "audit", "spend"]
DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
pytestmark = MARKS


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One site for all of them, built of records whose every text is a payload."""
    out = tmp_path_factory.mktemp("site")
    build(hostile(" ".join(XSS)), out)
    return out


@pytest.fixture
def visit(window: Window, site: Path) -> Any:
    """Return a function that opens a page of the site; afterwards it may have requested and logged nothing."""

    def open_(name: str, **options: Any) -> Page:
        if name == "prompt":
            path = next(page for page in (site / "prompt").glob("*.html") if page.name != "plain.html")
        else:
            path = site / f"{name}.html"
        return window.show(path.as_uri(), **{"viewport": DESK, **options})

    yield open_
    assert window.clear() == []


def unfold(page: Page) -> None:
    page.evaluate(
        "document.querySelectorAll('details').forEach((one) => { one.removeAttribute('name'); one.open = true; })"
    )


@pytest.mark.parametrize("name", first_daily(PAGES, 3))
def test_hostile_records_do_nothing_and_no_page_is_wider_than_a_phone(name: str, visit: Any) -> None:
    page = visit(name, viewport=PHONE, color_scheme="dark")
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("name", first_daily(PAGES, 2))
def test_axe_finds_nothing(name: str, window: Window, visit: Any) -> None:
    """Our policy forbids scripts of others, axe's too, so it is lifted here."""
    page = visit(name, bypass_csp=True)
    unfold(page)
    assert find_violations(page, WCAG) == []


def test_the_search_is_worked_with_keys(visit: Any) -> None:
    page = visit("index")
    page.keyboard.press("/")
    page.keyboard.type("plain")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "prompt/plain.html"
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    assert page.locator("#hits a").count() == 0


def test_a_gate_opens_with_a_key_below_the_stages(visit: Any) -> None:
    page = visit("index")
    page.locator(".g3 > summary").focus()
    page.keyboard.press("Enter")
    panel, stage = (page.locator(place).bounding_box() for place in (".g3 .panel", ".stage.s1"))
    assert panel is not None
    assert stage is not None
    assert panel["y"] >= stage["y"] + stage["height"]
    assert panel["width"] > 1000


def test_a_chart_says_its_values_to_the_keyboard(visit: Any) -> None:
    page = visit("prompt")
    page.evaluate("document.querySelector('[data-chart=quality] svg').focus()")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    assert "2026-03-07: goldens 90%" in page.locator("[data-chart=quality] .tip").inner_text()


def test_the_log_is_filtered(visit: Any) -> None:
    page = visit("audit")
    page.select_option("#filter-what", "released")
    assert page.locator(".entry:visible").count() == 1
    page.fill("#filter-from", "2030-01-01")
    assert page.locator(".entry:visible").count() == 0


def test_a_page_that_is_not_built_again_turns_red(visit: Any) -> None:
    page = visit("drift", before="Date.now = () => Date.parse('2026-03-12T00:00:00Z')")
    assert page.locator(".stale-note").inner_text().startswith("This page was not built for 2 days")
    fresh = visit("drift", before="Date.now = () => Date.parse('2026-03-09T05:00:00Z')")
    assert fresh.locator(".stale-note").count() == 0


def test_without_scripts_everything_is_there_but_what_needs_them(visit: Any) -> None:
    page = visit("index", java_script_enabled=False)
    assert page.locator(".finder").is_hidden()
    page.locator(".g2 > summary").click()
    assert page.locator(".g2 .panel").is_visible()
    assert "2026-03-09 04:43" in page.locator("#built").inner_text()


def test_paper_has_no_menu(visit: Any) -> None:
    page = visit("prompt")
    page.emulate_media(media="print")
    assert page.locator(".masthead nav").is_hidden()
    assert page.locator(".answers-box").is_visible()


def test_thirty_nights_fit_a_phone_and_the_ribbon_of_the_demo_is_a_landmark(tmp_path: Path, window: Window) -> None:
    order = prompt(running=(RunningPair(environment="production", stable="v1.0.0"),), night_lines=nights(40))
    shown = records(order)
    frame = replace(Frame.create(shown, title="shop", stale_hours=26, is_demo=True), made_at=MADE_AT)
    build_site(shown, frame, {"shop": lambda *_: VersionChange()}, tmp_path)
    page = window.show((tmp_path / "drift.html").as_uri(), viewport=PHONE, bypass_csp=True)
    assert page.locator(".strip > span").count() == 30
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert find_violations(page, WCAG) == []
    assert window.clear() == []
