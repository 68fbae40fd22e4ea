"""What a run did not have to pay: reused answers, the Batch API's discount, prompts that the endpoint had cached."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

from promptci.lazy_dataclass import dataclass
from promptci.providers.base import Completion

MIN_NAMED_USD = Decimal("0.00005")
"""A smaller sum would read as $0.0000."""


@dataclass(kw_only=True, slots=True)
class Savings:
    """Sums over the calls of known price."""

    reused_usd: Decimal = Decimal(0)
    """Answers from the cache, and those that one call gave to several equal requests."""
    batch_usd: Decimal = Decimal(0)
    cached_tokens_usd: Decimal = Decimal(0)
    cached_tokens: int = 0
    """Input tokens that the endpoint counted as cached, of known price or not."""

    def add_cached_tokens(
        self, completion: Completion, cost: Decimal | None, price: Callable[[Completion], Decimal | None]
    ) -> None:
        """Add the input tokens of an answer that the endpoint had cached, and what they would have cost more."""
        usage = completion.usage
        if usage is None or not usage.cached_input_tokens:
            return
        self.cached_tokens += usage.cached_input_tokens
        if cost is not None and completion.cost_usd is None:
            uncached = replace(completion, usage=replace(usage, cached_input_tokens=0))
            self.cached_tokens_usd += (price(uncached) or cost) - cost

    def describe(self) -> str | None:
        """Return what was saved in one sentence; None where nothing was."""
        total = self.reused_usd + self.batch_usd + self.cached_tokens_usd
        parts = list(self._parts())
        if parts and total >= MIN_NAMED_USD:
            return f"Saved {f'${total:.4f}: ' if len(parts) > 1 else ''}{'; '.join(parts)}."
        return f"{parts[0][:1].upper()}{parts[0][1:]}." if parts else None

    def _parts(self) -> Iterator[str]:
        if self.reused_usd >= MIN_NAMED_USD:
            yield f"${self.reused_usd:.4f} by answers from the cache or shared by equal requests"
        if self.batch_usd >= MIN_NAMED_USD:
            yield f"${self.batch_usd:.4f} by the Batch API"
        if self.cached_tokens:
            saved = f"${self.cached_tokens_usd:.4f} because " if self.cached_tokens_usd >= MIN_NAMED_USD else ""
            yield f"{saved}the endpoint had {self.cached_tokens:,} input tokens of the prompts in its own cache"
