"""The table of all cases: every case is in it, what is read first comes first, and it knows how much room it has."""

from typing import Any

import pytest
from support import large_reports, report_situations
from support.hostile_payloads import rich
from support.run_notation import comparison, many, report

from promptci.report.html import case_index, case_table, groups, html_renderer
from promptci.report.html.case_table import CaseTable
from promptci.report.html.compressed_index import unpack
from promptci.report.model.report import ReportView
from promptci.report.text.cases import case_outcomes

ROOM = 10**9


def planned(view: ReportView, room: int = ROOM) -> CaseTable:
    return case_table.build_case_table(view, [groups.group_cases(prompt) for prompt in view.prompts], room)


def index_of(table: CaseTable) -> dict[str, Any]:
    result: Any = unpack(table.index)
    assert isinstance(result, dict)
    return result


def kinds_of(table: CaseTable) -> list[str]:
    index = index_of(table)
    return [index["kinds"][number][0] for number in index["kind"]]


def test_every_case_of_every_prompt_is_in_the_table_once() -> None:
    for situation in report_situations.SITUATIONS.values():
        view = situation()
        index = index_of(planned(view))
        result = sorted((index["prompts"][p], case) for p, case in zip(index["prompt"], index["id"], strict=True))
        assert result == sorted(
            (case_index.display_name(prompt.name), case_index.display_name(case.id))
            for prompt in view.prompts
            for case in prompt.case_details
        )


def test_every_kind_of_case_has_its_place_in_the_order() -> None:
    kinds = {
        kind.slug for kind in (*case_outcomes.GRADED_KINDS, *case_outcomes.SINGLE_VERSION_KINDS, case_outcomes.EXCLUDED)
    }
    assert kinds == set(case_index.KIND_ORDER)


def test_broken_cases_of_all_prompts_stand_before_any_other() -> None:
    kinds = kinds_of(planned(report_situations.SITUATIONS["several_prompts"]()))
    assert kinds == sorted(kinds, key=case_index.KIND_ORDER.index)
    assert kinds[0] == "broken"


def test_a_case_says_what_it_is_beside_how_it_fared() -> None:
    index = index_of(planned(rich()))
    flags = {
        case: set_
        for case, set_, prompt in zip(index["id"], index["flags"], index["prompt"], strict=True)
        if index["prompts"][prompt] == "order-extractor"
    }
    assert flags == {
        "a": case_index.CRITICAL | case_index.FLAKY,
        **dict.fromkeys("bcde", 0),
        "f": case_index.ERROR,
        "g": case_index.NEW,
        "h": case_index.CHANGED,
        "i": case_index.EXCLUDED,
    }


def test_choices_are_counted_and_a_class_is_there_only_for_label_tasks() -> None:
    table = planned(report_situations.SITUATIONS["several_prompts"]())
    assert {(c.value, c.count) for c in table.classes} == {("positive", 12), ("negative", 24), ("neutral", 24)}
    assert [(c.value, c.count) for c in table.tags] == [("refund", 41)]
    assert [c.count for c in table.prompts] == [125, 61, 60, 12]
    assert ("broken", 52) in {(c.value, c.count) for c in table.outcomes}
    assert planned(report_situations.SITUATIONS["regressed"]()).classes == ()


def test_worse_and_better_are_offered_where_they_are_of_several_kinds() -> None:
    rows = "a | Hi | yes | x {0.9} | y {0.8}\nb | Hi | yes | x {0.9} | y {0.1}\nc | Hi | yes | x {0.7} | y {0.8}"
    values = [choice.value for choice in planned(report(comparison(rows, kind="llm"))).outcomes]
    assert values[0] == "worse"
    assert "better" not in values


def test_names_that_are_cut_alike_stay_apart() -> None:
    first, other = (case_index.display_name("x" * 500 + end) for end in "ab")
    assert first != other
    assert len(first) < 125
    assert case_index.display_name("x" * 120) == "x" * 120
    assert case_index.display_name("a\nb\u202e") == "a\\nb\\u202e"


def test_figures_keep_four_digits_and_unknown_stays_unknown() -> None:
    assert [case_index._round_number(value) for value in (None, 0.0, 812.26, 0.00013149, 123456.0)] == [
        None,
        0,
        812.3,
        0.0001315,
        123500,
    ]


@pytest.mark.long
def test_texts_without_room_are_those_of_the_cases_read_last() -> None:
    view = large_reports.view(2500)
    whole = planned(view)
    assert whole.without_texts == 0
    table = planned(view, room=len(whole.index) + len(whole.blocks[0]) + 10)
    assert 0 < table.without_texts < 2500
    assert table.index == whole.index
    assert list(table.blocks) == list(whole.blocks[: len(table.blocks)])
    text = html_renderer.render_page(view)
    assert "to keep this file under 20 MB" not in text


def test_cases_that_have_no_room_even_in_the_index_are_counted() -> None:
    view = report(comparison(many(right=400)))
    (prompt,) = view.prompts
    long = [case.model_copy(update={"id": f"{i * 7919 % 401}" * 60}) for i, case in enumerate(prompt.case_details)]
    view = view.model_copy(update={"prompts": [prompt.model_copy(update={"case_details": long})]})
    table = planned(view, room=4000)
    assert 0 < table.size < 400
    assert table.size + table.left_out == 400
    assert len(table.index) <= 4000


def test_a_report_without_cases_has_no_table() -> None:
    assert 'id="cases"' not in report_situations.page("no_prompts_changed")
    assert 'id="cases"' not in report_situations.page("deleted")


def test_a_text_without_end_is_cut_and_its_length_kept() -> None:
    view = report(comparison(f"a | Hi | yes | yes | {'long ' * 9000}no"))
    (block,) = planned(view).blocks
    result: Any = unpack(block)
    texts, ((*_, now),) = result
    assert now[1] == 45_002
    assert max(map(len, texts)) == case_table.MAX_TEXT_CHARS
