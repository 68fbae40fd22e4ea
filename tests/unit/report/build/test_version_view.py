"""What one version used and how its marks are spread: of every answer, and unknown as soon as one is unknown."""

from dataclasses import replace

from support.run_notation import comparison, many, report

from promptci.report.model.report import VersionView
from promptci.runs.prompt_plan import Status


def head(rows: str, kind: str = "equals") -> VersionView:
    result = report(comparison(rows, kind=kind)).prompts[0].head
    assert result is not None
    return result


def test_tokens_are_the_mean_of_all_answers() -> None:
    version = head("a | Hi | yes | yes | yes\nb | Hi | yes | yes | 12345678")
    assert (version.input_tokens, version.output_tokens) == (140.5, 1.5)


def test_tokens_are_unknown_as_soon_as_one_answer_does_not_say() -> None:
    run = comparison("a | Hi | yes | yes | yes\nb | Hi | yes | yes | yes")
    first, second = run.cases
    completion = second.head[0].answer.completion
    assert completion is not None
    answer = replace(second.head[0].answer, completion=replace(completion, usage=None))
    silent = replace(second, head=(replace(second.head[0], answer=answer),))
    result = report(replace(run, cases=(first, silent))).prompts[0]
    assert result.base is not None
    assert result.head is not None
    assert (result.base.input_tokens, result.head.input_tokens, result.head.output_tokens) == (140.5, None, None)


def test_marks_are_counted_by_tenths_and_a_full_mark_belongs_to_the_last() -> None:
    rows = "a | Hi | yes | x {0.1} | x {0}\nb | Hi | yes | x {0.3} | x {0.7} / x {1}\nc? | Hi | yes | x {1} | x {0.5}"
    assert head(rows, "llm").score_histogram == [1, 0, 0, 0, 0, 0, 0, 1, 0, 1]


def test_both_versions_are_shown_where_only_one_of_them_has_marks_between_none_and_full() -> None:
    rows = "a | Hi | yes | x {1} | x {0.5}\nb | Hi | yes | x {0} | x {1}"
    (prompt,) = report(comparison(rows, kind="llm")).prompts
    assert prompt.base is not None
    assert prompt.head is not None
    assert prompt.base.score_histogram == [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert prompt.head.score_histogram == [0, 0, 0, 0, 0, 1, 0, 0, 0, 1]


def test_a_prompt_that_is_right_or_wrong_has_no_spread_of_marks() -> None:
    assert head(many(right=3, broken=2)).score_histogram == []


def test_the_model_that_was_asked_for_stands_beside_the_one_that_answered() -> None:
    version = head("a | Hi | yes | yes | yes")
    assert (version.model_requested, version.models) == ("gpt-4o-mini", ["gpt-4o-mini-2024-07-18"])


def test_the_same_cases_have_the_same_digest_and_others_another() -> None:
    first, same, other = (
        report(comparison(rows)).prompts[0].goldens
        for rows in ("a | Hi | yes | yes | no", "a | Hi | yes | no | no", "a | Hi | no | yes | no")
    )
    assert first is not None
    assert len(first) == 64
    assert first == same != other


def test_a_version_that_was_asked_nothing_has_no_numbers() -> None:
    result = report(comparison("a | Hi | yes | - | yes", status=Status.ADDED)).prompts[0]
    assert result.base is None
    assert report(comparison("", status=Status.DELETED)).prompts[0].goldens is None
