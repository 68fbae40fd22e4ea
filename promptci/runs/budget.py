"""What a run may spend and has spent: counted before each call at its worst, settled after it at its price."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

from promptci.providers.base import Completion, Request
from promptci.providers.prices import PriceList
from promptci.runs import estimate

BATCH_SHARE = Decimal("0.5")
"""Of its price, what a call costs through a Batch API."""


class Budget:
    """The money of one run; all its calls, judges' included, draw on the same one.

    The sum of what is spent and what the calls under way could cost at most never passes the budget. A call that does
    not fit waits for those under way to settle, and is refused only if it still does not fit then.
    """

    def __init__(self, budget_usd: Decimal | None = None, prices: PriceList | None = None) -> None:
        """Make it; without `prices` every price is unknown, without a budget nothing is refused."""
        self.spent_usd = Decimal(0)
        """USD spent on calls of known price."""
        self.unpriced_models: set[str] = set()
        """Models of which some call's price is unknown."""
        self._budget = budget_usd
        self._prices = prices
        self._reserved = Decimal(0)
        self._turn = asyncio.Lock()
        self._settled = asyncio.Event()

    @property
    def known_spend(self) -> Decimal | None:
        """What is known to be spent; None where nothing is."""
        return None if self.unpriced_models and not self.spent_usd else self.spent_usd

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know."""
        if self._budget is None or not self.unpriced_models:
            return ()
        models = ", ".join(sorted(self.unpriced_models))
        return (f"the budget does not cover calls to {models}: their price is unknown",)

    async def reserve(self, request: Request) -> Decimal | None:
        """Set aside the most that the call could cost; gives that amount, or None where the budget forbids the call.

        A budget of 0 forbids all calls; else a call of unknown price sets nothing aside.
        """
        if self._budget is None:
            return Decimal(0)
        longest = estimate.estimate_max_usage(request)
        worst = None if self._prices is None else self._prices.price_usage(request.model, longest)
        if self._budget == 0:
            return None
        if worst is None:
            self.unpriced_models.add(request.model)
            return Decimal(0)
        # In the order of asking, so that where the money ends it ends behind whole pairs.
        async with self._turn:
            while self.spent_usd + self._reserved + worst > self._budget:
                if not self._reserved:
                    return None
                self._settled.clear()
                await self._settled.wait()
            self._reserved += worst
        return worst

    def settle(self, reserved: Decimal, model: str, completion: Completion | None) -> Decimal | None:
        """Give back what was set aside and pay what the answer cost; gives that price, None where it is unknown."""
        cost = None if completion is None else self.price_completion(model, completion)
        if completion is not None:
            self._pay(model, cost)
        self._reserved -= reserved
        self._settled.set()
        return cost

    @property
    def is_overdrawn(self) -> bool:
        """Whether calls cost more than was set aside for them, so that those under way do not fit any more."""
        return self._budget is not None and self.spent_usd + self._reserved > self._budget

    def charge_failed(self, model: str, completion: Completion) -> None:
        """Pay an attempt that the endpoint counted and that gave no answer."""
        self._pay(model, self.price_completion(model, completion))

    def charge_resumed(self, model: str, completion: Completion, price: Decimal | None) -> None:
        """Count a call that this run has paid for before; None: its price is unknown."""
        self._pay(model, price if price is None or not completion.batched else price * BATCH_SHARE)

    def _pay(self, model: str, cost: Decimal | None) -> None:
        if cost is None:
            self.unpriced_models.add(model)
        else:
            self.spent_usd += cost

    def affordable_batch_cost(self, requests: Sequence[Request], ordered: Decimal) -> Decimal | None:
        """Give what these calls could cost at most by batch, or None where the budget forbids them.

        `ordered` is what batches on their way could cost, beside what is spent.
        """
        worst = Decimal(0)
        for request in requests:
            price = (
                None
                if self._prices is None
                else self._prices.price_usage(request.model, estimate.estimate_max_usage(request))
            )
            if price is None and self._budget is not None:
                self.unpriced_models.add(request.model)
            worst += (price or Decimal(0)) * BATCH_SHARE
        if self._budget is None:
            return worst
        return worst if self._budget > 0 and self.spent_usd + ordered + worst <= self._budget else None

    def can_afford(self, requests: Sequence[Request]) -> bool:
        """Return whether the budget allows these calls, at the most that each could cost."""
        if self._budget is None or self._prices is None:
            return True
        prices = [self._prices.price_usage(r.model, estimate.estimate_max_usage(r)) for r in requests]
        return self.spent_usd + sum((price for price in prices if price is not None), Decimal(0)) <= self._budget

    def price_completion(self, model: str, completion: Completion) -> Decimal | None:
        """Give the price of an answer that costs nothing now."""
        return None if self._prices is None else self._prices.price_completion(model, completion)
