"""The view holds what was found, chooses the answers that show it, and never invents a number."""

from dataclasses import replace
from decimal import Decimal

import pytest
from support.report_situations import HOSTILE, SITUATIONS
from support.run_notation import BASE, HEAD, NEW, OLD, SPEND, Numbers, comparison, many, prompt, report

from promptci.config.policy import GatePolicy
from promptci.gates.decide import decide
from promptci.report.build import source_diff, view
from promptci.report.build.run_facts import RunFacts
from promptci.report.model import json_safe
from promptci.report.model.report import CaseView, PromptView, ReportView
from promptci.runs.prompt_plan import Status


def only(report_view: ReportView) -> PromptView:
    (result,) = report_view.prompts
    return result


def case(row: str, **facts: object) -> CaseView:
    (result,) = only(report(comparison(row, **facts))).case_details  # type: ignore[arg-type]  # any field
    return result


def test_the_facts_of_the_run_are_kept() -> None:
    report_view = report(comparison(many(right=60)), notes=("a note",))
    assert (report_view.base, report_view.head, report_view.spend, report_view.notes) == (BASE, HEAD, SPEND, ["a note"])
    assert (report_view.repository, report_view.pull_request, report_view.provider) == (
        "acme/shop",
        42,
        "api.openai.com",
    )
    assert report_view.gate.source == "promptci.yml at 1a2b3c4 (base)"
    assert report_view.schema_ == "promptci/report/v1"


def test_the_verdict_and_the_exit_code_are_the_gates() -> None:
    gate_report = decide([comparison(many(right=31, broken=27))], GatePolicy())
    report_view = view.build_view(gate_report, facts=RunFacts(head=HEAD, spend=SPEND))
    assert (
        (report_view.verdict, report_view.exit_code)
        == (gate_report.verdict.value, gate_report.exit_code)
        == ("fail", 1)
    )


def test_a_month_has_thirty_days_and_the_difference_is_exact() -> None:
    cost = only(report(comparison(many(right=60), numbers=Numbers(usd=(0.0001, 0.0003))))).cost_usd
    assert cost.delta_per_month == float(Decimal("0.0002") * 50_000 * 30)


def test_without_traffic_there_is_no_month() -> None:
    cost = only(report(comparison(many(right=60)), requests_per_day=None)).cost_usd
    assert (cost.delta_per_month, cost.base_per_request) == (None, 0.000112)


def test_an_unknown_price_stays_unknown() -> None:
    cost = only(report(comparison(many(right=60), numbers=Numbers(usd=(0.0001, None))))).cost_usd
    assert (cost.head_per_request, cost.delta_per_month) == (None, None)


def test_cases_needed_are_said_where_more_would_settle_it_and_only_there() -> None:
    undecided = only(report(comparison(many(right=20)))).quality
    settled = only(report(comparison(many(right=60)))).quality
    assert undecided is not None
    assert undecided.cases_needed
    assert undecided.cases_needed > 20
    assert settled is not None
    assert settled.cases_needed is None


def test_a_broken_case_shows_the_right_answer_of_before_and_the_wrong_one_of_now() -> None:
    case_view = case("a | Hi | yes | no / yes / yes | yes / no / nay")
    assert case_view.outcome == "broken"
    assert case_view.base is not None
    assert case_view.head is not None
    assert (case_view.base.text, case_view.head.text) == ("yes", "no")


def test_a_fixed_case_shows_the_wrong_answer_of_before_and_the_right_one_of_now() -> None:
    case_view = case("a | Hi | yes | yes / no / no | no / yes / yes")
    assert case_view.outcome == "fixed"
    assert case_view.base is not None
    assert case_view.head is not None
    assert (case_view.base.text, case_view.head.text) == ("no", "yes")


def test_a_case_without_an_answer_shows_the_error() -> None:
    case_view = case("a | Hi | yes | yes | !HTTP 503")
    assert case_view.outcome == "incomplete"
    assert case_view.head is not None
    assert (case_view.head.text, case_view.head.passed, case_view.head.error) == (None, None, "server: HTTP 503")


def test_a_case_that_is_wrong_in_both_shows_a_wrong_answer() -> None:
    case_view = case("a | Hi | yes | yes / no | yes / nay")
    assert case_view.outcome == "same"
    assert case_view.head is not None
    assert case_view.head.text == "nay"


def test_a_case_of_a_new_prompt_has_one_side() -> None:
    case_view = case("a | Hi | yes | - | yes", status=Status.ADDED)
    assert (case_view.outcome, case_view.base) == ("head-only", None)


def test_a_case_that_only_the_old_version_answered_is_named_so() -> None:
    case_view = case("a | Hi | yes | yes | -")
    assert (case_view.outcome, case_view.head) == ("base-only", None)


