"""What is asked again, and how often."""

import pytest
from support.comparison_notation import comparison, prompt

from promptci.config.run_limits import RunLimits
from promptci.providers.base import Request
from promptci.runs import adaptive_repeats
from promptci.runs.model import Question
from promptci.runs.prompt_plan import Arm, PlannedCase, PromptPlan
from promptci.scoring.model import ScoredCase
from promptci.scoring.prompt_run import PromptRun

REQUEST = Request(model="m", messages=())


def prepared(result: PromptRun, limits: RunLimits) -> PromptPlan:
    return adaptive_repeats.prepare(result.plan, limits)


def times(result: PromptRun, limits: RunLimits) -> list[int]:
    plan = prepared(result, limits)
    return [adaptive_repeats.max_repeats(plan, planned, limits) for planned in plan.task.cases]


def asked_on(rows: str, limits: RunLimits) -> set[tuple[str, str, int]]:
    """Name what is asked after the first answers that these rows hold: case, version, replicate."""
    run = comparison(rows)
    plan = prepared(run, limits)
    questions = tuple(
        Question(prompt="greeter", arm=arm, case_id=planned.case.id, replicate=replicate, request=REQUEST)
        for planned in plan.task.cases
        for replicate in range(adaptive_repeats.max_repeats(plan, planned, limits))
        for arm in Arm
    )
    put_off = [question for question in questions if question.replicate >= limits.repeats]
    scored: list[ScoredCase] = [scored_case for case in run.cases for scored_case in (*case.base, *case.head)]
    return {
        (q.case_id, str(q.arm), q.replicate)
        for q in adaptive_repeats.find_follow_ups(plan, put_off, {s.answer.key: s.passed for s in scored})
    }


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (RunLimits(), [1, 5, 1, 1, 1]),
        (RunLimits(repeats=2), [2, 5, 2, 2, 2]),
        (RunLimits(repeats=5), [5, 5, 5, 5, 5]),
        (RunLimits(repeats=7), [7, 7, 7, 7, 7]),
        (RunLimits(repeats=1, repeats_on_disagreement=2), [2, 5, 1, 1, 1]),
        (RunLimits(repeats=1, repeats_on_disagreement=4), [4, 5, 1, 1, 1]),
        (RunLimits(repeats=1, repeats_on_disagreement=6), [6, 6, 1, 1, 1]),
    ],
)
def test_how_often_a_case_may_be_asked(limits: RunLimits, expected: list[int]) -> None:
    """Plain, critical, new, changed, excluded. A critical case may need five answers to be confirmed."""
    assert times(comparison("a 1 1\nb* 1 1\nc - 1\nd~ 1 1\ne*? 1 1"), limits) == expected


def test_a_critical_case_is_asked_as_often_as_its_confirmation_needs() -> None:
    assert times(comparison("a 1 1\nb* 1 1", plan={"confirmation_answers": 9}), RunLimits()) == [1, 9]


def test_one_version_or_the_same_twice_is_asked_no_more() -> None:
    limits = RunLimits(repeats=1, repeats_on_disagreement=3)
    assert times(comparison("a* 1 1", plan={"base": prompt("new")}), limits) == [1]
    assert times(comparison("a* 1 1", plan={"base": None}), limits) == [1]


def test_marks_are_not_asked_on_and_it_is_said() -> None:
    limits = RunLimits(repeats=1, repeats_on_disagreement=3)
    graded = comparison("a 0.4 0.5", graded=True)
    plan = prepared(graded, limits)
    assert (plan.task.adaptive, plan.task.first_repeats) == (False, 1)
    message = "greeter: quality is a mean of marks here, so no case is asked again where versions differ"
    assert adaptive_repeats.note(plan, limits) == message
    assert adaptive_repeats.note(prepared(graded, RunLimits()), RunLimits()) is None
    assert prepared(comparison("a 1 1"), limits).task.adaptive


def test_where_versions_disagree_both_are_asked_on() -> None:
    rows = "same 1 1\nbroke 1 0\nmended 0 1\nlost 1 !"
    expected = {(case, arm, r) for case in ("broke", "mended") for arm in ("base", "head") for r in (1, 2)}
    assert asked_on(rows, RunLimits(repeats=1, repeats_on_disagreement=3)) == expected


def test_of_critical_cases_only_those_that_base_passed_and_head_did_not() -> None:
    rows = "broke* 1 0\nfixed* 0 1\nsame* 1 1\nplain 1 0\nlost* ! 0\nsilent* 1 !\nquiet 1 !"
    expected = {(case, arm, r) for case in ("broke", "silent") for arm in ("base", "head") for r in (1, 2, 3, 4)}
    assert asked_on(rows, RunLimits()) == expected


def test_what_was_asked_on_does_not_ask_for_more() -> None:
    """Only the first answers count, so asking twice gives the same."""
    limits = RunLimits(repeats=1, repeats_on_disagreement=3)
    once, again = asked_on("a 1 0", limits), asked_on("a 1,1,1 0,1,1", limits)
    assert once == again != set()


@pytest.mark.parametrize(
    ("base", "head", "adaptive", "asks"),
    [
        ([True], [False], True, True),
        ([False], [True], True, True),
        ([False], [True], False, False),
        ([True], [False], False, True),
        ([True, False], [False, True], True, False),
        ([True, False], [False, False], False, False),
        ([True, True], [True, False], False, True),
        ([True], [None], True, False),
        ([None], [False], True, False),
        ([True], [True, False], True, False),
        ([], [], True, False),
        ([], [], False, False),
    ],
)
def test_when_a_case_is_asked_on(base: list[bool | None], head: list[bool | None], adaptive: bool, asks: bool) -> None:
    assert adaptive_repeats.needs_repeat(base, head, adaptive=adaptive) is asks


def test_planned_cases_are_left_as_they_are() -> None:
    run = comparison("a 1 1")
    assert prepared(run, RunLimits()) == run.plan.with_estimate(1)
    assert isinstance(run.plan.task.cases[0], PlannedCase)
