"""Judging in pairs: both orders, what counts as a win, and how the answers are kept from judging themselves."""

import dataclasses
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assertion_cases import answer
from support.fake_judges import JUDGE, LLM, FakeJudge, answered

from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion, Request
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm
from promptci.scoring import score
from promptci.scoring.assertions.base import Subject
from promptci.scoring.judges import pairwise
from promptci.scoring.judges.judge import JudgeConfig
from promptci.scoring.judges.pairwise import PositionBias
from promptci.scoring.model import AssertionResult, PositionConsistency, ScoredCase

Verdict = Callable[[str, str], str | None]
"""What a judge says of a first and a second answer; None: its call fails."""


class Comparing:
    """A judge who compares, by a function of the two answers in the order in which they stand."""

    def __init__(self, verdict: Verdict) -> None:
        self.asked: list[Request] = []
        self._verdict = verdict

    async def ask(self, request: Request, attempt: int) -> Answer:
        self.asked.append(request)
        first, second = (message["content"].split("\n")[2] for message in request.messages[2:4])
        output = self._verdict(first, second)
        if output is None:
            return answered(request, attempt, error=AnswerError(kind="server", message="HTTP 500"))
        text = output if "{" in output else json.dumps({"reason": "so it is", "winner": output})
        return answered(request, attempt, completion=Completion(text=text, finish_reason="stop"))


def longer(first: str, second: str) -> str:
    return "first" if len(first) > len(second) else "second"


def case(*assertions: Assertion, case_id: str = "c") -> Case:
    return Case(id=case_id, vars={"input": "hi"}, assertions=assertions or (JUDGE,), path="g")


def make_answer(arm: Arm, text: str | None, **facts: Any) -> Answer:
    facts = {"prompt": "p", "case_id": "c", "replicate": 0, "request_key": "k", **facts}
    if text is None:
        return Answer(arm=arm, error=AnswerError(kind="server", message="HTTP 503"), **facts)
    return Answer(arm=arm, completion=Completion(text=text), **facts)


async def compared(
    judge: Comparing | FakeJudge, base: str | None, head: str | None, *assertions: Assertion, **config: Any
) -> tuple[ScoredCase, ScoredCase]:
    """Have the answers of both versions to one case marked."""
    answers = [make_answer(Arm.BASE, base), make_answer(Arm.HEAD, head)]
    judge_config = JudgeConfig(
        ask=judge.ask, **{"model": "m", "rubric": "Be kind.", "pairwise": frozenset({"p"}), **config}
    )
    of_base, of_head = await score.score_answers(answers, {"c": case(*assertions)}, judge_config)
    return of_base, of_head


def marks(scored: tuple[ScoredCase, ScoredCase]) -> list[tuple[bool | None, float | None, PositionConsistency | None]]:
    return [(m.passed, m.score, m.position_consistency) for scored_case in scored for m in scored_case.results]


async def test_what_wins_in_both_orders_passes_and_the_other_fails() -> None:
    judge = Comparing(longer)
    result = await compared(judge, "short", "a longer answer")
    assert marks(result) == [(False, 0.0, PositionConsistency.CONSISTENT), (True, 1.0, PositionConsistency.CONSISTENT)]
    assert len(judge.asked) == 2
    assert [m.name for scored_case in result for m in scored_case.results] == ["judge (pairwise)"] * 2
    assert [m.type for scored_case in result for m in scored_case.results] == ["judge"] * 2
    assert "worse in both orders: `so it is` (first is base)" in result[0].results[0].reason


async def test_both_versions_win_alike() -> None:
    assert marks(await compared(Comparing(longer), "a longer answer", "short")) == [
        (True, 1.0, PositionConsistency.CONSISTENT),
        (False, 0.0, PositionConsistency.CONSISTENT),
    ]


@pytest.mark.parametrize("always", ["first", "second"])
async def test_judge_position_swap_disagrees(always: str) -> None:
    result = await compared(Comparing(lambda *_: always), "one", "other")
    assert marks(result) == [(None, None, PositionConsistency.FLIPPED)] * 2
    assert "changed when the answers changed places" in result[0].results[0].reason
    assert pairwise.measure_position_bias(result) == PositionBias(pairs=1, flipped=1)


async def test_a_tie_in_both_orders_is_a_tie_and_no_flip() -> None:
    result = await compared(Comparing(lambda *_: "tie"), "one", "other")
    assert marks(result) == [(True, 0.5, PositionConsistency.CONSISTENT)] * 2
    assert pairwise.measure_position_bias(result) == PositionBias(pairs=1, flipped=0)


async def test_a_tie_in_one_order_only_is_a_flip() -> None:
    result = await compared(Comparing(lambda first, _: "tie" if first == "one" else "first"), "one", "other")
    assert marks(result) == [(None, None, PositionConsistency.FLIPPED)] * 2


