"""The first lines of a comment name verdict, worst prompt, cause and cost: all that many reviewers read."""

from dataclasses import replace

import pytest
from support.report_situations import SITUATIONS
from support.run_notation import NEW, OLD, comparison, many, prompt, report

from promptci.report.markdown import markdown_renderer

FIRST_LINES = 14


def first_lines(situation: str) -> str:
    comment = markdown_renderer.render_comment(SITUATIONS[situation]())
    return "\n".join(comment.splitlines()[:FIRST_LINES])


@pytest.mark.parametrize(
    ("situation", "needed"),
    [
        ("several_prompts", ("got worse", r"adds \$114.00 a month", "Could you tell me your order number?")),
        ("several_prompts", ("2 inconclusive (small-talk and old-greeting, deleted)",)),
        ("all_answers_failed", ("16 of 16 requests failed (no such model)", "no answers")),
        ("hostile_text", ("got worse (14 of 14 → 5 of 14)",)),
        ("line_endings_only", ("sends the model the same requests as before", "Merging changes no cost.")),
        ("advise_mode", ("order-extractor got worse: 58 of 60 before, 31 of 60 after (−45 points).\n",)),
        ("critical_broken", ("(refund-policy); over all cases 61 of 61 → 60 of 61.\n",)),
        ("new_prompt", (r"Merging adds \$196.50 a month", r"| \$196.50 |")),
        ("judge_not_trusted", (r"adds \$28.50 a month", "it passes 87.5% of the answers before and 66.7% after.")),
        ("too_many_answers_failed", (r"adds \$28.50 a month",)),
    ],
)
def test_verdict_prompt_cause_and_cost_stand_at_the_top(situation: str, needed: tuple[str, ...]) -> None:
    text = first_lines(situation)
    assert [part for part in needed if part not in text] == []


def test_a_broken_case_that_is_not_critical_stands_beside_a_critical_one() -> None:
    comment = markdown_renderer.render_comment(SITUATIONS["several_prompts"]())
    assert "Of the other broken cases, `mail-01`: expected `4711`, answered `Sure!" in comment


def test_a_new_name_is_told_with_what_follows_from_it() -> None:
    renamed = comparison(many(right=60), base=prompt("extract", OLD), head=prompt("order-extractor", NEW))
    text = report(renamed).headline
    assert "Renamed: order-extractor from extract; what loads it by name must follow." in text
    assert "Renamed" not in report(replace(renamed, plan=comparison(many(right=60)).plan)).headline


def test_a_judge_that_is_not_trusted_leaves_answers_to_read_and_blocks_nothing() -> None:
    comment = markdown_renderer.render_comment(SITUATIONS["judge_not_trusted"]())
    assert "**One case to read** of `order-extractor`: `m-0`" in comment
    assert "more labels may gain it trust. This does not block the merge." in comment


def test_a_shared_failure_is_a_sentence() -> None:
    comment = markdown_renderer.render_comment(SITUATIONS["judge_trusted"]())
    assert "`order-extractor`: all 7 answers that got worse fail `helpful`." in comment