def test_a_refusal_is_shown_where_there_is_no_text() -> None:
    run = comparison("a | Hi | yes | yes | no")
    (pair,) = run.cases
    completion = pair.head[0].answer.completion
    assert completion is not None
    refused = replace(pair.head[0].answer, completion=replace(completion, text="", refusal="I cannot help."))
    changed = replace(run, cases=(replace(pair, head=(replace(pair.head[0], answer=refused),)),))
    answer = only(report(changed)).case_details[0].head
    assert answer is not None
    assert answer.text == "I cannot help."


def test_new_changed_removed_and_loosened_cases_are_listed_apart() -> None:
    rows = "a | Hi | yes | yes | yes\nb~ | Hi | yes | yes | yes\nc+ | Hi | yes | yes | yes"
    prompt_view = only(report(comparison(rows, removed_cases=("x",), loosened_cases=("b",))))
    assert (
        prompt_view.new_cases,
        prompt_view.changed_cases,
        prompt_view.removed_cases,
        prompt_view.weakened_cases,
    ) == (
        ["c"],
        ["b"],
        ["x"],
        ["b"],
    )
    assert (prompt_view.cases, prompt_view.pairs) == (3, 1)


def test_labels_are_counted_by_version() -> None:
    rows = "a | Hi | yes | yes | no\nb | Ho | no | no | no"
    prompt_view = only(report(comparison(rows, kind="one-of")))
    assert prompt_view.head is not None
    rates = [(row.label, row.counts, row.precision, row.recall) for row in prompt_view.head.labels]
    assert rates == [("no", {"no": 1, "yes": 0}, 0.5, 1.0), ("yes", {"no": 1, "yes": 0}, None, 0.0)]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_view_is_valid_unicode_and_has_no_lone_surrogate(situation: str) -> None:
    SITUATIONS[situation]().model_dump_json().encode()


def test_a_lone_surrogate_becomes_its_escape() -> None:
    assert "\\ud800" in SITUATIONS["hostile_text"]().headline
    assert "\ud800" in HOSTILE


def test_variables_are_spelled_as_people_read_them() -> None:
    assert json_safe.spell_variables({"mail": "Hi"}) == "Hi"
    assert json_safe.spell_variables({"mail": "Hi", "n": 3, "list": ["é"]}) == 'mail: Hi\nn: 3\nlist: ["é"]'
    assert json_safe.spell_variables({}) == ""


def test_a_number_that_is_none_is_unknown() -> None:
    results = [json_safe.number(value) for value in (float("nan"), float("inf"), None, Decimal("0.1"), 2)]
    assert results == [None, None, None, 0.1, 2.0]


def kinds(before: str, after: str) -> tuple[list[tuple[str, str]], str | None]:
    lines, note = source_diff.diff_sources(prompt("p", before), prompt("p", after))
    return [(line.kind, line.text) for line in lines], note


def test_the_diff_shows_lines_with_what_happened_to_them() -> None:
    lines, note = kinds("a\nb\nc\n", "a\nB\nc\n")
    assert lines == [("hunk", "@@ -1,3 +1,3 @@"), ("context", "a"), ("removed", "b"), ("added", "B"), ("context", "c")]
    assert note is None


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        ("a\nb\n", "a\r\nb\r\n", "Only the line endings changed."),
        ("a\rb\r", "a\nb\n", "Only the line endings changed."),
        ("a\nb\n", "a\nb", "Only the line break at the end of the file changed."),
        ("a\n", "a\n", "The prompt file is the same in both versions."),
    ],
)
def test_what_lines_cannot_show_is_said(before: str, after: str, note: str) -> None:
    assert kinds(before, after) == ([], note)


def test_changed_line_endings_beside_changed_lines_are_said() -> None:
    lines, note = kinds("a\nb\n", "a\r\nc\r\n")
    assert note == "The line endings changed too."
    assert ("removed", "b") in lines


def test_a_new_prompt_is_all_added_and_a_deleted_one_all_removed() -> None:
    added, _ = source_diff.diff_sources(None, prompt("p", "a\nb\n"))
    removed, _ = source_diff.diff_sources(prompt("p", "a\nb\n"), None)
    assert [line.kind for line in added] == ["hunk", "added", "added"]
    assert [line.kind for line in removed] == ["hunk", "removed", "removed"]


def test_a_moved_file_is_said_with_and_without_other_changes() -> None:
    base = replace(prompt("p", OLD), path="old/p.prompt.yml")
    _, alone = source_diff.diff_sources(base, prompt("p", OLD))
    lines, neighbours = source_diff.diff_sources(base, prompt("p", NEW))
    assert alone == "Moved from old/p.prompt.yml; the text is the same."
    assert neighbours == "Moved from old/p.prompt.yml."
    assert lines


def test_a_changed_include_is_said() -> None:
    base, head = prompt("p", OLD), replace(prompt("p", NEW), source=OLD)
    assert source_diff.diff_sources(base, head) == ([], "The prompt file is the same; a file that it includes changed.")


def test_a_very_long_file_is_not_diffed() -> None:
    lines, note = kinds("a\n" * 6000, "b\n" * 6000)
    assert lines == []
    assert note == "Too long for a diff here (6,000 lines before, 6,000 after); see `git diff`."