async def test_an_answer_wins_against_a_request_that_cannot_be_answered_and_that_one_fails() -> None:
    refused = AnswerError(kind="context-length", message="too long", caused_by_request=True)
    answers = [make_answer(Arm.BASE, "here"), dataclasses.replace(make_answer(Arm.HEAD, None), error=refused)]
    judges = JudgeConfig(ask=Comparing(longer).ask, model="m", rubric="Be kind.", pairwise=frozenset({"p"}))
    scored = await score.score_answers(answers, {"c": case()}, judges)
    assert [(scored_case.passed, scored_case.score, scored_case.error) for scored_case in scored] == [
        (True, 1.0, None),
        (False, 0.0, None),
    ]


async def test_equal_texts_are_a_tie_and_nobody_is_asked() -> None:
    judge = Comparing(longer)
    result = await compared(judge, "same", "same")
    assert (marks(result), judge.asked) == ([(True, 0.5, PositionConsistency.NOT_COMPARED)] * 2, [])
    assert pairwise.measure_position_bias(result) is None


@pytest.mark.parametrize(
    ("base", "head", "missing"), [(None, "here", "base"), ("here", None, "head")], ids=["no base", "no head"]
)
async def test_an_answer_without_another_to_compare_with_is_missing_data(
    base: str | None, head: str | None, missing: str
) -> None:
    judge = Comparing(longer)
    result = await compared(judge, base, head)
    (only,) = [mark for scored_case in result for mark in scored_case.results]
    assert (only.passed, only.score, judge.asked) == (None, None, [])
    assert only.reason == f"unscored: there is no answer of {missing} to compare with (server: HTTP 503)"
    assert all(scored_case.passed is None for scored_case in result)


async def test_an_answer_whose_counterpart_was_never_asked_for_is_missing_data() -> None:
    judge_config = JudgeConfig(ask=Comparing(longer).ask, model="m", rubric="r", pairwise=frozenset({"p"}))
    (scored_case,) = await score.score_answers([make_answer(Arm.HEAD, "here")], {"c": case()}, judge_config)
    assert scored_case.error == ("unscored: judge (pairwise): unscored: there is no answer of base to compare with")


async def test_a_failed_call_and_a_judge_that_cannot_be_read_leave_both_unscored() -> None:
    fails = await compared(Comparing(lambda first, _: None if first == "one" else "first"), "one", "other")
    mumbles = await compared(
        Comparing(lambda first, _: '{"winner": 1}' if first == "other" else "first"), "one", "other"
    )
    for result, message in ((fails, "HTTP 500"), (mumbles, "could not be read, twice")):
        assert marks(result) == [(None, None, PositionConsistency.NOT_COMPARED)] * 2
        assert all(message in scored_case.results[0].reason for scored_case in result)


async def test_without_model_or_rubric_both_are_unscored() -> None:
    result = await compared(Comparing(longer), "one", "other", rubric=None)
    assert marks(result) == [(None, None, PositionConsistency.NOT_COMPARED)] * 2
    assert "judge.rubric" in result[0].results[0].reason


async def test_only_judge_assertions_of_named_prompts_are_compared() -> None:
    judge = FakeJudge(["yes"])
    result = await compared(judge, "one", "other", LLM, Assertion(type="contains", value="o"))
    assert [m.position_consistency for scored_case in result for m in scored_case.results] == [None] * 4
    graded = await compared(FakeJudge(['{"score": 5}']), "one", "other", pairwise=frozenset({"another"}))
    assert [(m.name, m.score, m.position_consistency) for scored_case in graded for m in scored_case.results] == [
        ("judge", 1.0, None)
    ] * 2
    assert (pairwise.has_pairwise_results(result), pairwise.has_pairwise_results(graded)) == (False, False)


async def test_several_assertions_and_replicates_keep_their_places_and_each_pair_is_asked_once() -> None:
    judge = Comparing(longer)
    named = Assertion(type="judge", name="kind", weight=2)
    golden_case = case(Assertion(type="contains", value="a"), JUDGE, named)
    answers = [
        make_answer(arm, "a" * (1 + i + (arm is Arm.HEAD)), replicate=i) for i in (1, 0) for arm in reversed(Arm)
    ]
    judge_config = JudgeConfig(ask=judge.ask, model="m", rubric="r", pairwise=frozenset({"p"}))
    scored = await score.score_answers(answers, {"c": golden_case}, judge_config)
    assert [(s.arm, s.replicate) for s in scored] == [(a.arm, a.replicate) for a in answers]
    for each in scored:
        assert [m.name for m in each.results] == ["contains", "judge (pairwise)", "kind (pairwise)"]
        assert [m.weight for m in each.results] == [1, 1, 2]
        assert [m.score for m in each.results[1:]] == [float(each.arm is Arm.HEAD)] * 2
    assert len(judge.asked) == 2 * 2 * 2
    assert pairwise.has_pairwise_results(scored)
    assert pairwise.measure_position_bias(scored) == PositionBias(pairs=4, flipped=0)


async def test_the_price_is_shared_by_the_two_answers_and_unknown_where_one_call_s_is() -> None:
    result = await compared(Comparing(longer), "one", "another")
    assert [m.cost_usd for scored_case in result for m in scored_case.results] == [Decimal("0.001")] * 2
    unknown = await compared(Comparing(lambda first, _: None if first == "one" else "first"), "one", "other")
    assert [m.cost_usd for scored_case in unknown for m in scored_case.results] == [None, None]


