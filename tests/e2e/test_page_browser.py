"""The page as people meet it: read by a screen reader, on a telephone, in the dark, on paper, at the first glance."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page
from support import report_situations
from support.browser import MARKS, WCAG, Window, find_violations
from support.daily import first_daily

from promptci.report.model import document

DESK, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
SHOWN = ["regressed", "several_prompts", "inconclusive", "all_answers_failed", "judge_not_trusted", "hostile_text"]
pytestmark = MARKS


@pytest.fixture
def read(window: Window, tmp_path: Path) -> Iterator[Any]:
    """Return a function that opens the page of a situation from disk."""

    def open_(situation: str, before: str = "", **options: Any) -> Page:
        path = tmp_path / f"{situation}.html"
        path.write_text(report_situations.page(situation), encoding="utf-8")
        return window.show(path.as_uri(), before=before, **{"viewport": DESK, **options})

    yield open_
    window.clear()


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.mark.parametrize(("scheme", "viewport"), [("light", DESK), ("dark", PHONE)], ids=["desk", "phone in the dark"])
@pytest.mark.parametrize("situation", first_daily(SHOWN))
def test_axe_finds_nothing(situation: str, scheme: str, viewport: dict[str, int], read: Any) -> None:
    """Our policy forbids scripts of others, axe's too, so it is lifted here."""
    page = read(situation, color_scheme=scheme, viewport=viewport, bypass_csp=True)
    unfold(page)
    assert find_violations(page, WCAG) == []


def test_axe_would_find_something(read: Any) -> None:
    page = read("regressed", bypass_csp=True)
    page.evaluate("document.querySelector('.soft').style.color = '#dddddd'")
    assert [rule for rule, _ in find_violations(page, WCAG)] == ["color-contrast"]


SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((one) => one.value)))
        .observe({type: 'layout-shift', buffered: true});
"""


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("situation", first_daily(["several_prompts", "graded_with_repeats"]))
def test_nothing_moves_once_it_is_shown(situation: str, viewport: dict[str, int], read: Any) -> None:
    page = read(situation, SHIFTS, viewport=viewport)
    page.wait_for_timeout(500)
    assert page.evaluate("window.shifts.reduce((sum, value) => sum + value, 0)") == 0


def test_a_shift_would_be_seen(read: Any) -> None:
    page = read("regressed", SHIFTS)
    page.wait_for_timeout(200)
    page.evaluate("document.querySelector('.verdict').style.marginTop = '200px'")
    page.wait_for_function("window.shifts.length > 0")


@pytest.mark.parametrize("situation", ["regressed", "several_prompts"])
def test_the_verdict_the_prompts_and_what_to_do_stand_on_the_first_screen(situation: str, read: Any) -> None:
    page = read(situation)
    for selector in ("h1", ".summary tbody tr:last-child", ".next h2"):
        box = page.locator(selector).bounding_box()
        assert box["y"] + box["height"] <= DESK["height"]


@pytest.mark.parametrize("situation", first_daily(SHOWN, 2))
def test_unfolded_on_a_telephone_nothing_hangs_over(situation: str, read: Any) -> None:
    page = read(situation, viewport=PHONE)
    unfold(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_paper_is_white_also_where_the_reader_prefers_the_dark(read: Any) -> None:
    page = read("several_prompts", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    paper, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    assert (paper, ink) == ("rgb(255, 255, 255)", "rgb(28, 34, 48)")


def test_on_paper_no_case_and_no_drawing_is_torn_and_the_record_is_there(read: Any) -> None:
    page = read("several_prompts")
    page.emulate_media(media="print")
    torn = "[...document.querySelectorAll('.case, .chart')].filter((e) => getComputedStyle(e).breakInside !== 'avoid')"
    assert page.evaluate(f"{torn}.length") == 0
    shown = page.locator("#provenance").inner_text()
    view = report_situations.SITUATIONS["several_prompts"]()
    assert view.head.sha is not None
    assert view.head.sha in shown
    assert document.serialize(view).digest in shown
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_drawing_takes_the_colours_of_the_page(scheme: str, read: Any) -> None:
    page = read("advised_with_a_memory", color_scheme=scheme)
    dot, cross = page.evaluate(
        "[getComputedStyle(document.querySelector('.summary circle')).fill,"
        " getComputedStyle(document.querySelector('#p1 .chart path[stroke=\"var(--bad)\"]')).stroke]"
    )
    assert dot == {"light": "rgb(35, 85, 196)", "dark": "rgb(141, 180, 255)"}[scheme]
    assert cross == {"light": "rgb(179, 38, 30)", "dark": "rgb(255, 149, 139)"}[scheme]


def test_words_that_differ_in_the_prompt_are_marked(read: Any) -> None:
    page = read("regressed")
    assert page.locator(".diff del mark").all_inner_texts() == ["20"]
    assert page.locator(".diff ins mark").all_inner_texts() == ["60"]
