"""Answers of another model: a few that one version got by accident are missing, more make the versions incomparable."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import prompt_plan

from promptci.goldens.model import Assertion, Case
from promptci.prompts.model import Message, Prompt
from promptci.providers.base import Completion
from promptci.runs.model import Answer
from promptci.runs.prompt_plan import Arm, PromptPlan, Status
from promptci.scoring import odd_models
from promptci.scoring.model import AssertionResult, ScoredCase

HOLDS = AssertionResult(type="equals", name="equals", passed=True, score=1.0, reason="")


def plan(base_model: str = "m", head_model: str = "m") -> PromptPlan:
    versions = (
        Prompt(name="p", path="p.prompt.yml", model=name, messages=(Message(role="user", content=name),))
        for name in (base_model, head_model)
    )
    base, head = versions
    return prompt_plan(name="p", path="p.prompt.yml", status=Status.CHANGED, base=base, head=head)


Models = Sequence[str | None]


def answers(base: Models, head: Models) -> list[ScoredCase]:
    sides = zip(Arm, (base, head), strict=True)
    return [scored(arm, index, model) for arm, models in sides for index, model in enumerate(models)]


def scored(arm: Arm, index: int, model: str | None) -> ScoredCase:
    case = Case(id=f"c{index}", path="g", assertions=(Assertion(type="equals", value="x"),))
    answer = Answer(
        prompt="p",
        arm=arm,
        case_id=case.id,
        replicate=0,
        request_key=f"{arm}{index}",
        completion=Completion(text="x", model=model),
    )
    return ScoredCase(case=case, arm=arm, replicate=0, answer=answer, results=(HOLDS,))


def left_out(base: Models, head: Models) -> int:
    return sum(scored_case.error is not None for scored_case in odd_models.leave_out(plan(), answers(base, head)))


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        (["a"] * 60, ["a"] * 59 + ["b"], 1),
        (["a"] * 59 + ["b"], ["a"] * 60, 1),
        (["a"] * 59 + ["b"], ["a"] * 59 + ["c"], 2),
        (["a"] * 59 + ["b"], ["a"] * 59 + ["b"], 0),
        (["a"] * 60, ["b"] * 60, 0),
        (["a"] * 60, ["a"] * 50 + ["b"] * 10, 0),
        (["a"] * 400, ["a"] * 390 + ["b"] * 10, 0),
        (["a"] * 10, ["a"] * 9 + ["b"], 0),
        (["a"] * 60, [None] * 60, 0),
        (["a"] * 60, [None] * 59 + ["b"], 0),
        ([], [], 0),
    ],
    ids=[
        "one of head", "one of base", "one of each", "the same of both", "all", "too many", "more than chance",
        "too few answers", "not named", "one name", "none",
    ],
)  # fmt: skip
def test_only_a_few_answers_by_accident_are_left_out(base: Models, head: Models, expected: int) -> None:
    assert left_out(base, head) == expected


def test_an_answer_that_is_left_out_is_missing_and_says_why() -> None:
    *_, last = odd_models.leave_out(plan(), answers(["a"] * 60, ["a"] * 59 + ["b"]))
    assert (last.error, last.passed) == ("other-model: answered by b, all others by a", None)


def test_a_change_of_model_is_the_change_under_test() -> None:
    scored_cases = answers(["a"] * 60, ["a"] * 59 + ["b"])
    assert odd_models.leave_out(plan("m", "n"), scored_cases) == tuple(scored_cases)


MODELS = st.lists(st.sampled_from(["a", "a", "a", "a", "a", "a", "b", None]), max_size=60)


@given(base=MODELS, head=MODELS)
def test_the_versions_are_treated_alike(base: Models, head: Models) -> None:
    assert left_out(base, head) == left_out(head, base)
