"""Our own small drawings: they say in words what they show, hold nothing but numbers, and are the same bytes."""

import re
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup
from support import report_situations
from support.daily import some_daily
from support.hostile_payloads import XSS, planted, rich
from support.run_notation import comparison, many, report

from promptci.report.html import class_table, prompt_charts
from promptci.report.model.report import ReportView

ALLOWED = {"svg", "title", "desc", "rect", "line", "circle", "text", "path", "polyline"}


def drawings(view: ReportView) -> list[Markup]:
    result: list[Markup | None] = []
    for i, prompt in enumerate(view.prompts):
        result += [
            prompt_charts.change_strip(prompt, view, f"p{i}-change"),
            prompt_charts.score_chart(prompt, f"p{i}-marks"),
        ]
        result += [prompt_charts.earlier_versions_chart(prompt, f"p{i}-memory")]
        result += [prompt_charts.quality_chart(prompt, view.gate, f"p{i}-quality")]
        result += [prompt_charts.latency_chart(prompt, f"p{i}-latency")]
        result += [
            prompt_charts.class_strip(row, f"p{i}-class{j}") for j, row in enumerate(class_table.class_rows(prompt))
        ]
    return [drawing for drawing in result if drawing is not None]


def read_description(result: Markup | None) -> str:
    assert result is not None
    words = ET.fromstring(result).findtext("desc")  # noqa: S314 - what we drew ourselves
    assert words is not None
    return words


@pytest.mark.parametrize("situation", report_situations.SITUATIONS)
def test_a_drawing_has_no_style_no_link_and_is_named_by_its_words(situation: str) -> None:
    for drawing in drawings(report_situations.SITUATIONS[situation]()):
        root = ET.fromstring(drawing)  # noqa: S314 - what we drew ourselves
        assert {element.tag for element in root.iter()} <= ALLOWED
        for element in root.iter():
            assert not {key for key in element.attrib if key in ("style", "href") or key.startswith("on")}
        ids = [element.get("id") for element in root.iter() if element.get("id")]
        assert root.get("aria-labelledby") == " ".join(map(str, ids))
        assert root.get("role") == "img"
        assert root.findtext("title")
        assert root.findtext("desc")


@pytest.mark.parametrize("payload", some_daily(XSS, 8))
def test_what_others_wrote_becomes_no_tag_of_a_drawing(payload: str) -> None:
    shapes = [
        [element.tag for drawing in drawings(planted(rich(), text)) for element in ET.fromstring(drawing).iter()]  # noqa: S314
        for text in ("harmless", payload)
    ]
    assert shapes[0] == shapes[1]


def test_the_same_numbers_give_the_same_bytes() -> None:
    view = report_situations.SITUATIONS["advised_with_a_memory"]()
    assert drawings(view) == drawings(view)


def test_the_change_is_said_with_its_interval_and_the_margin() -> None:
    view = report_situations.SITUATIONS["regressed"]()
    assert read_description(prompt_charts.change_strip(view.prompts[0], view, "x")) == (
        "45 points worse; on these goldens a drop of up to 60 points is not excluded; the margin is 5 points."
    )


def test_all_changes_are_drawn_on_one_scale_that_shows_the_margin() -> None:
    lo, hi = prompt_charts.change_scale(report_situations.SITUATIONS["several_prompts"]())
    assert lo < -0.5
    assert hi > 0
    assert prompt_charts.change_scale(report(comparison(many(right=60))))[0] <= -0.075
    dots = [
        re.findall(r'<circle cx="([\d.]+)"', dot) for dot in drawings(report_situations.SITUATIONS["several_prompts"]())
    ]
    changes = [float(dot[0]) for dot in dots if len(dot) == 1]
    assert changes[0] < changes[-1]


def test_marks_are_counted_before_and_now() -> None:
    (prompt,) = report_situations.SITUATIONS["graded_with_repeats"]().prompts
    assert read_description(prompt_charts.score_chart(prompt, "x")) == (
        "before 8 at 0.7 to 0.8, 32 at 0.8 to 0.9, 8 at 0.9 to 1;"
        " after 6 at 0.5 to 0.6, 30 at 0.6 to 0.7, 6 at 0.7 to 0.8, 6 at 0.8 to 0.9."
    )


def test_a_prompt_that_is_right_or_wrong_has_no_spread_and_one_without_a_past_no_memory() -> None:
    (prompt,) = report_situations.SITUATIONS["regressed"]().prompts
    assert prompt_charts.score_chart(prompt, "x") is None
    assert prompt_charts.earlier_versions_chart(prompt, "x") is None