@pytest.mark.parametrize(
    ("message", "worth"),
    [
        pytest.param('```json\n{"winner": "first"}\n```', 1.0, id="judge_json_fenced"),
        pytest.param('I say {"winner": "second"} of the two.', 0.0, id="judge_json_prose_around"),
        pytest.param("{'winner': 'tie', 'reason': 'it\\'s even'}", 0.5, id="judge_json_single_quotes"),
        pytest.param('{"winner": "first",}', 1.0, id="judge_json_trailing_comma"),
        pytest.param('{"winner": "first"} no, {"winner": "second"}', 0.0, id="judge_json_two_objects"),
        pytest.param('{"reason": "because", "winner": "fir', None, id="judge_json_truncated"),
        pytest.param("", None, id="judge_json_empty"),
        pytest.param("| winner |\n|---|\n| first |", None, id="judge_json_markdown_table"),
        pytest.param('{"winner": "both"}', None, id="no such winner"),
        pytest.param('{"winner": ["first"]}', None, id="a list"),
        pytest.param('{"score": 5}', None, id="a grade"),
        pytest.param("first", None, id="a word"),
    ],
)
def test_a_verdict_is_read_or_nothing_is(message: str, worth: float | None) -> None:
    assert pairwise.parse_reply(message).score == worth


async def test_judge_truncated_at_max_tokens() -> None:
    """Half a verdict is not believed; the judge is asked once more, with twice the room, in either order."""
    message: list[str | None] = ['{"winner": "first"}', '{"winner": "tie"}'] * 2
    judge = FakeJudge(message, finishes=["length", "stop"] * 2)
    assert marks(await compared(judge, "one", "other")) == [(True, 0.5, PositionConsistency.CONSISTENT)] * 2
    assert [request.parameters["max_tokens"] for request in judge.asked] == [512, 1024] * 2


async def test_an_endpoint_that_knows_no_schema_is_asked_without() -> None:
    judge = FakeJudge(['{"winner": "tie"}'], knows=frozenset({"temperature", "max_tokens"}))
    assert marks(await compared(judge, "one", "other")) == [(True, 0.5, PositionConsistency.CONSISTENT)] * 2
    assert judge.refused == 1
    assert all(request.response_format is None for request in judge.asked)


def requested(first: str, second: str, asked: str = "hi") -> Request:
    golden_case = Case(id="c", vars={"input": asked}, assertions=(JUDGE,), path="g")
    sides = [Subject(text=text, case=golden_case, answer=answer(text)) for text in (first, second)]
    return pairwise.build_request(sides[0], sides[1], model="m", rubric="Be kind to {name}.")


@given(st.text(), st.text(), st.text())
def test_both_answers_are_whole_and_stand_between_delimiters_that_neither_can_close(
    first: str, second: str, asked: str
) -> None:
    system, question, first_part, other, last = (m["content"] for m in requested(first, second, asked).messages)
    nonce = first_part.split("\n")[1][1:17]
    assert first_part == f"The first answer:\n<{nonce}>\n{first}\n</{nonce}>"
    assert other == f"The second answer:\n<{nonce}>\n{second}\n</{nonce}>"
    assert question == f"What was asked:\n<{nonce}>\ninput: {asked}\n</{nonce}>"
    assert nonce not in first + second + asked
    assert nonce in system
    assert all("Be kind to {name}." in message for message in (system, last))


@given(st.text(), st.text())
def test_equal_pairs_are_asked_about_in_equal_words_so_that_the_cache_knows_them(first: str, second: str) -> None:
    assert requested(first, second).key == requested(first, second).key
    assert (requested(first, second).key == requested(second, first).key) is (first == second)


@given(st.lists(st.sampled_from([*PositionConsistency, None]), max_size=20))
def test_the_flip_rate_is_a_share_of_the_pairs_that_were_heard(orders: list[PositionConsistency | None]) -> None:
    assertion_result = AssertionResult(type="judge", name="x", passed=True, score=0.5, reason="")
    scored = [
        ScoredCase(
            case=case(),
            arm=arm,
            replicate=0,
            answer=make_answer(arm, "x"),
            results=(dataclasses.replace(assertion_result, position_consistency=order),),
        )
        for order in orders
        for arm in Arm
    ]
    heard = [order for order in orders if order in (PositionConsistency.CONSISTENT, PositionConsistency.FLIPPED)]
    bias = pairwise.measure_position_bias(scored)
    assert (bias.pairs if bias else 0) == len(heard)
    if bias is not None:
        assert bias.rate == heard.count(PositionConsistency.FLIPPED) / len(heard)
        assert bias.biased is (bias.rate > 0.2)


def test_no_pairs_are_no_bias() -> None:
    none = PositionBias(pairs=0, flipped=0)
    assert (none.rate, none.biased) == (0.0, False)
    assert not PositionBias(pairs=5, flipped=1).biased
