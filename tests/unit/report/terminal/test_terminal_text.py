"""The lines below the headline at a terminal: why each prompt got its verdict, without a browser."""

import pytest
from support.assertion_cases import case, mark
from support.gold_files import Gold
from support.report_situations import SITUATIONS
from support.run_notation import comparison, problem, report

from promptci.report.terminal import case_lines
from promptci.report.terminal.styled_text import render_plain
from promptci.report.terminal.terminal_text import Detail, describe_run

KEPT = (
    "regressed",
    "edited_goldens",
    "shrunk_and_loosened_goldens",
    "same_prompt_new_goldens",
    "several_prompts",
    "all_answers_failed",
    "critical_broken",
    "graded_with_repeats",
    "hostile_text",
    "one_revision",
)


@pytest.mark.parametrize("situation", KEPT)
def test_lines_of_a_situation(situation: str, gold: Gold) -> None:
    gold.check(f"terminal/{situation}.txt", "".join(f"{line}\n" for line in lines(situation)))


def lines(situation: str) -> list[str]:
    return list(render_plain(describe_run(SITUATIONS[situation](), Detail())))


def test_both_golden_sets_stand_side_by_side() -> None:
    shown = [line.strip() for line in lines("edited_goldens")]
    assert any(line.startswith("by base's (these decide): ") for line in shown)
    assert any(line.startswith("by this change's: ") for line in shown)


def test_an_error_that_several_prompts_share_is_printed_once() -> None:
    prompt = SITUATIONS["all_answers_failed"]().prompts[0]
    view = SITUATIONS["all_answers_failed"]().model_copy(
        update={"prompts": [prompt.model_copy(update={"name": name}) for name in ("a", "b", "c")]}
    )
    (shown,) = [line for line in render_plain(describe_run(view, Detail())) if "no such model" in line]
    assert shown.startswith("  all 3 prompts: ")


def test_a_long_answer_is_cut_where_the_versions_differ() -> None:
    same = "The same long introduction. " * 100
    view = report(comparison(f"a | Hi | {same}It is yes | {same}It is yes | {same}It is no"))
    shown = "\n".join(render_plain(describe_run(view, Detail())))
    assert "It is [-yes-]" in shown
    assert "It is {+no+}" in shown


def test_texts_that_look_alike_are_told_apart_in_words() -> None:
    view = SITUATIONS["regressed"]().prompts[0]
    broken = next(each for each in view.case_details if each.head and each.head.marks and not each.head.passed)
    assert broken.head is not None
    reason = mark(case("equals", "Ann"), "Аnn").reason
    marks = [broken.head.marks[0].model_copy(update={"type": "equals", "passed": False, "reason": reason})]
    alike = broken.model_copy(update={"head": broken.head.model_copy(update={"marks": marks})})
    shown = "\n".join(render_plain(case_lines.describe_case_lines(alike, view, 0)))
    assert "should be U+0041 (LATIN CAPITAL LETTER A) and is U+0410 (CYRILLIC CAPITAL LETTER A)" in shown


def test_the_first_line_has_the_verdict_once_and_the_problem_once() -> None:
    assert case_lines.verdict_line("pass", "Pass: all is well.").text == "pass: all is well."
    assert case_lines.verdict_line("fail", "Blocked: it got worse.").text == "fail: it got worse."
    view = report(problems=[problem("input", "goldens/a.csv:1: no column `input`. Add it.")])
    assert view.headline.endswith("Add it.")
    assert not [line for line in render_plain(describe_run(view, Detail())) if "Add it." in line]


def test_the_first_of_several_problems_is_not_repeated_below_the_headline() -> None:
    texts = [f"goldens/a.csv:{row}: case `c{row}` has no variable `input`. Add it to row {row}." for row in (2, 3)]
    view = report(problems=[problem("input", text) for text in texts])
    assert view.headline.endswith("Add it to row 2 (and 1 more).")
    shown = "\n".join(render_plain(describe_run(view, Detail())))
    assert "row 2" not in shown
    assert "row 3" in shown


def test_what_prevents_asking_is_explained_once() -> None:
    rows = "a | Hi | b | !`KEY` is not set | !`KEY` is not set"
    view = report(comparison(rows), problems=[problem("provider", "`KEY` is not set. Run `export KEY=…` first.")])
    shown = "\n".join([view.headline, *render_plain(describe_run(view, Detail()))])
    assert (shown.count("is not set"), shown.count("export")) == (1, 1)
    assert "See the first error above" not in shown


def test_cases_that_do_not_count_are_said_beside_any_verdict() -> None:
    assert [line for line in lines("set_aside") if "excluded of 63 cases" in line]
