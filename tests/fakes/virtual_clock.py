"""A clock whose sleeping takes no time but moves it on, and whose chance is chosen by the test."""

import asyncio
import time

from promptci.providers.http.retry import ProviderClock


class VirtualClock:
    """Counts real time plus all that was slept."""

    def __init__(self, *, share: float = 0.5, wall: float = 1_700_000_000.0) -> None:
        """Make it; `share` says where between its bounds each random number falls."""
        self.slept: list[float] = []
        self.share = share
        self._wall = wall

    @property
    def total(self) -> float:
        """Seconds slept in all."""
        return sum(self.slept)

    @property
    def clock(self) -> ProviderClock:
        """The ProviderClock to hand to a provider."""
        return ProviderClock(now=self.now, wall=self.wall, sleep=self.sleep, uniform=self.uniform)

    def now(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic() + self.total

    def wall(self) -> float:
        """Return seconds since 1970, starting from what the test chose."""
        return self._wall + self.total

    async def sleep(self, seconds: float) -> None:
        """Move time on."""
        self.slept.append(seconds)
        await asyncio.sleep(0)

    def uniform(self, low: float, high: float) -> float:
        """Return the number that the test chose."""
        return low + (high - low) * self.share
