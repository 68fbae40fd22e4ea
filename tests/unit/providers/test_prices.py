from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.providers.base import Completion, Usage
from promptci.providers.options import ModelPrice, ProviderOptions
from promptci.providers.prices import PriceList, estimate_tokens

MILLION = Usage(input_tokens=1_000_000, output_tokens=1_000_000)
OPENAI = PriceList(ProviderOptions())


def answer(model: str | None, usage: Usage | None = MILLION) -> Completion:
    return Completion(text="", usage=usage, model=model)


def test_a_known_model_costs_what_the_list_says() -> None:
    assert OPENAI.price_usage("gpt-4o-mini", MILLION) == Decimal("0.75")


@pytest.mark.parametrize("model", ["gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini"])
def test_a_dated_or_prefixed_name_is_the_same_model(model: str) -> None:
    assert OPENAI.price_usage(model, MILLION) == OPENAI.price_usage("gpt-4o-mini", MILLION)


@pytest.mark.parametrize("model", ["no-such-model", "nobody/no-such-model", "", "/", "openai/"])
def test_an_unknown_model_s_price_is_unknown_and_not_zero(model: str) -> None:
    assert OPENAI.price_usage(model, MILLION) is None
    assert OPENAI.price_completion(model, answer(None)) is None


@pytest.mark.parametrize(
    "options",
    [
        ProviderOptions(kind="local"),
        ProviderOptions(kind="recorded"),
        ProviderOptions(base_url="http://127.0.0.1:8000/v1"),
    ],
    ids=["local", "recorded", "loopback"],
)
def test_what_runs_here_has_no_public_price(options: ProviderOptions) -> None:
    assert PriceList(options).price_usage("gpt-4o-mini", MILLION) is None


def test_behind_an_unknown_gateway_a_model_costs_what_its_maker_asks() -> None:
    gateway = PriceList(ProviderOptions(base_url="https://gateway.example/v1"))

    assert gateway.price_usage("gpt-4o-mini", MILLION) == Decimal("0.75")


def test_an_endpoint_of_the_list_has_its_own_prices() -> None:
    groq = PriceList(ProviderOptions(base_url="https://api.groq.com/openai/v1"))

    assert groq.price_usage("llama-3.3-70b-versatile", MILLION) is not None


def test_cached_input_costs_less() -> None:
    cached = Usage(input_tokens=1_000_000, output_tokens=1_000_000, cached_input_tokens=500_000)
    full, less = OPENAI.price_usage("gpt-4o-mini", MILLION), OPENAI.price_usage("gpt-4o-mini", cached)

    assert full is not None
    assert less is not None
    assert less < full


def test_the_model_that_answered_is_priced_before_the_one_asked() -> None:
    assert OPENAI.price_completion("gpt-4o-mini", answer("gpt-4o")) == OPENAI.price_usage("gpt-4o", MILLION)
    assert OPENAI.price_completion("gpt-4o-mini", answer("renamed by the gateway")) == OPENAI.price_usage(
        "gpt-4o-mini", MILLION
    )
    assert OPENAI.price_completion("gpt-4o-mini", answer(None)) == OPENAI.price_usage("gpt-4o-mini", MILLION)


def test_an_embedding_costs_what_was_read() -> None:
    assert OPENAI.price_usage("text-embedding-3-small", Usage(input_tokens=1_000_000, output_tokens=0)) == Decimal(
        "0.02"
    )
    assert OPENAI.price_usage("openai/text-embedding-3-large", Usage(input_tokens=10, output_tokens=0)) == Decimal(
        "0.0000013"
    )


def test_without_a_usage_the_price_is_unknown() -> None:
    assert OPENAI.price_completion("gpt-4o-mini", answer("gpt-4o-mini", None)) is None


OWN = PriceList(
    ProviderOptions(
        base_url="http://127.0.0.1:8000/v1",
        prices={"mine": ModelPrice(input_usd=Decimal("0.1"), output_usd=Decimal("0.2"))},
    )
)


def test_the_user_s_own_prices_count_where_there_is_no_public_one() -> None:
    assert OWN.price_usage("mine", MILLION) == Decimal("0.3")
    assert OWN.price_completion("mine", answer("mine-v2-quantised")) == Decimal("0.3")
    assert OWN.price_completion("alias", answer("mine")) == Decimal("0.3")
    assert OWN.price_usage("other", MILLION) is None


def test_the_user_s_own_price_of_a_public_model_wins() -> None:
    mine = PriceList(ProviderOptions(prices={"gpt-4o-mini": ModelPrice(input_usd=Decimal(1), output_usd=Decimal(1))}))

    assert mine.price_usage("gpt-4o-mini", MILLION) == Decimal(2)
    assert mine.price_completion("gpt-4o-mini", answer("gpt-4o-mini-2024-07-18")) == Decimal(2)


@given(read=st.integers(0, 10**9), written=st.integers(0, 10**9))
def test_money_is_exact(read: int, written: int) -> None:
    price = OWN.price_usage("mine", Usage(input_tokens=read, output_tokens=written))

    assert price == (Decimal("0.1") * read + Decimal("0.2") * written) / 1_000_000


@given(text=st.text(max_size=99), addition=st.text(min_size=1, max_size=9))
def test_a_longer_text_is_estimated_at_no_fewer_tokens_and_no_text_at_none(text: str, addition: str) -> None:
    assert estimate_tokens("") == 0
    assert 0 < estimate_tokens(text + addition) >= estimate_tokens(text)


def test_an_estimate_is_a_quarter_of_the_characters_rounded_up() -> None:
    assert [estimate_tokens("x" * n) for n in (1, 4, 5, 400)] == [1, 1, 2, 100]
