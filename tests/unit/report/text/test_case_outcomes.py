"""Kinds of cases: what broke, and what is right less often than before."""

from support.run_notation import comparison, many, report

from promptci.report.export import sarif
from promptci.report.html import case_index, groups
from promptci.report.markdown import highlights
from promptci.report.model.case import MarkView
from promptci.report.text.cases import case_highlights
from promptci.report.text.cases.case_outcomes import score_change

NOISY = "n-{i} | Hi {i} | hi | hi / hi / hi / hi | hi / no / hi / no"


def noisy(count: int) -> str:
    return "\n".join(NOISY.replace("{i}", str(i)) for i in range(count))


def test_a_case_that_is_right_at_times_is_not_called_broken() -> None:
    view = report(comparison(noisy(6)))
    (prompt,) = view.prompts
    chosen = case_highlights.choose_highlights(prompt, 3)
    assert chosen.title == "6 cases less often right than before"
    assert [kind.title for kind, _ in groups.group_cases(prompt)] == ["Less often right"]
    assert {score_change(case) for case in prompt.case_details} == {-0.5}
    assert "right → right 50% of the time" in sarif.render(view)
    assert "right before, wrong after" not in sarif.render(view)


def test_broken_cases_and_cases_less_often_right_are_counted_apart() -> None:
    (prompt,) = report(comparison(f"{noisy(2)}\n{many(broken=3)}")).prompts
    title = case_highlights.choose_highlights(prompt, 3).title
    assert title == "3 broken cases, and 2 less often right than before"


def test_the_table_sorts_by_the_change_of_all_answers() -> None:
    view = report(comparison(noisy(1)))
    columns = case_index.CaseIndex(view, [groups.group_cases(view.prompts[0])]).columns()
    assert columns["score"] == [[1], [0.5]]


def test_a_comment_shows_one_case_of_each_failed_assertion_and_counts_them() -> None:
    rows = "\n".join(f"{kind}-{i} | {kind} {i} | {kind} | {kind} | no" for kind in ("ja", "ar") for i in range(6))
    (prompt,) = report(comparison(rows, kind="contains")).prompts
    cases = [
        case.model_copy(update={"head": case.head.model_copy(update={"marks": [_mark(case.id[:2])]})})
        for case in prompt.case_details
        if case.head
    ]
    prompt = prompt.model_copy(update={"case_details": cases})
    shown = case_highlights.choose_highlights(prompt, 5).cases
    assert {case.id[:2] for case in shown[:2]} == {"ja", "ar"}
    assert case_highlights.describe_shared_failures(prompt) == [
        "6 of 12 that got worse lack the text that they must contain (`says ja`)",
        "6 of 12 that got worse lack the text that they must contain (`says ar`)",
    ]


def _mark(kind: str) -> MarkView:
    return MarkView(name=f"says {kind}", type="contains", passed=False, score=0.0, reason="it does not")


def test_a_long_answer_begins_at_its_difference_and_says_what_is_left() -> None:
    start = "The same words again. " * 100
    view = report(comparison(f"a | Hi | {start}yes{start} | {start}yes{start} | {start}no{start}"))
    block = highlights.render_case(view.prompts[0].case_details[0], 300)
    (after,) = [line for line in block.splitlines() if line.startswith("+ after")]
    assert " no" in block[block.index(after) :][:160]
    assert "more characters, equal)" in block
    assert max(map(len, block.splitlines())) <= 90


def test_the_reason_of_a_label_does_not_repeat_the_expectation() -> None:
    mark = MarkView(name="one-of", type="one-of", passed=False, score=0.0, reason="should be the label `a`, was `b`")
    (case,) = report(comparison("a | Hi | account | account | product")).prompts[0].case_details
    assert case.head is not None
    case = case.model_copy(update={"head": case.head.model_copy(update={"marks": [mark]})})
    assert "why" not in highlights.render_case(case, 300)
