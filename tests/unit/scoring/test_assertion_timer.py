"""The processor time that the assertions of a whole run may take, and what becomes of what exceeds it."""

import time
from typing import Any

import pytest
from support.assertion_cases import answer, case

from promptci.goldens.model import Assertion, Case
from promptci.scoring import check_assertions, score
from promptci.scoring.assertions.assertion_timer import NOT_CHECKED, AssertionTimer

PATTERN, TEXT = "(a|aa)+[bd]", "a" * 22 + "c"
SLOW: tuple[tuple[str, Any, dict[str, Any], str], ...] = (
    ("regex", PATTERN, {}, TEXT),
    ("json-schema", {"pattern": PATTERN}, {}, f'"{TEXT}"'),
    ("json-path", 1, {"path": f"$[?search(@, '{PATTERN}')]"}, f'["{TEXT}"]'),
)
"""Assertions that take some hundredths of a second each, which no limit of a single assertion forbids."""


async def scored_reasons(golden_case: Case, text: str, timer: AssertionTimer, answers: int = 400) -> list[str]:
    scored = await score.score_answers([answer(text)] * answers, {golden_case.id: golden_case}, None, timer)
    return [result.reason for of_answer in scored for result in of_answer.results]


@pytest.mark.parametrize(("kind", "value", "options", "text"), SLOW, ids=lambda item: str(item)[:12])
async def test_many_checks_each_below_their_limit_end_at_the_limit_of_the_run(
    kind: str, value: Any, options: dict[str, Any], text: str
) -> None:
    golden_case, timer = case(kind, value, **options), AssertionTimer(0.3)
    assert check_assertions.find_problems([golden_case]) == []
    started = time.process_time()
    reasons = await scored_reasons(golden_case, text, timer)
    assert time.process_time() - started < 5
    assert 0 < reasons.count(NOT_CHECKED) < len(reasons)
    assert reasons.index(NOT_CHECKED) + reasons.count(NOT_CHECKED) == len(reasons)
    assert timer.error is not None
    assert timer.error.kind == "assertion-time"
    assert f"case `c` by `{kind}` (g.jsonl)" in timer.error.message


async def test_the_time_of_several_prompts_is_added_up() -> None:
    kind, value, options, text = SLOW[0]
    timer = AssertionTimer(0.3)
    await scored_reasons(case(kind, value, **options), text, timer)
    assert set(await scored_reasons(case("contains", "1"), text, timer, answers=3)) == {NOT_CHECKED}


async def test_a_run_within_its_time_has_no_error() -> None:
    timer = AssertionTimer(60)
    assert NOT_CHECKED not in await scored_reasons(case("regex", "P"), "P", timer)
    assert timer.error is None


def test_assertions_that_take_too_long_to_prepare_are_a_problem_that_names_a_case() -> None:
    cases = [
        Case(id=f"c{i}", path="g.jsonl", line=i + 1, assertions=(Assertion(type="regex", value=f"(a|b{i}){{400}}"),))
        for i in range(400)
    ]
    started = time.process_time()
    problems = check_assertions.find_problems(cases, limit_s=0.2)
    assert time.process_time() - started < 10
    assert "`run.assertion_time`" in problems[-1].message
    assert "more cases have the same problem" in problems[-1].message


@pytest.mark.parametrize(
    "assertion",
    [
        Assertion(type="contains", value="{{long}}" * 400),
        Assertion(type="contains-any", value=["{{long}}"] * 400),
        Assertion(type="equals", value={f"k{i}": "{{long}}" for i in range(400)}),
        Assertion(type="json-path", value=["{{long}}"] * 400, options={"path": "$"}),
        Assertion(type="regex", value="{{long}}" * 100),
        Assertion(
            type="llm",
            value={"model": "m", "prompt": "{{long}}" * 400, "choices": [{"choice": "yes", "score": 1}]},
        ),
        Assertion(
            type="llm",
            value={"model": "m", "prompt": "{{completion}}" * 11, "choices": [{"choice": "yes", "score": 1}]},
        ),
    ],
    ids=lambda assertion: assertion.type,
)
def test_variables_that_fill_the_memory_are_refused_before_anything_is_asked(assertion: Assertion) -> None:
    golden_case = Case(id="c", path="g.jsonl", line=1, vars={"long": "x" * 100_000}, assertions=(assertion,))
    (problem,) = check_assertions.find_problems([golden_case])
    assert "longer than" in problem.message or "more than 10 times" in problem.message
