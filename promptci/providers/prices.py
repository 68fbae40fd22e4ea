"""What a call costs, in Decimal dollars; what is not known is None, never nothing."""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import
from promptci.providers.base import Completion, Usage
from promptci.providers.http import endpoint
from promptci.providers.options import ModelPrice, ProviderOptions

if TYPE_CHECKING:
    import genai_prices
else:
    genai_prices = lazy_import("genai_prices")

CHARACTERS_PER_TOKEN = 4
_MILLION = Decimal(1_000_000)


def estimate_tokens(text: str) -> int:
    """Estimate the tokens of a text at four characters each, rounded up.

    This fits English prose within some 20 %; other scripts and code take more tokens. It is used before a call
    only: afterwards the endpoint's own count replaces it.
    """
    return -(-len(text) // CHARACTERS_PER_TOKEN)


class PriceList:
    """Prices of models by endpoint: the user's own, else the public list's."""

    def __init__(self, options: ProviderOptions, endpoints: Mapping[str, ProviderOptions] | None = None) -> None:
        """Set up; what runs on this machine has no public price. `endpoints` are further ones, by their ids."""
        self._others = {name: PriceList(other) for name, other in (endpoints or {}).items()}
        self._own: Mapping[str, ModelPrice] = options.prices
        public = options.kind == "openai" and not endpoint.is_loopback(options.base_url)
        self._base_url = options.base_url if public else None

    def price_usage(self, model: str, usage: Usage, endpoint_id: str = "") -> Decimal | None:
        """Return the price of one call in USD, or None where the model's price is unknown."""
        if endpoint_id:
            return self._others[endpoint_id].price_usage(model, usage)
        if model in self._own:
            own = self._own[model]
            cached_usd = own.input_usd if own.cached_input_usd is None else own.cached_input_usd
            cached = usage.cached_input_tokens
            read = own.input_usd * (usage.input_tokens - cached) + cached_usd * cached
            return (read + own.output_usd * usage.output_tokens) / _MILLION
        if self._base_url is None:
            return None
        return _public(model, usage, self._base_url)

    def price_completion(self, model: str, completion: Completion, endpoint_id: str = "") -> Decimal | None:
        """Return the price of an answer, by the model that answered, else by the requested one."""
        if endpoint_id:
            return self._others[endpoint_id].price_completion(model, completion)
        if completion.usage is None:
            return None
        answered = completion.model or model
        known = (
            self.price_usage(answered, completion.usage) if model not in self._own or answered in self._own else None
        )
        return self.price_usage(model, completion.usage) if known is None else known


@lru_cache(maxsize=2**16)  # half a millisecond each, and calls of one prompt use much the same
def _public(model: str, usage: Usage, base_url: str) -> Decimal | None:

    counted = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cached_input_tokens,
    )
    publisher, _, bare = model.rpartition("/")
    with suppress(LookupError, ValueError):
        return genai_prices.calc_price(counted, model, provider_api_url=base_url).total_price
    # Behind a gateway that the list does not know: what the model's maker asks for it.
    with suppress(LookupError, ValueError):
        return genai_prices.calc_price(counted, bare, provider_id=publisher or None).total_price
    return None
