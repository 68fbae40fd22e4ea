"""An endpoint that refuses nothing: calls for which no desk is free wait there; in simulated time."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from promptci.providers.base import CallError
from promptci.providers.http.pacing.limiter import Limiter
from promptci.providers.http.retry import AttemptFailed, ProviderClock, RetryAdvice, RetryPolicy, with_retries


@dataclass(kw_only=True)
class QueueingEndpoint:
    """Works on so many calls at a time, the oldest first, and on none that was withdrawn while it waited."""

    desks: int = 10_000
    latency_s: tuple[float, float] = (1.0, 1.0)
    """Bounds of the time that a call takes at a desk."""
    processor_s: float = 0.0
    """Time of our own processor for a call, before it leaves."""
    timeout_s: float = 60.0
    early_answers: Sequence[int] = ()
    """Calls that are answered at once, such as those that a content filter stops."""
    sent: int = 0
    withdrawn: int = 0
    timeouts: int = 0
    waited_s: list[float] = field(default_factory=list)
    """How long each answered call was under way."""
    most: int = 0
    """Calls under way at once."""


async def ask(endpoint: QueueingEndpoint, calls: int, limiter: Limiter, *, seed: int = 1) -> Limiter:
    """Ask so many questions, all at once as far as the limiter allows, until each is answered."""
    loop, chance = asyncio.get_running_loop(), random.Random(seed)  # noqa: S311 - the same in every run
    clock = ProviderClock(now=loop.time, wall=loop.time, sleep=asyncio.sleep, uniform=chance.uniform)
    processor, desks = asyncio.Lock(), asyncio.Semaphore(endpoint.desks)

    async def work_on(number: int) -> None:
        async with processor:
            await asyncio.sleep(endpoint.processor_s)
        if number not in endpoint.early_answers:
            async with desks:
                await asyncio.sleep(chance.uniform(*endpoint.latency_s))

    async def attempt(_: float) -> None:
        limiter.record_connection(0.0)
        number, began = endpoint.sent, loop.time()
        endpoint.sent += 1
        endpoint.most = max(endpoint.most, limiter.in_flight)
        try:
            async with asyncio.timeout(endpoint.timeout_s):
                await work_on(number)
        except TimeoutError:
            endpoint.timeouts += 1
            raise AttemptFailed(CallError("timeout", "too late"), advice=RetryAdvice.LATER) from None
        except asyncio.CancelledError:
            endpoint.withdrawn += 1
            raise
        endpoint.waited_s.append(loop.time() - began)

    await asyncio.gather(
        *(with_retries(attempt, limiter=limiter, policy=RetryPolicy(), clock=clock) for _ in range(calls))
    )
    return limiter
