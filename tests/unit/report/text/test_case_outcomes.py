"""Kinds of cases: what broke, and what is right less often than before."""

from support.run_notation import comparison, many, report

from promptci.report.export import sarif
from promptci.report.html import case_index, groups
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
    (row,) = case_index.case_rows(view, [groups.group_cases(view.prompts[0])])
    assert [numbers[0] for numbers in row.numbers] == [1, 0.5]