def test_earlier_versions_are_drawn_each_with_a_sign_of_its_verdict() -> None:
    (prompt,) = report_situations.SITUATIONS["advised_with_a_memory"]().prompts
    result = prompt_charts.earlier_versions_chart(prompt, "x")
    assert read_description(result) == (
        "2026-02-02, #22: 90% (pass); 2026-02-05, #25: 78.3% (fail); 2026-02-06, #26: 88.3% (inconclusive);"
        " 2026-02-14, #34: 96.7% (pass); before 96.7%; after 51.7%."
    )
    assert result is not None
    assert (result.count("<path"), result.count("<circle")) == (2, 4)


def test_a_class_is_drawn_before_and_now() -> None:
    prompt = report_situations.SITUATIONS["several_prompts"]().prompts[1]
    row = class_table.class_rows(prompt)[0]
    assert read_description(prompt_charts.class_strip(row, "x")) == "before 100%, after 50%."


def ranges(view: ReportView) -> list[str]:
    """Charts of quality and latency."""
    results = []
    for i, prompt in enumerate(view.prompts):
        results.append(prompt_charts.quality_chart(prompt, view.gate, f"p{i}-quality"))
        results.append(prompt_charts.latency_chart(prompt, f"p{i}-latency"))
    return [str(chart) for chart in results if chart is not None]


def test_a_drawing_uses_the_colours_of_the_page() -> None:
    for drawing in ranges(report_situations.SITUATIONS["regressed"]()):
        assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawing)) <= {
            "none",
            "var(--line-strong)",
            "var(--before)",
            "var(--after)",
            "var(--bad)",
        }


def test_a_drawing_says_what_it_shows() -> None:
    quality, latency = ranges(report_situations.SITUATIONS["regressed"]())
    assert "before 96.7%, after 51.7%; on these goldens a drop of up to 60 points is not excluded" in quality
    assert "after p50 854 ms, p95 1.22 s, p99 1.83 s." in latency


def test_a_new_prompt_is_drawn_with_the_interval_of_its_rate() -> None:
    quality = ranges(report_situations.SITUATIONS["new_prompt"]())[0]
    assert "83.3%, 95% interval 66.4% to 92.7%." in quality


def test_too_few_answers_make_no_drawing_of_latency() -> None:
    view = report(comparison("a | Hi | yes | yes | yes"))
    assert prompt_charts.latency_chart(view.prompts[0], "x") is None
    assert prompt_charts.quality_chart(view.prompts[0], view.gate, "x") is not None


def test_a_prompt_that_was_not_asked_is_not_drawn() -> None:
    view = report_situations.SITUATIONS["deleted"]()
    assert prompt_charts.quality_chart(view.prompts[0], view.gate, "x") is None


def test_the_extremes_are_drawn() -> None:
    for rows in (many(right=5), many(broken=5), many(fixed=5), many(wrong=5)):
        assert len(ranges(report(comparison(rows)))) == 2


def test_latencies_of_zero_are_drawn() -> None:
    view = report_situations.SITUATIONS["regressed"]()
    zero = view.prompts[0].latency_ms.base
    assert zero is not None
    zero = zero.model_copy(update={"p50": 0.0, "p95": 0.0, "p99": 0.0})
    latency = view.prompts[0].latency_ms.model_copy(update={"base": zero, "head": zero})
    assert prompt_charts.latency_chart(view.prompts[0].model_copy(update={"latency_ms": latency}), "x") is not None


@pytest.mark.parametrize("longest", [0.5, 1.0, 2.4, 4.0, 1830.0])
def test_no_two_numbers_of_the_scale_of_latency_read_alike(longest: float) -> None:
    prompt = report_situations.SITUATIONS["regressed"]().prompts[0]
    side = prompt.latency_ms.base
    assert side is not None
    side = side.model_copy(update={"p50": 0.0, "p95": longest, "p99": longest})
    both = prompt.latency_ms.model_copy(update={"base": side, "head": side})
    drawn = str(prompt_charts.latency_chart(prompt.model_copy(update={"latency_ms": both}), "x"))
    numbers = re.findall(r'text-anchor="middle"[^>]*>([^<]+)<', drawn)
    assert numbers
    assert len(numbers) == len(set(numbers))


def test_a_margin_below_nothing_right_is_not_drawn_at_nothing_right() -> None:
    assert "var(--bad)" in ranges(report(comparison(many(right=5))))[0]
    assert "var(--bad)" not in ranges(report(comparison(many(wrong=5))))[0]


def test_the_legend_says_what_the_bars_stand_for() -> None:
    view = report_situations.SITUATIONS["regressed"]()
    assert prompt_charts.describe_bars(view) == "Bar: drops that these goldens leave open."
    (prompt,) = view.prompts
    assert prompt.quality is not None
    of_inputs = prompt.model_copy(
        update={"name": "other", "quality": prompt.quality.model_copy(update={"on_goldens": None})}
    )
    both = view.model_copy(update={"prompts": [prompt, of_inputs]})
    assert prompt_charts.describe_bars(both) == (
        "Bar: drops that these goldens leave open; of other: the change for inputs like these."
    )
