"""Classes and assertions: which lost most, counted before and now."""

from support import report_situations
from support.run_notation import comparison, report

from promptci.report.html import class_table
from promptci.report.model.report import MarkView, PromptView
from promptci.runs.prompt_plan import Status


def prompt(rows: str, **plan: object) -> PromptView:
    (result,) = report(comparison(rows, kind="one-of", **plan)).prompts  # type: ignore[arg-type]  # any field
    return result


def test_the_class_that_lost_most_comes_first() -> None:
    class_rows = class_table.class_rows(
        prompt("a | Hi | x | x | x\nb | Hi | y | y | x\nc | Hi | y | y | y\nd | Hi | z | x | z")
    )
    assert [(row.label, row.answers, row.before, row.after, row.change) for row in class_rows] == [
        ("y", 2, 1.0, 0.5, "−50 points"),
        ("x", 1, 1.0, 1.0, "0 points"),
        ("z", 1, 0.0, 1.0, "+100 points"),
    ]


def test_a_new_prompt_has_classes_without_a_before() -> None:
    (row,) = class_table.class_rows(prompt("a | Hi | x | - | x", status=Status.ADDED))
    assert (row.before, row.after, row.change) == (None, 1.0, "–")


def test_a_prompt_without_labels_has_no_classes() -> None:
    assert class_table.class_rows(report_situations.SITUATIONS["regressed"]().prompts[0]) == []


def marked(result: PromptView, *names: str) -> PromptView:
    """Return every answer these marks beside its own, failing now and passing before."""

    def extra_marks(passed: bool) -> list[MarkView]:
        return [
            MarkView(name=name, type="contains", passed=passed, score=float(passed), reason="", advisory=name == "hint")
            for name in names
        ]

    cases = []
    for case in result.case_details:
        assert case.base is not None
        assert case.head is not None
        base = case.base.model_copy(update={"marks": [*case.base.marks, *extra_marks(True)]})
        head = case.head.model_copy(update={"marks": [*case.head.marks, *extra_marks(False)]})
        cases.append(case.model_copy(update={"base": base, "head": head}))
    return result.model_copy(update={"case_details": cases})


def test_failing_assertions_are_counted_the_worst_first_and_what_informs_is_left_out() -> None:
    prompt_view = marked(prompt("a | Hi | x | x | y\nb | Hi | y | x | y"), "polite", "hint")
    assert [
        (assertion_failures.name, assertion_failures.before, assertion_failures.after, assertion_failures.answers)
        for assertion_failures in class_table.assertion_failures(prompt_view)
    ] == [
        ("polite", 0, 2, 2),
        ("one-of", 1, 1, 2),
    ]


def test_one_assertion_alone_needs_no_table() -> None:
    assert class_table.assertion_failures(prompt("a | Hi | x | x | y")) == []
