"""An endpoint that allows so many calls a second or a minute, and what a run makes of it, in simulated time."""

import asyncio
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from fakes import virtual_loop

from promptci.providers.base import CallError
from promptci.providers.http.pacing.limiter import Limiter
from promptci.providers.http.retry import AttemptFailed, ProviderClock, RetryAdvice, RetryPolicy, with_retries
from promptci.providers.known_limits import MAX_CONCURRENCY

REFUSAL_S, TRAVEL_S = 0.02, 0.005
FEWEST_CALLS, FEWEST_S, LEARNING = 300, 30.0, 1 / 3


@dataclass(kw_only=True)
class Endpoint:
    """Allows `rate` calls a second: a bucket that holds `burst`, or, with `window_s`, all of a window at once."""

    rate: float
    burst: float = 1.0
    latency_s: float = 0.5
    varying: float = 0.3
    """By what share of it an answer's time differs from the mean."""
    apart_s: float = 0.01
    """Mean of what a call takes on its way besides `TRAVEL_S`; exponential, so that calls overtake each other."""
    window_s: float | None = None
    retry_after: str | None = None
    """`seconds` or `ms`: what a refusal says of the time to wait."""
    speaks: bool = False
    """Whether its headers say what is left."""
    came: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    _left: float = -1.0
    _at: float = 0.0

    @property
    def most(self) -> float:
        """Return the calls that are allowed at once."""
        return self.burst if self.window_s is None else self.rate * self.window_s

    def take(self, now: float) -> bool:
        """Take one call from the allowance."""
        had = self.most if self._left < 0 else self._left
        if self.window_s is None:
            self._left = min(self.most, had + (now - self._at) * self.rate)
        else:
            self._left = self.most if now // self.window_s > self._at // self.window_s else had
        self._at = now
        self.came.append(now)
        if self._left < 1 - 1e-9:
            self.refused.append(now)
            return False
        self._left -= 1
        return True

    def after_s(self, now: float) -> float | None:
        """Return what a refusal says of the time to wait."""
        free_s = (1 - self._left) / self.rate if self.window_s is None else self.window_s - now % self.window_s
        if self.retry_after == "seconds":
            return float(max(1, math.ceil(free_s)))
        return math.ceil(free_s * 1000) / 1000 if self.retry_after == "ms" else None

    def headers(self, now: float) -> Mapping[str, str]:
        """Return what it says of itself, spelled as OpenAI does."""
        full_s = (self.most - self._left) / self.rate if self.window_s is None else self.window_s - now % self.window_s
        return {
            "x-ratelimit-limit-requests": f"{self.most:.0f}",
            "x-ratelimit-remaining-requests": f"{int(self._left + 1e-9)}",
            "x-ratelimit-reset-requests": f"{int(full_s // 60)}m{full_s % 60:.3f}s"
            if full_s >= 60
            else f"{1000 * full_s:.0f}ms",
        }


async def ask(endpoint: Endpoint, calls: int, limiter: Limiter | None = None, seed: int = 1) -> Limiter:
    """Ask that many questions, all at once as far as the limiter allows; none of them may go unanswered."""
    loop, chance = asyncio.get_running_loop(), random.Random(seed)  # noqa: S311 - the same in every run
    clock = ProviderClock(now=loop.time, wall=loop.time, sleep=asyncio.sleep, uniform=chance.uniform)
    limiter = limiter or Limiter(now=loop.time, sleep=asyncio.sleep, uniform=chance.uniform)

    async def attempt(_: float) -> str:
        await asyncio.sleep(TRAVEL_S + (chance.expovariate(1 / endpoint.apart_s) if endpoint.apart_s else 0.0))
        now = loop.time()
        allowed, headers, after_s = endpoint.take(now), endpoint.headers(now), endpoint.after_s(now)
        differing = chance.uniform(1 - endpoint.varying, 1 + endpoint.varying)
        await asyncio.sleep(endpoint.latency_s * differing if allowed else REFUSAL_S)
        if endpoint.speaks:
            limiter.observe_headers(headers)
        if not allowed:
            raise AttemptFailed(
                CallError("rate-limit", "too many"), advice=RetryAdvice.LATER, retry_after_s=after_s, rate_limited=True
            )
        endpoint.answered.append(now)
        return "answer"

    waiting = iter(range(calls))

    async def work() -> None:
        for _ in waiting:
            await with_retries(attempt, limiter=limiter, policy=RetryPolicy(), clock=clock)

    await asyncio.gather(*(work() for _ in range(MAX_CONCURRENCY)))
    return limiter


def achieved(endpoint: Endpoint, *, fewest_s: float = FEWEST_S, seed: int = 1) -> tuple[float, float]:
    """Return the share of the rate reached after the first third of the calls, and the share of refused calls."""
    calls = int(max(FEWEST_CALLS, endpoint.rate * fewest_s) + (endpoint.burst if endpoint.window_s is None else 0))
    virtual_loop.run(ask(endpoint, calls, seed=seed))
    taken = sorted(endpoint.answered)
    first, last = int(calls * LEARNING), int(calls * 0.97)
    if endpoint.window_s is not None:  # whole windows, or the part of one that is not used would be measured
        first = next(i for i, at in enumerate(taken) if at // endpoint.window_s > taken[first] // endpoint.window_s)
        last = next(i for i, at in enumerate(taken) if at // endpoint.window_s == taken[last] // endpoint.window_s)
        whole = taken[last] // endpoint.window_s - taken[first] // endpoint.window_s
        return (last - first) / (whole * endpoint.window_s * endpoint.rate), len(endpoint.refused) / len(endpoint.came)
    return (last - first) / (taken[last] - taken[first]) / endpoint.rate, len(endpoint.refused) / len(endpoint.came)
