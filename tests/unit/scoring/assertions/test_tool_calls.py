"""`tool-calls`: names, arguments by equality or by schema, in order or in any."""

import asyncio
import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assertion_cases import answer, case

from promptci.providers.base import Completion, ToolCall
from promptci.scoring import check_assertions, score
from promptci.scoring.assertions import tool_calls
from promptci.scoring.assertions.base import CheckOutcome, Subject

FIND = {"name": "find", "arguments": {"id": "A1"}}
SEND = {"name": "send"}
SCHEMA = {"name": "find", "schema": {"type": "object", "required": ["id"], "properties": {"id": {"pattern": "^A"}}}}


def check(value: list[Any], *actual_calls: tuple[str, Any], **options: Any) -> CheckOutcome:
    golden_case = case("tool-calls", value, **options)
    assert check_assertions.find_problems([golden_case]) == []
    calls = tuple(ToolCall(name=name, arguments=a if isinstance(a, str) else json.dumps(a)) for name, a in actual_calls)
    completed = replace(answer(""), completion=Completion(text="", tool_calls=calls))
    return tool_calls.check(golden_case.assertions[0], Subject(text="", case=golden_case, answer=completed))


FOUND: tuple[str, Any] = ("find", {"id": "A1"})
SENT: tuple[str, Any] = ("send", {})


@pytest.mark.parametrize(
    ("value", "actual_calls", "options", "passed"),
    [
        ([FIND], [FOUND], {}, True),
        ([FIND], [("find", '{ "id" : "A1" }')], {}, True),
        ([FIND], [("find", {"id": "A2"})], {}, False),
        ([FIND], [("find", "not json")], {}, False),
        ([FIND], [("find", '{"id": NaN}')], {}, False),
        ([FIND], [], {}, False),
        ([], [], {}, True),
        ([], [FOUND], {}, False),
        ([{"name": "find", "arguments": {"id": "{{customer}}"}}], [("find", {"id": "Ann"})], {}, True),
        ([SCHEMA], [FOUND], {}, True),
        ([SCHEMA], [("find", {"id": "B1"})], {}, False),
        ([SCHEMA], [("find", {})], {}, False),
        ([FIND, SEND], [FOUND, SENT], {}, True),
        ([FIND, SEND], [SENT, FOUND], {}, False),
        ([FIND, SEND], [SENT, FOUND], {"order": "any"}, True),
        ([FIND, FIND], [FOUND], {"order": "any", "others": True}, False),
        ([SEND], [FOUND, SENT], {}, False),
        ([SEND], [FOUND, SENT], {"others": True}, True),
        ([{"name": "find"}, FIND], [FOUND, ("find", {"id": "B1"})], {"order": "any"}, True),
    ],
)
def test_calls_that_fit_and_calls_that_do_not(
    value: list[Any], actual_calls: list[tuple[str, Any]], options: dict[str, Any], passed: bool
) -> None:
    outcome = check(value, *actual_calls, **options)
    assert outcome.passed is passed
    assert outcome.reason.startswith("should call ")


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=5), st.lists(st.sampled_from(["a", "b", "c"]), max_size=4))
def test_any_order_is_what_some_permutation_in_order_is(actual_calls: list[str], expected: list[str]) -> None:
    value = [{"name": name} for name in expected]
    calls: list[tuple[str, Any]] = [(name, {}) for name in actual_calls]
    options = {"others": True} if expected else {}
    in_any = check(value, *calls, order="any", **options).passed
    assert in_any == any(check(value, *order, **options).passed for order in itertools.permutations(calls))


@pytest.mark.parametrize(
    ("value", "options", "message"),
    [
        ("find", {}, "must be a list"),
        ([{"tool": "find"}], {}, "`name` of a tool"),
        ([{"name": "find", "argument": {}}], {}, "Did you mean `arguments`?"),
        ([{"name": "find", "arguments": {}, "schema": {}}], {}, "either `arguments` or `schema`"),
        ([{"name": "find", "schema": {"type": "thing"}}], {}, "thing"),
        ([{"name": "find", "arguments": {"id": "{{nobody}}"}}], {}, "no variable `nobody`"),
        ([], {"others": True}, "every answer would pass"),
        ([FIND], {"order": "some"}, "`same` or `any`"),
    ],
)
def test_a_mistake_in_the_assertion_is_named(value: Any, options: dict[str, Any], message: str) -> None:
    (problem,) = check_assertions.find_problems([case("tool-calls", value, **options)])
    assert message in str(problem)


@pytest.mark.parametrize("kind", ["not-contains", "length", "equals"])
def test_an_answer_that_only_calls_a_tool_fails_every_assertion_about_its_text(kind: str) -> None:
    golden_case = {
        "not-contains": case("not-contains", "sorry"),
        "length": case("length", max=100),
        "equals": case("equals", "", trim=False),
    }[kind]
    completed = replace(answer(""), completion=Completion(text="", tool_calls=(ToolCall(name="find"),)))
    (scored,) = asyncio.run(score.score_answers([completed], {"c": golden_case}, None))
    assert (scored.passed, scored.results[0].reason) == (False, "the model called the tool `find` and wrote no answer")
