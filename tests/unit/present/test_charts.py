"""Drawings may stand inline under the page's policy, say what they show, and are the same bytes every time."""

import re
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.report_situations import SITUATIONS
from support.run_notation import comparison, many, report

from promptci.present import charts, shapes
from promptci.report.model.report import ReportView


def drawings(view: ReportView) -> list[str]:
    found = []
    for i, prompt in enumerate(view.prompts):
        found += [charts.quality(prompt, view.gate, f"p{i}-quality"), charts.latency(prompt, f"p{i}-latency")]
    return [str(drawing) for drawing in found if drawing is not None]


DRAWN = [s for s in SITUATIONS if s not in ("no_prompts_changed", "deleted", "goldens_missing", "all_answers_failed")]


@pytest.mark.parametrize("situation", DRAWN)
def test_a_drawing_has_no_style_no_script_and_nothing_from_outside(situation: str) -> None:
    for drawing in drawings(SITUATIONS[situation]()):
        root = ET.fromstring(drawing)  # noqa: S314 - what we drew ourselves
        assert {element.tag for element in root.iter()} <= {"svg", "title", "desc", "line", "rect", "circle", "text"}
        for element in root.iter():
            assert not {key for key in element.attrib if key == "style" or key.startswith("on") or "xlink" in key}
            assert element.get("href", "#").startswith("#")
        assert "url(" not in re.sub(r"url\(#[\w-]+\)", "", drawing)


@pytest.mark.parametrize("situation", DRAWN)
def test_every_reference_in_a_drawing_has_its_target_and_no_two_drawings_share_one(situation: str) -> None:
    seen: set[str] = set()
    for drawing in drawings(SITUATIONS[situation]()):
        ids = re.findall(r' id="([^"]+)"', drawing)
        assert len(ids) == len(set(ids))
        assert not seen & set(ids)
        seen |= set(ids)
        assert set(re.findall(r'(?:href="#|url\(#)([\w-]+)', drawing)) <= set(ids)


def test_a_drawing_uses_the_colours_of_the_page() -> None:
    for drawing in drawings(SITUATIONS["regressed"]()):
        assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', drawing)) <= {
            "none",
            "var(--line-strong)",
            "var(--before)",
            "var(--now)",
            "var(--bad)",
        }


def test_a_drawing_says_what_it_shows() -> None:
    quality, latency = drawings(SITUATIONS["regressed"]())
    assert "before 96.7%, now 51.7%; between 34.9 and 55.6 points worse (90% confidence)." in quality
    assert "now p50 854 ms, p95 1.22 s, p99 1.83 s." in latency


def test_a_new_prompt_is_drawn_with_the_interval_of_its_rate() -> None:
    quality = drawings(SITUATIONS["new_prompt"]())[0]
    assert "now 83.3%, 95% interval 66.4% to 92.7%." in quality


def test_the_same_numbers_give_the_same_bytes() -> None:
    assert drawings(SITUATIONS["several_prompts"]()) == drawings(SITUATIONS["several_prompts"]())


def test_too_few_answers_make_no_drawing_of_latency() -> None:
    view = report(comparison("a | Hi | yes | yes | yes"))
    assert charts.latency(view.prompts[0], "x") is None
    assert charts.quality(view.prompts[0], view.gate, "x") is not None


def test_a_prompt_that_was_not_asked_is_not_drawn() -> None:
    view = SITUATIONS["deleted"]()
    assert charts.quality(view.prompts[0], view.gate, "x") is None


def test_the_extremes_are_drawn() -> None:
    for rows in (many(right=5), many(broken=5), many(fixed=5), many(wrong=5)):
        assert len(drawings(report(comparison(rows)))) == 2


def test_latencies_of_zero_are_drawn() -> None:
    view = SITUATIONS["regressed"]()
    zero = view.prompts[0].latency_ms.base
    assert zero is not None
    zero = zero.model_copy(update={"p50": 0.0, "p95": 0.0, "p99": 0.0})
    latency = view.prompts[0].latency_ms.model_copy(update={"base": zero, "head": zero})
    assert charts.latency(view.prompts[0].model_copy(update={"latency_ms": latency}), "x") is not None


@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e6), st.integers(2, 10))
def test_ticks_are_round_few_and_within(lo: float, width: float, most: int) -> None:
    hi = lo + width
    found = shapes.ticks(lo, hi, most)
    assert len(found) <= most + 1
    assert all(lo - 1e-6 * width <= value <= hi + 1e-6 * width for value in found)
    assert {f"{b - a:.0e}"[0] for a, b in pairwise(found)} <= {"1", "2", "5"}


@pytest.mark.parametrize(
    ("lo", "hi", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 1830, [0, 500, 1000, 1500]),
        (0.41, 1.0, [0.6, 0.8, 1.0]),
        (0.02, 0.1, [0.02, 0.04, 0.06, 0.08, 0.1]),
        (1, 1, []),
        (0, float("inf"), []),
    ],
)
def test_ticks_of_known_scales(lo: float, hi: float, expected: list[float]) -> None:
    assert shapes.ticks(lo, hi) == pytest.approx(expected)


@pytest.mark.parametrize("longest", [0.5, 1.0, 2.4, 4.0, 1830.0])
def test_no_two_numbers_of_the_scale_of_latency_read_alike(longest: float) -> None:
    prompt = SITUATIONS["regressed"]().prompts[0]
    side = prompt.latency_ms.base
    assert side is not None
    side = side.model_copy(update={"p50": 0.0, "p95": longest, "p99": longest})
    both = prompt.latency_ms.model_copy(update={"base": side, "head": side})
    drawn = str(charts.latency(prompt.model_copy(update={"latency_ms": both}), "x"))
    numbers = re.findall(r'text-anchor="middle"[^>]*>([^<]+)<', drawn)
    assert numbers
    assert len(numbers) == len(set(numbers))


def test_a_margin_below_nothing_right_is_not_drawn_at_nothing_right() -> None:
    assert "var(--bad)" in drawings(report(comparison(many(right=5))))[0]
    assert "var(--bad)" not in drawings(report(comparison(many(wrong=5))))[0]
