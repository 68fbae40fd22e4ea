"""Our own small drawings: they say in words what they show, hold nothing but numbers, and are the same bytes."""

import re
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup
from support import report_situations
from support.hostile_payloads import XSS, planted, rich
from support.run_notation import comparison, many, report

from promptci.present import drawing
from promptci.report.html import class_table
from promptci.report.model.report import ReportView

ALLOWED = {"svg", "title", "desc", "rect", "line", "circle", "text", "path", "polyline"}


def drawings(view: ReportView) -> list[Markup]:
    found: list[Markup | None] = []
    for i, prompt in enumerate(view.prompts):
        found += [drawing.strip(prompt, view, f"p{i}-change"), drawing.marks(prompt, f"p{i}-marks")]
        found += [drawing.history(prompt, f"p{i}-history")]
        found += [drawing.class_strip(row, f"p{i}-class{j}") for j, row in enumerate(class_table.rows(prompt))]
    return [one for one in found if one is not None]


def said(found: Markup | None) -> str:
    assert found is not None
    words = ET.fromstring(found).findtext("desc")  # noqa: S314 - what we drew ourselves
    assert words is not None
    return words


@pytest.mark.parametrize("situation", report_situations.SITUATIONS)
def test_a_drawing_has_no_style_no_link_and_is_named_by_its_words(situation: str) -> None:
    for one in drawings(report_situations.SITUATIONS[situation]()):
        root = ET.fromstring(one)  # noqa: S314 - what we drew ourselves
        assert {element.tag for element in root.iter()} <= ALLOWED
        for element in root.iter():
            assert not {key for key in element.attrib if key in ("style", "href") or key.startswith("on")}
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert root.get("aria-labelledby") == " ".join(map(str, ids))
        assert root.get("role") == "img"
        assert root.findtext("title")
        assert root.findtext("desc")


@pytest.mark.parametrize("payload", XSS)
def test_what_others_wrote_becomes_no_tag_of_a_drawing(payload: str) -> None:
    shapes = [
        [element.tag for one in drawings(planted(rich(), text)) for element in ET.fromstring(one).iter()]  # noqa: S314
        for text in ("harmless", payload)
    ]
    assert shapes[0] == shapes[1]


def test_the_same_numbers_give_the_same_bytes() -> None:
    view = report_situations.SITUATIONS["advised_with_a_history"]()
    assert drawings(view) == drawings(view)


def test_the_change_is_said_with_its_interval_and_the_margin() -> None:
    view = report_situations.SITUATIONS["regressed"]()
    assert said(drawing.strip(view.prompts[0], view, "x")) == (
        "45 points worse; between 34.9 and 55.6 points worse (90% confidence); the margin is 5 points."
    )


def test_all_changes_are_drawn_on_one_scale_that_shows_the_margin() -> None:
    lo, hi = drawing.scale(report_situations.SITUATIONS["several_prompts"]())
    assert lo < -0.5
    assert hi > 0.1
    assert drawing.scale(report(comparison(many(right=60))))[0] <= -0.075
    dots = [
        re.findall(r'<circle cx="([\d.]+)"', one) for one in drawings(report_situations.SITUATIONS["several_prompts"]())
    ]
    changes = [float(one[0]) for one in dots if len(one) == 1]
    assert changes[0] < changes[-1]


def test_marks_are_counted_before_and_now() -> None:
    (prompt,) = report_situations.SITUATIONS["graded_with_repeats"]().prompts
    assert said(drawing.marks(prompt, "x")) == (
        "before 8 at 0.7 to 0.8, 32 at 0.8 to 0.9, 8 at 0.9 to 1;"
        " now 6 at 0.5 to 0.6, 30 at 0.6 to 0.7, 6 at 0.7 to 0.8, 6 at 0.8 to 0.9."
    )


def test_a_prompt_that_is_right_or_wrong_has_no_spread_and_one_without_a_past_no_history() -> None:
    (prompt,) = report_situations.SITUATIONS["regressed"]().prompts
    assert drawing.marks(prompt, "x") is None
    assert drawing.history(prompt, "x") is None


def test_earlier_versions_are_drawn_each_with_a_sign_of_its_verdict() -> None:
    (prompt,) = report_situations.SITUATIONS["advised_with_a_history"]().prompts
    found = drawing.history(prompt, "x")
    assert said(found) == (
        "2026-02-02, #22: 90% (pass); 2026-02-05, #25: 78.3% (fail); 2026-02-06, #26: 88.3% (undecided);"
        " 2026-02-14, #34: 96.7% (pass); before 96.7%; now 51.7%."
    )
    assert found is not None
    assert (found.count("<path"), found.count("<circle")) == (2, 4)


def test_a_class_is_drawn_before_and_now() -> None:
    prompt = report_situations.SITUATIONS["several_prompts"]().prompts[1]
    row = class_table.rows(prompt)[0]
    assert said(drawing.class_strip(row, "x")) == "before 100%, now 50%."
