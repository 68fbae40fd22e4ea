"""What changed between two runs: only like is compared with like, and the words say what is not."""

import json
import re
from dataclasses import asdict

import pytest
from markdown_it import MarkdownIt
from support.gold_files import Gold
from support.hostile_payloads import XSS, planted, rich
from support.report_situations import SITUATIONS
from support.run_notation import comparison, report

from promptci.report.model.report import ReportView
from promptci.report.run_diff import compare, text
from promptci.report.run_diff.compare import PromptDiff


def get_prompt_diff(first: ReportView, second: ReportView) -> PromptDiff:
    (result,) = compare.compare_runs(first, second).prompts
    return result


def render_diff(first: ReportView, second: ReportView) -> str:
    return "\n".join(text.text_lines(compare.compare_runs(first, second)))


BEFORE = report(comparison("a | 1 | x | x | x\nb | 2 | x | x | x\nc | 3 | x | x | y\nd | 4 | x | x | y"))
AFTER = report(comparison("a | 1 | x | x | y\nb | 2 | x | x | x\nc | 3 | x | x | x\nd | 4 | x | x | z"))


def test_cases_that_broke_and_were_fixed_are_named() -> None:
    prompt_diff = get_prompt_diff(BEFORE, AFTER)
    assert (prompt_diff.regressions, prompt_diff.fixes, prompt_diff.reworded, prompt_diff.shared_cases) == (
        ("a",),
        ("c",),
        1,
        4,
    )
    assert prompt_diff.delta == 0
    assert (prompt_diff.before.quality, prompt_diff.after.quality) == (0.5, 0.5)  # type: ignore[union-attr]


def test_turning_it_round_turns_it_round() -> None:
    forth, back = get_prompt_diff(BEFORE, AFTER), get_prompt_diff(AFTER, BEFORE)
    assert (forth.regressions, forth.fixes) == (back.fixes, back.regressions)


def weigh(view: ReportView, weights: dict[str, float]) -> ReportView:
    (prompt,) = view.prompts
    cases = [case.model_copy(update={"weight": weights.get(case.id, 1.0)}) for case in prompt.case_details]
    return view.model_copy(update={"prompts": [prompt.model_copy(update={"case_details": cases})]})


def test_a_case_counts_by_its_weight_as_in_a_check() -> None:
    weights = {"a": 7.0}
    prompt_diff = get_prompt_diff(weigh(BEFORE, weights), weigh(AFTER, weights))
    assert (prompt_diff.before.quality, prompt_diff.after.quality) == (0.8, 0.2)  # type: ignore[union-attr]
    assert prompt_diff.delta == pytest.approx(-0.6)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_run_does_not_differ_from_itself(situation: str) -> None:
    view = SITUATIONS[situation]()
    for prompt in compare.compare_runs(view, view).prompts:
        assert (prompt.regressions, prompt.fixes, prompt.differences, prompt.reworded) == ((), (), (), 0)
        assert prompt.delta in (0, None)


def test_a_case_with_another_text_is_not_compared() -> None:
    changed = report(comparison("a | 1 | x | x | y\nb | other | x | x | y\nc | 3 | x | x | y\nd | 4 | x | x | y"))
    prompt_diff = get_prompt_diff(BEFORE, changed)
    assert (prompt_diff.shared_cases, prompt_diff.regressions) == (3, ("a",))
    assert [part.split(":")[0] for part in prompt_diff.differences] == ["goldens"]


def test_without_a_shared_case_there_is_no_number() -> None:
    prompt_diff = get_prompt_diff(BEFORE, report(comparison("z | 9 | x | x | x")))
    assert prompt_diff.delta is None
    assert prompt_diff.not_comparable == ("no evaluated case has the same text and judge in both",)


def test_another_model_behind_the_same_name_is_not_comparable() -> None:
    view = SITUATIONS["all_same"]()
    prompt = view.prompts[0]
    assert prompt.head is not None
    other = prompt.model_copy(update={"head": prompt.head.model_copy(update={"models": ["gpt-4o-mini-2026-01-01"]})})
    prompt_diff = get_prompt_diff(view, view.model_copy(update={"prompts": [other]}))
    assert prompt_diff.delta is None
    assert "and then with gpt-4o-mini-2026-01-01" in prompt_diff.not_comparable[0]
    assert prompt_diff.regressions == ()


def test_a_prompt_of_one_run_only_is_said() -> None:
    runs = compare.compare_runs(BEFORE, report())
    assert [p.presence for p in runs.prompts] == ["first only"]
    assert "tested in the first run only" in render_diff(BEFORE, report())
    assert "tested in the second run only" in render_diff(report(), BEFORE)
    assert "neither run tested a prompt" in render_diff(report(), report())


def test_it_is_json() -> None:
    json.dumps(asdict(compare.compare_runs(BEFORE, AFTER)))


def test_hostile_text_stays_text() -> None:
    for payload in XSS:
        view = planted(rich(), payload)
        page = MarkdownIt("commonmark").render(text.render_markdown(compare.compare_runs(view, rich())))
        assert not re.search(r"<(?!/?(h3|h4|ul|li|code|p|em)>)", page), page
        assert "\x1b" not in render_diff(view, rich())


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("broken_and_fixed", BEFORE, AFTER),
        ("other_goldens", BEFORE, report(comparison("z | 9 | x | x | x"))),
        ("regressed", SITUATIONS["all_same"](), SITUATIONS["regressed"]()),
        ("several", SITUATIONS["several_prompts"](), SITUATIONS["regressed"]()),
    ],
)
def test_the_words(name: str, first: ReportView, second: ReportView, gold: Gold) -> None:
    runs = compare.compare_runs(first, second)
    gold.check(f"between/{name}.txt", "\n".join(text.text_lines(runs)) + "\n")
    gold.check(f"between/{name}.md", text.render_markdown(runs))
