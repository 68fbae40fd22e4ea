from decimal import Decimal
from typing import Any

import pytest

from promptci.providers.base import Request, Usage, make_embedding_request
from promptci.runs.estimate import DEFAULT_OUTPUT_TOKENS, RunEstimate, estimate_max_usage, estimate_questions
from promptci.runs.model import Question
from promptci.runs.prompt_plan import Arm


def asking(text: str = "x" * 40, model: str = "known", **parameters: Any) -> Request:
    return Request(model=model, messages=({"role": "user", "content": text},), parameters=parameters)


def question(request: Request, case_id: str = "a", arm: Arm = Arm.HEAD, replicate: int = 0) -> Question:
    return Question(prompt="p", arm=arm, case_id=case_id, replicate=replicate, request=request)


def price(model: str, usage: Usage, _endpoint: str) -> Decimal | None:
    if model == "unknown":
        return None
    return Decimal(usage.input_tokens) + 10 * Decimal(usage.output_tokens)


def test_the_longest_answer_is_what_the_parameters_allow() -> None:
    assert estimate_max_usage(asking(max_tokens=7)) == Usage(input_tokens=14, output_tokens=7)
    assert estimate_max_usage(asking(max_completion_tokens=5, max_tokens=7)).output_tokens == 5


@pytest.mark.parametrize("limit", [None, 0, -1, "many", True, 1.5])
def test_without_a_limit_that_is_one_the_stated_default_is_taken(limit: Any) -> None:
    assert estimate_max_usage(asking(max_tokens=limit)).output_tokens == DEFAULT_OUTPUT_TOKENS
    assert estimate_max_usage(asking()).output_tokens == DEFAULT_OUTPUT_TOKENS


def test_an_embedding_is_read_and_writes_nothing() -> None:
    assert estimate_max_usage(make_embedding_request("e", "x" * 40)) == Usage(input_tokens=10, output_tokens=0)


def test_what_is_asked_twice_is_paid_once() -> None:
    shared = asking(max_tokens=7)
    asked = (
        question(shared, arm=Arm.BASE),
        question(shared),
        question(shared, replicate=1),
        question(asking("other", max_tokens=1), "b"),
    )

    assert estimate_questions(asked, price) == RunEstimate(
        prompts=1,
        cases=2,
        calls=4,
        distinct_calls=3,
        input_tokens=14 + 14 + 6,
        output_tokens=7 + 7 + 1,
        usd=Decimal(14 + 70 + 14 + 70 + 6 + 10),
        usd_is_lower_bound=False,
    )


def test_an_unknown_price_makes_the_sum_a_lower_bound() -> None:
    questions = estimate_questions((question(asking(max_tokens=1)), question(asking(model="unknown"), "b")), price)

    assert (questions.usd, questions.usd_is_lower_bound) == (Decimal(24), True)


def test_unknown_prices_only_make_no_sum_at_all() -> None:
    questions = estimate_questions((question(asking(model="unknown")),), price)

    assert (questions.usd, questions.usd_is_lower_bound) == (None, True)


def test_nothing_to_ask_costs_nothing() -> None:
    questions = estimate_questions((), price)

    assert (questions.calls, questions.usd, questions.usd_is_lower_bound) == (0, Decimal(0), False)
