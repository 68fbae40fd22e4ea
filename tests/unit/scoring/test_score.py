"""Answers in, scored cases out: weights, order, what was cut, and how fast."""

import asyncio
import time
from decimal import Decimal
from typing import Any

import pytest
from support.fake_judges import EVALUATOR, LLM, FakeJudge, answered

from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion, Request
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm
from promptci.scoring import score
from promptci.scoring.judges.judge import JudgeConfig


async def test_code_and_judge_marks_make_one_weighted_score() -> None:
    case = Case(
        id="c",
        vars={"input": "hi"},
        path="g",
        assertions=(
            Assertion(type="contains", value="Hello", weight=3),
            LLM,
            Assertion(type="equals", value="x", weight=0),
        ),
    )
    answer = Answer(
        prompt="p",
        arm=Arm.HEAD,
        case_id="c",
        replicate=0,
        request_key="k",
        completion=Completion(text="Hello", finish_reason="length"),
    )
    judge_config = JudgeConfig(ask=FakeJudge(["partly"]).ask)
    (scored,) = await score.score_answers([answer], {"c": case}, judge_config)
    assert scored.score == pytest.approx((3 * 1 + 1 * 0.25) / 4)
    assert scored.passed is True
    assert scored.results[2].reason.endswith("(the answer was cut at max_tokens)")


async def test_a_failed_answer_gets_no_marks() -> None:
    case = Case(id="c", path="g", assertions=(LLM,))
    failed = Answer(
        prompt="p",
        arm=Arm.HEAD,
        case_id="c",
        replicate=0,
        request_key="k",
        error=AnswerError(kind="server", message="x"),
    )
    judge = FakeJudge(["yes"])
    (scored,) = await score.score_answers([failed], {"c": case}, JudgeConfig(ask=judge.ask))
    assert (scored.results, scored.error, judge.asked) == ((), "server: x", [])


async def test_a_request_that_cannot_be_answered_is_a_wrong_answer_of_its_version() -> None:
    case = Case(id="c", path="g", assertions=(LLM, Assertion(type="contains", value="x")))
    error = AnswerError(kind="context-length", message="too long", caused_by_request=True)
    failed = Answer(prompt="p", arm=Arm.HEAD, case_id="c", replicate=0, request_key="k", error=error)
    judge = FakeJudge(["yes"])
    (scored,) = await score.score_answers([failed], {"c": case}, JudgeConfig(ask=judge.ask))
    assert (scored.passed, scored.score, scored.error, judge.asked) == (False, 0.0, None, [])
    assert "context-length: too long" in scored.results[0].reason


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"finish_reason": "length"}, "(the answer was cut at max_tokens)"),
        ({"finish_reason": "content_filter"}, "(a content filter stopped the answer)"),
        ({"finish_reason": "stop", "refusal": "No."}, "(the model refused to answer)"),
    ],
)
async def test_an_answer_that_was_stopped_is_marked_and_what_stopped_it_is_said_where_it_failed(
    facts: dict[str, Any], message: str
) -> None:
    assertions = (Assertion(type="contains", value="x"), Assertion(type="contains", value="Hello"), LLM)
    case = Case(id="c", vars={"input": "hi"}, path="g", assertions=assertions)
    answer = make_answer("c", "Hello", **facts)
    (scored,) = await score.score_answers([answer], {"c": case}, JudgeConfig(ask=FakeJudge(["no"]).ask))
    assert [mark.reason.endswith(message) for mark in scored.results] == [True, False, True]


async def test_every_answer_keeps_its_place_arm_and_replicate() -> None:
    case = Case(id="c", path="g", assertions=(Assertion(type="equals", value="2"),))
    answers = [make_answer("c", str(i), arm=arm, replicate=i) for i in (3, 2, 1) for arm in Arm]
    scored = await score.score_answers(answers, {"c": case}, None)
    assert [(scored_case.arm, scored_case.replicate, scored_case.passed) for scored_case in scored] == [
        (a.arm, a.replicate, a.replicate == 2) for a in answers
    ]


async def test_judges_are_asked_side_by_side_and_both_versions_are_judged_alike() -> None:
    at_once = most = 0
    asked: list[Request] = []

    async def ask(request: Request, attempt: int) -> Answer:
        nonlocal at_once, most
        asked.append(request)
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return answered(request, attempt, completion=Completion(text="yes"))

    assertions = (LLM, Assertion(type="llm", value={**EVALUATOR, "prompt": "Kind? {{completion}}"}))
    case = Case(id="c", vars={"input": "hi"}, path="g", assertions=assertions)
    answers = [make_answer("c", "Hello", arm=arm) for arm in Arm]
    scored = await score.score_answers(answers, {"c": case}, JudgeConfig(ask=ask))
    assert most == 4
    assert {request.key for request in asked[:2]} == {request.key for request in asked[2:]}
    assert scored[0].results == scored[1].results
    assert [mark.cost_usd for mark in scored[0].results] == [Decimal("0.001")] * 2


async def test_two_thousand_answers_with_four_assertions_each_are_marked_at_once() -> None:
    kinds: list[tuple[str, Any, dict[str, Any]]] = [
        ("regex", r"order (GH-\d+) of .*\d{4}", {"ignore_case": True}),
        ("json-path", "GH-77", {"path": "$.order.id"}),
        ("is-json", None, {"fenced": True}),
        ("contains", "GH-77", {}),
    ]
    assertions = tuple(Assertion(type=kind, value=value, options=options) for kind, value, options in kinds)
    text = (
        '{"order": {"id": "GH-77", "lines": [1, 2, 3]}, "text": "' + "the order GH-77 of May 2024 is late. " * 10 + '"}'
    )
    cases = {str(i): Case(id=str(i), path="g", assertions=assertions) for i in range(2000)}
    answers = [make_answer(str(i), text) for i in range(2000)]
    started = time.process_time()
    scored = await score.score_answers(answers, cases, None)
    took = time.process_time() - started
    assert all(scored_case.passed for scored_case in scored)
    assert took < 20.0, "it takes half a second where nothing else runs"


def make_answer(case_id: str, text: str, *, arm: Arm = Arm.HEAD, replicate: int = 0, **facts: Any) -> Answer:
    completion = Completion(text=text, **facts)
    return Answer(prompt="p", arm=arm, case_id=case_id, replicate=replicate, request_key="k", completion=completion)
