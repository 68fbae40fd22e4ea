"""Calls that wait for their turn while the asking ends, or the money does, are not made; what was billed is counted."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from fakes.openai_server import Call, OpenAIServer, Reply, completion, error, reply
from fakes.questions import kinds, pairs, run

from promptci.config.run_limits import RunLimits
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.known_limits import DEFAULT_CONCURRENCY
from promptci.providers.options import ModelPrice, ProviderOptions
from promptci.providers.prices import PriceList
from promptci.runs.budget import Budget
from promptci.runs.model import Answer

CASES = 100
PRICES = {"m": ModelPrice(input_usd=Decimal(1000), output_usd=Decimal(0))}


async def asked(
    answer: Callable[[Call], Reply | str], budget: Budget, *, cases: int = CASES, concurrency: int | None = None
) -> tuple[tuple[Answer, ...], list[Call]]:
    """Ask a real endpoint; gives the rows, and the calls that arrived."""
    with OpenAIServer(answer, latency_s=0.02) as server:
        provider = OpenAIProvider(ProviderOptions(base_url=server.base_url), key="k", concurrency=concurrency)
        try:
            questions = pairs(cases, parameters={"max_tokens": 1})
            rows = await run(questions, provider, budget=budget, limits=RunLimits(concurrency=concurrency))
        finally:
            await provider.aclose()
        return rows, server.calls


def used(read: int, **changes: object) -> Reply:
    """Return an answer of which the endpoint says that so many tokens were read."""
    usage = {"prompt_tokens": read, "completion_tokens": 1, "total_tokens": read + 1}
    return reply({**completion("fine", model="m"), "usage": usage, **changes})


@pytest.mark.parametrize(("status", "kind"), [(401, "auth"), (404, "not-found"), (307, "bad-request")])
@pytest.mark.parametrize("concurrency", [None, DEFAULT_CONCURRENCY])
async def test_a_wrong_key_is_shown_to_no_more_than_are_under_way(
    status: int, kind: str, concurrency: int | None
) -> None:
    rows, calls = await asked(lambda _: error(status, "no"), Budget(), concurrency=concurrency)

    assert kinds(rows) == {kind: 2 * CASES}
    assert len(calls) <= DEFAULT_CONCURRENCY


async def test_calls_that_cost_more_than_could_be_expected_end_the_run_with_those_under_way() -> None:
    """What a prompt has in tokens is an estimate; here each call takes a hundred times as many."""
    budget = Budget(Decimal(5), PriceList(ProviderOptions(kind="local", prices=PRICES)))
    rows, calls = await asked(lambda _: used(1000), budget)

    assert kinds(rows) == {"answered": len(calls), "budget": 2 * CASES - len(calls)}
    assert len(calls) == budget.spent_usd <= 5 + DEFAULT_CONCURRENCY
    (message,) = {row.error.message for row in rows if row.error}
    assert "cost more than estimated" in message
    assert "run.budget_usd" in message


async def test_an_answer_that_cannot_be_used_is_paid_for() -> None:
    def answer(call: Call) -> Reply | str:
        return used(30, choices=[]) if call.number % 2 else used(10)

    budget = Budget(None, PriceList(ProviderOptions(kind="local", prices=PRICES)))
    rows, calls = await asked(answer, budget, cases=5, concurrency=1)

    assert kinds(rows) == {"answered": 10}
    assert len(calls) == 19
    assert budget.spent_usd == 10 * Decimal("0.01") + 9 * Decimal("0.03")


async def test_what_an_answer_that_cannot_be_used_costs_may_be_unknown() -> None:
    budget = Budget(None, PriceList(ProviderOptions(kind="local")))
    rows, _ = await asked(lambda _: used(30, choices=None), budget, cases=1, concurrency=1)

    assert kinds(rows) == {"malformed": 2}
    assert budget.known_spend is None
    assert budget.unpriced_models == {"m"}
