"""The budget of a run: each call reserves the most it could cost, and is charged its price when it is done."""

import asyncio
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import partial

from promptci.providers.base import Completion, Request
from promptci.providers.prices import PriceList
from promptci.runs import estimate
from promptci.runs.savings import Savings

BATCH_SHARE = Decimal("0.5")
"""Price of a call through a Batch API, as a share of the normal price."""


class Budget:
    """The budget that all calls of a run share, the judge's included.

    Spent money and reservations together never exceed the budget. A call that does not fit waits for calls in flight
    to settle, and is refused only if it still does not fit then.
    """

    def __init__(self, budget_usd: Decimal | None = None, prices: PriceList | None = None) -> None:
        """Start with nothing spent; without `prices` every price is unknown, without a budget nothing is refused."""
        self.spent_usd = Decimal(0)
        """USD spent on calls of known price."""
        self.unpriced_models: set[str] = set()
        """Models with calls of unknown price."""
        self.uncounted_calls = 0
        """Answers without token counts; the budget is charged their estimate."""
        self.savings = Savings()
        self._estimated_usd = Decimal(0)
        self._budget = budget_usd
        self._prices = prices
        self._reserved = Decimal(0)
        self._turn = asyncio.Lock()
        self._settled = asyncio.Event()

    @property
    def known_spend(self) -> Decimal | None:
        """Money known to be spent; None if no price is known."""
        return self.spent_usd if self.spent_usd or not (self.unpriced_models or self.uncounted_calls) else None

    @property
    def notes(self) -> tuple[str, ...]:
        """Limits of the budget that belong into the report."""
        return () if self._budget is None else tuple(_list_gaps(self.unpriced_models, self.uncounted_calls))

    async def reserve(self, request: Request) -> Decimal | None:
        """Reserve the most that the call could cost and return the amount; None if the budget forbids the call.

        A budget of 0 forbids all calls; otherwise a call of unknown price reserves nothing.
        """
        if not self._budget:
            return Decimal(0) if self._budget is None else None
        max_cost = self._max_cost(request)
        if max_cost is None:
            self.unpriced_models.add(request.model)
            return Decimal(0)
        # In the order of the questions, so that the money runs out after complete pairs.
        async with self._turn:
            while self._charged + self._reserved + max_cost > self._budget:
                if not self._reserved:
                    return None
                self._settled.clear()
                await self._settled.wait()
            self._reserved += max_cost
        return max_cost

    def settle(self, reserved: Decimal, request: Request, completion: Completion | None) -> Decimal | None:
        """Release the reservation, charge the answer and return its price; None if the price is unknown.

        An answer without token counts is charged its whole reservation: unknown is not free.
        """
        cost = None if completion is None else self.price_completion(request, completion)
        if completion is not None and completion.usage is None and reserved:
            self.uncounted_calls += 1
            self._estimated_usd += reserved
        elif completion is not None:
            self._charge(request.model, cost)
            self.savings.add_cached_tokens(completion, cost, partial(self.price_completion, request))
        self._reserved -= reserved
        self._settled.set()
        return cost

    @property
    def is_overdrawn(self) -> bool:
        """Whether calls cost more than they reserved, so that calls in flight no longer fit."""
        return self._budget is not None and self._charged + self._reserved > self._budget

    @property
    def _charged(self) -> Decimal:
        return self.spent_usd + self._estimated_usd

    def charge_failed(self, request: Request, completion: Completion) -> None:
        """Charge an attempt that the endpoint billed although it gave no answer."""
        self._charge(request.model, self.price_completion(request, completion))

    def charge_resumed(self, model: str, completion: Completion, price: Decimal | None) -> None:
        """Charge a call that the interrupted run paid for; None means that its price is unknown."""
        paid = discount_batch(price, completion)
        self._charge(model, paid)
        self.savings.batch_usd += (price or 0) - (paid or 0)

    def _max_cost(self, request: Request) -> Decimal | None:
        usage = estimate.estimate_max_usage(request)
        return None if self._prices is None else self._prices.price_usage(request.model, usage, request.endpoint)

    def _charge(self, model: str, cost: Decimal | None) -> None:
        if cost is None:
            self.unpriced_models.add(model)
        self.spent_usd += cost or 0

    def affordable_batch_cost(self, requests: Sequence[Request], ordered: Decimal) -> Decimal | None:
        """Return the most that these calls could cost in a batch; None if the budget forbids them.

        `ordered` is what batches in flight could cost.
        """
        costs = [self._max_cost(request) for request in requests]
        if self._budget is not None:
            self.unpriced_models |= {r.model for r, cost in zip(requests, costs, strict=True) if cost is None}
        total = sum((cost or Decimal(0) for cost in costs), Decimal(0)) * BATCH_SHARE
        fits = self._budget is None or (self._budget > 0 and self._charged + ordered + total <= self._budget)
        return total if fits else None

    def can_afford(self, requests: Sequence[Request]) -> bool:
        """Return whether the budget allows these calls, at the most that each could cost."""
        return self._budget is None or self.spent_usd + sum(self._max_cost(r) or 0 for r in requests) <= self._budget

    def price_completion(self, request: Request, completion: Completion) -> Decimal | None:
        """Return the price of an answer without charging it."""
        if completion.cost_usd is not None or self._prices is None:
            return completion.cost_usd
        return self._prices.price_completion(request.model, completion, request.endpoint)


def discount_batch(price: Decimal | None, completion: Completion) -> Decimal | None:
    """Return what a call costs us: half of its price where it came by batch; None where the price is unknown."""
    return price if price is None or not completion.batched else price * BATCH_SHARE


def _list_gaps(unpriced_models: set[str], uncounted_calls: int) -> Iterator[str]:
    if unpriced_models:
        yield f"the budget does not cover calls to {', '.join(sorted(unpriced_models))}: their price is unknown"
    if uncounted_calls:
        count = f"{uncounted_calls} answer{'s' if uncounted_calls > 1 else ''}"
        yield f"{count} came without token counts: the budget was charged the most they could cost"
