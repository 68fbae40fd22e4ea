"""The page in a real browser: nothing runs that is not ours, nothing goes out, and it can be read everywhere."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from support import report_situations
from support.browser import MARKS, SIZES, Seen, noted
from support.daily import first_daily
from support.hostile_payloads import XSS, planted, rich

from promptci.report.html import html_renderer

pytestmark = MARKS


@pytest.mark.parametrize("situation", first_daily(report_situations.SITUATIONS, 4))
def test_out_offline_no_network_request(situation: str, visit: Any) -> None:
    page = visit(report_situations.page(situation))
    assert page.locator("h1").is_visible()


@pytest.mark.parametrize(
    "first", first_daily(range(0, len(XSS), 4), 2)
)  # each by itself is tried where the page's tags are compared
def test_out_xss_corpus_every_field(first: int, visit: Any) -> None:
    page = visit(html_renderer.render_page(planted(rich(), " ".join(XSS[first : first + 4]))))
    page.locator("#open-all").click()
    assert page.evaluate("document.querySelectorAll('img,iframe,script:not(:last-child),form').length") == 0


@dataclass(kw_only=True, slots=True)
class Listener:
    """A web server that notes who asks."""

    address: str
    asked: list[str] = field(default_factory=list)


@pytest.fixture
def listener() -> Iterator[Listener]:
    bound_listener = Listener(address="")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            bound_listener.asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        bound_listener.address = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield bound_listener
        server.shutdown()


@pytest.mark.parametrize("guarded", [True, False])
def test_the_policy_stops_what_escaping_would_have_missed(
    guarded: bool, browser: Browser, listener: Listener, tmp_path: Path
) -> None:
    """The second wall stands by itself; without it the same page does ask, so that this test can tell."""
    planted_tags = (
        f"</h1><script>alert(1)</script><img src={listener.address}/x><style>@import '{listener.address}/y'</style>"
    )
    broken = html_renderer.render_page(rich()).replace("</h1>", planted_tags)
    if not guarded:
        broken = broken.replace("Content-Security-Policy", "X-Nothing")
    path = tmp_path / "broken.html"
    path.write_text(broken, encoding="utf-8")
    context = browser.new_context()
    seen = Seen(page=context.new_page())
    seen.page.on("dialog", noted(seen.misdeeds))
    seen.page.goto(path.as_uri())
    for _ in range(1 if guarded else 100):
        seen.page.wait_for_timeout(300)
        if seen.misdeeds and listener.asked:
            break
    context.close()
    assert seen.misdeeds == ([] if guarded else ["dialog: 1"])
    assert bool(listener.asked) != guarded


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "situation", first_daily(["several_prompts", "hostile_text", "new_prompt", "no_prompts_changed"])
)
def test_the_page_does_not_scroll_sideways(situation: str, scheme: str, size: str, visit: Any) -> None:
    width, height = SIZES[size]
    page = visit(report_situations.page(situation), viewport={"width": width, "height": height}, color_scheme=scheme)
    if page.locator("#open-all").count():
        page.locator("#open-all").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_name_without_any_break_does_not_scroll_sideways(visit: Any) -> None:
    page = visit(html_renderer.render_page(planted(rich(), "x" * 3000)), viewport={"width": 360, "height": 740})
    page.locator("#open-all").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_takes_the_colours_that_the_reader_prefers(scheme: str, visit: Any) -> None:
    page = visit(report_situations.page("regressed"), color_scheme=scheme)
    paper, ink, axis = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,"
        " getComputedStyle(document.querySelector('.chart text')).fill]"
    )
    assert (paper == "rgb(255, 255, 255)") == (scheme == "light")
    assert axis == ink


def test_a_drawing_shows_its_dots_in_their_colours(visit: Any) -> None:
    page = visit(report_situations.page("regressed"))
    fills = page.evaluate("[...document.querySelectorAll('.chart circle')].map((dot) => getComputedStyle(dot).fill)")
    assert set(fills) == {"rgb(35, 85, 196)", "rgb(109, 118, 134)"}
    box = page.locator(".chart svg").first.bounding_box()
    assert box["width"] > 250
    assert box["height"] > 40


def test_on_paper_broken_cases_are_unfolded_and_what_is_no_evidence_is_gone(visit: Any) -> None:
    page = visit(report_situations.page("several_prompts"))
    folded = page.locator(".group.broken .case:not([open]) .answer").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    # The height counts: `content-visibility` keeps the box of what it hides.
    assert folded.bounding_box()["height"] > 20
    for gone in (".tools", ".group.right", ".group.broken .case:nth-of-type(9)", ".group.broken .marks li:not(.cause)"):
        assert not page.locator(gone).first.is_visible()
    for kept in (".next li", ".about .facts dd", ".origins tbody td", ".figures .note", ".group.broken .paper"):
        assert page.locator(kept).first.is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_without_a_script_the_page_is_whole(visit: Any) -> None:
    page = visit(report_situations.page("several_prompts"), java_script_enabled=False)
    in_brief = [line for text in page.locator(".lines").all_text_contents() for line in text.splitlines()]
    assert page.locator(".case").count() + len(in_brief) == sum(
        len(prompt.case_details) for prompt in report_situations.SITUATIONS["several_prompts"]().prompts
    )
    page.locator(".group.right > summary").first.click()
    assert page.locator(".group.right .case").first.is_visible()


def test_a_click_on_a_heading_sorts_the_table_and_a_second_one_turns_it_round(visit: Any) -> None:
    page = visit(report_situations.page("several_prompts"))
    heading = page.locator(".summary thead th").nth(2).locator("button")
    names = ".summary tbody th"
    heading.click()
    rising = page.locator(names).all_inner_texts()
    heading.click()
    falling = page.locator(names).all_inner_texts()
    assert rising[0] == "greeting" or rising[0] == "old-greeting"
    assert rising != falling
    assert page.locator(".summary thead th").nth(2).get_attribute("aria-sort") == "descending"


def test_the_keyboard_reaches_everything_that_can_be_done(visit: Any) -> None:
    page = visit(report_situations.page("regressed"))
    expected = {"A", "BUTTON", "INPUT", "SELECT", "SUMMARY", "DIV"}  # the last is the table of all cases
    reached: set[str] = set()
    for _ in range(90):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName"))
        if expected <= reached:
            break
    assert expected <= reached
