"""How many calls at once: as many as the endpoint bears, found by trying."""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

STRAGGLE_S = 0.5
"""After a common pause calls start again within this time, not all in one instant."""


class Limiter:
    """Additive increase, multiplicative decrease, shared by all calls to one model of one endpoint.

    It starts with `start` calls at once and doubles with each round that goes well. The first refusal halves the
    limit and ends the doubling; from then on each round that goes well adds one. Refusals of calls that began
    before the last cut do not cut again: they tell nothing new. A server error does not cut: it is not a matter of
    how many.
    """

    def __init__(
        self,
        *,
        start: float = 20,
        most: float = 1000,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.limit = start
        """Calls at once, as a real number that grows by fractions."""
        self.inside = 0
        self._most = most
        self._now = now
        self._sleep = sleep
        self._uniform = uniform
        self._doubling = True
        self._cuts = 0
        self._paused_until = float("-inf")
        self._waiting: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[int]:
        """Wait until there is room, and leave it at the end; gives the number that `cut` asks for."""
        await self._enter()
        try:
            while (pause := self._paused_until - self._now()) > 0:
                await self._sleep(pause + self._uniform(0.0, STRAGGLE_S))
            yield self._cuts
        finally:
            self._leave()

    def grow(self) -> None:
        """Note that a call was answered."""
        self.limit = min(self._most, self.limit + (1.0 if self._doubling else 1.0 / self.limit))
        self._wake()

    def cut(self, turn: int, after_s: float | None) -> None:
        """Note that a call was refused for coming too often; `after_s` holds all calls back that long."""
        if after_s is not None:
            self._paused_until = max(self._paused_until, self._now() + after_s)
        if turn == self._cuts:
            self._cuts += 1
            self._doubling = False
            self.limit = max(1.0, self.limit / 2)

    async def _enter(self) -> None:
        if self.inside < int(self.limit) and not self._waiting:
            self.inside += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # the place was given in the same instant: hand it on
                self._leave()
            raise

    def _leave(self) -> None:
        self.inside -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self.inside < int(self.limit):
            place = self._waiting.popleft()
            if not place.done():
                self.inside += 1
                place.set_result(None)
