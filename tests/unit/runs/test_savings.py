"""What was saved is counted where the price is known, and said in one sentence."""

from dataclasses import replace
from decimal import Decimal

import pytest
from fakes.provider import FakeProvider
from fakes.questions import pairs, question, run

from promptci.providers.base import Completion, Request, Usage
from promptci.providers.options import ModelPrice, ProviderOptions
from promptci.providers.prices import PriceList
from promptci.runs.budget import Budget
from promptci.runs.prompt_plan import Arm
from promptci.runs.savings import Savings

PRICES = PriceList(
    ProviderOptions(
        kind="local",
        prices={
            "m": ModelPrice(input_usd=Decimal(10), output_usd=Decimal(20), cached_input_usd=Decimal(1)),
            "plain": ModelPrice(input_usd=Decimal(10), output_usd=Decimal(20)),
        },
    )
)


def completion(cached_tokens: int = 0, *, batched: bool = False) -> Completion:
    usage = Usage(input_tokens=1000, output_tokens=100, cached_input_tokens=cached_tokens)
    return Completion(text="yes", usage=usage, batched=batched)


def asking(model: str) -> Request:
    return Request(model=model, messages=({"role": "user", "content": "x"},))


def test_tokens_that_the_endpoint_had_cached_have_their_own_price() -> None:
    assert PRICES.price_completion("m", completion()) == Decimal("0.012")
    assert PRICES.price_completion("m", completion(800)) == Decimal("0.0048")
    assert PRICES.price_completion("plain", completion(800)) == Decimal("0.012")


def test_what_cached_tokens_saved_is_the_difference_to_their_full_price() -> None:
    budget = Budget(prices=PRICES)
    assert budget.settle(Decimal(0), asking("m"), completion(800)) == Decimal("0.0048")
    assert budget.settle(Decimal(0), asking("m"), completion()) == Decimal("0.012")
    assert budget.savings == Savings(cached_tokens=800, cached_tokens_usd=Decimal("0.0072"))


@pytest.mark.parametrize("model", ["plain", "unknown"])
def test_without_a_price_for_them_cached_tokens_are_counted_all_the_same(model: str) -> None:
    budget = Budget(prices=PRICES)
    budget.settle(Decimal(0), asking(model), completion(800))
    budget.settle(Decimal(0), asking(model), None)
    assert budget.savings == Savings(cached_tokens=800)


def test_a_batch_saves_half() -> None:
    budget = Budget(prices=PRICES)
    budget.charge_resumed("m", completion(batched=True), Decimal("0.012"))
    budget.charge_resumed("m", completion(), Decimal("0.012"))
    budget.charge_resumed("unknown", completion(batched=True), None)
    assert (budget.spent_usd, budget.savings) == (Decimal("0.018"), Savings(batch_usd=Decimal("0.006")))


async def test_equal_requests_of_several_prompts_and_versions_are_paid_once_and_the_others_are_saved() -> None:
    provider, budget = FakeProvider(), Budget(prices=PRICES)
    other = replace(question("b", Arm.BASE, text="the same"), prompt="other")
    questions = [question("a", text="the same"), *pairs(1), other]
    answers = await run(questions, provider, budget=budget)
    assert len(provider.calls) == 3
    assert [answer.cached for answer in answers] == [False, False, False, True]
    assert budget.savings == Savings(reused_usd=answers[0].cost_usd or Decimal(0))
    assert budget.savings.reused_usd > 0


@pytest.mark.parametrize(
    ("savings", "sentence"),
    [
        (Savings(), None),
        (Savings(reused_usd=Decimal("0.00004")), None),
        (
            Savings(reused_usd=Decimal("0.5"), batch_usd=Decimal(2)),
            "Saved $2.5000: $0.5000 by answers from the cache or shared by equal requests; $2.0000 by the Batch API.",
        ),
        (
            Savings(cached_tokens=12_000, cached_tokens_usd=Decimal("0.01")),
            "Saved $0.0100 because the endpoint had 12,000 input tokens of the prompts in its own cache.",
        ),
        (Savings(cached_tokens=12_000), "The endpoint had 12,000 input tokens of the prompts in its own cache."),
    ],
)
def test_what_was_saved_is_one_sentence(savings: Savings, sentence: str | None) -> None:
    assert savings.describe() == sentence
