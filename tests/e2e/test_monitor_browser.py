"""The monitor's page as people meet it: in a real browser, in the dark, on a telephone, with names that are hostile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support import log_formats
from support.browser import MARKS, SIZES, find_violations
from support.daily import first_daily
from support.hostile_payloads import XSS

from promptci.monitor.document import MonitorDocument
from promptci.report.monitor_page import render_page
from promptci.usecases.monitoring.monitor import MonitorRequest, compute_monitor

NOW = datetime(2026, 3, 4, 9, tzinfo=UTC)
pytestmark = MARKS


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> MonitorDocument:
    folder = tmp_path_factory.mktemp("log")
    path = log_formats.write_jsonl(folder / "app.jsonl", log_formats.promptci_rows(log_formats.requests(400)))
    return compute_monitor(MonitorRequest(root=folder, logs=(str(path),), now=NOW))


@pytest.fixture(scope="module")
def text(document: MonitorDocument) -> str:
    return render_page(document)


def clock(document: MonitorDocument, later: timedelta = timedelta()) -> str:
    """Return a script that sets the page's clock to the time at which the page was made, or later."""
    milliseconds = later.total_seconds() * 1000
    return f"Date.now = () => Date.parse('{document.made_at}') + {milliseconds:.0f};"


def test_the_page_turns_red_by_itself_when_the_log_stops(visit: Any, document: MonitorDocument, text: str) -> None:
    fresh = visit(text, before=clock(document))
    assert fresh.locator("#freshness .word").text_content() == "Production"
    assert "turns red" in fresh.locator("#age").inner_text()
    stale = visit(text, before=clock(document, timedelta(hours=5)))
    assert stale.locator("#freshness .word").text_content() == "No data"
    assert stale.locator("#freshness.bad").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_hangs_over(size: str, scheme: str, visit: Any, text: str) -> None:
    width, height = SIZES[size]
    page = visit(text, viewport={"width": width, "height": height}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 29)"}[scheme]


def test_names_of_others_become_no_markup(visit: Any, document: MonitorDocument) -> None:
    """What a page does that it should not do, `visit` finds."""
    row, model = document.traffic[0], document.models[0]
    rows = [row.model_copy(update={"prompt": text, "version": text, "errors": {text: 1}}) for text in XSS]
    models = [model.model_copy(update={"prompt": text, "response_model": text}) for text in XSS]
    hostile = document.model_copy(update={"traffic": rows, "models": models, "files": XSS, "problems": XSS})
    page = visit(render_page(hostile))
    assert page.locator("section.prompt").count() == len(set(XSS))
    assert page.locator("main script, main img, main iframe").count() == 0


@pytest.mark.parametrize(("size", "scheme"), first_daily([("desk", "light"), ("phone", "dark")]))
def test_axe_finds_nothing(size: str, scheme: str, visit: Any, text: str) -> None:
    """The policy forbids scripts of others, axe's too, so it is lifted here."""
    width, height = SIZES[size]
    page = visit(text, bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": height})
    assert find_violations(page) == []
