"""The pace of calls, on a clock of its own, against endpoints that allow so many calls a second."""

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from fakes import virtual_loop
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.providers import pace
from promptci.providers.base import CallError
from promptci.providers.limiter import MOST, Limiter
from promptci.providers.retry import Again, Clock, Failed, Patience, persist

REFUSAL_S, TRAVEL_S = 0.02, 0.01


@dataclass(kw_only=True)
class Endpoint:
    """Allows `rate` calls a second and `burst` at once, as a token bucket does."""

    rate: float
    burst: float
    latency_s: float
    retry_after_s: float | None = None
    speaks: bool = False
    """Whether its headers say what is left."""
    sent: int = 0
    refused: int = 0
    answered: list[float] = field(default_factory=list)
    _tokens: float = -1.0
    _at: float = 0.0

    def take(self, now: float) -> bool:
        """Take a token."""
        had = self.burst if self._tokens < 0 else self._tokens
        self._tokens = min(self.burst, had + (now - self._at) * self.rate)
        self._at = now
        self.sent += 1
        if self._tokens < 1 - 1e-9:
            self.refused += 1
            return False
        self._tokens -= 1
        return True

    @property
    def headers(self) -> Mapping[str, str]:
        """What it says of itself, spelled as OpenAI does."""
        return {
            "x-ratelimit-limit-requests": f"{self.burst:.0f}",
            "x-ratelimit-remaining-requests": f"{int(self._tokens)}",
            "x-ratelimit-reset-requests": f"{1000 * (self.burst - self._tokens) / self.rate:.0f}ms",
        }


async def run(endpoint: Endpoint, calls: int) -> Limiter:
    """Ask that many questions, all at once as far as the limiter allows."""
    loop, chance = asyncio.get_running_loop(), random.Random(1)  # noqa: S311 - the same in every run
    clock = Clock(now=loop.time, wall=loop.time, sleep=asyncio.sleep, uniform=chance.uniform)
    limiter = Limiter(now=loop.time, sleep=asyncio.sleep, uniform=chance.uniform)

    async def attempt(_: float) -> str:
        await asyncio.sleep(TRAVEL_S)
        allowed, headers = endpoint.take(loop.time()), endpoint.headers
        await asyncio.sleep(endpoint.latency_s * chance.uniform(0.7, 1.3) if allowed else REFUSAL_S)
        if endpoint.speaks:
            limiter.told(headers)
        if not allowed:
            refusal = CallError("rate-limit", "too many")
            raise Failed(refusal, again=Again.LATER, after_s=endpoint.retry_after_s, limited=True)
        endpoint.answered.append(loop.time())
        return "answer"

    waiting = iter(range(calls))

    async def work() -> None:
        for _ in waiting:
            await persist(attempt, limiter=limiter, patience=Patience(), clock=clock)

    await asyncio.gather(*(work() for _ in range(MOST)))
    return limiter


def achieved(endpoint: Endpoint, seconds: float = 60.0) -> tuple[float, float]:
    """Give the share of the allowed rate that was reached, once the start is over, and the share of calls refused."""
    calls = int(endpoint.rate * seconds + endpoint.burst)
    virtual_loop.run(run(endpoint, calls))
    first, last = int(calls * 0.4), int(calls * 0.95)
    took = endpoint.answered[last] - endpoint.answered[first]
    return (last - first) / took / endpoint.rate, endpoint.refused / endpoint.sent


@pytest.mark.parametrize("speaks", [False, True], ids=["silent", "with headers"])
@pytest.mark.parametrize("latency_s", [0.05, 0.5, 2.0])
@pytest.mark.parametrize(("rate", "burst"), [(20, 20), (20, 100), (50, 10), (50, 250), (100, 100)])
def test_a_rate_is_reached_and_hardly_ever_overrun(rate: float, burst: float, latency_s: float, speaks: bool) -> None:
    reached, refused = achieved(Endpoint(rate=rate, burst=burst, latency_s=latency_s, speaks=speaks))

    assert reached >= 0.9
    assert refused < 0.02


@pytest.mark.parametrize(("rate", "burst"), [(20, 20), (20, 100), (50, 50), (100, 500)])
def test_pauses_that_an_endpoint_asks_for_cost_little(rate: float, burst: float) -> None:
    reached, refused = achieved(Endpoint(rate=rate, burst=burst, latency_s=0.5, retry_after_s=1.0))

    assert reached >= 0.9
    assert refused < 0.02


@settings(max_examples=15, deadline=None)
@given(rate=st.floats(20, 80), seconds_of_burst=st.floats(0.5, 5), latency_s=st.floats(0.05, 2), speaks=st.booleans())
def test_any_rate_is_reached_and_hardly_ever_overrun(
    rate: float, seconds_of_burst: float, latency_s: float, speaks: bool
) -> None:
    endpoint = Endpoint(rate=rate, burst=rate * seconds_of_burst, latency_s=latency_s, speaks=speaks)
    reached, refused = achieved(endpoint)

    assert reached >= 0.9
    assert refused < 0.02


def test_a_limit_that_is_raised_is_found() -> None:
    endpoint = Endpoint(rate=20, burst=20, latency_s=0.2)

    async def raised() -> None:
        async def later() -> None:
            await asyncio.sleep(60)
            endpoint.rate, endpoint.burst = 60, 60

        await asyncio.gather(run(endpoint, 20 * 60 + 60 * 120), later())

    virtual_loop.run(raised())

    late = [at for at in endpoint.answered if at > endpoint.answered[-1] - 20]
    assert len(late) / 20 >= 0.9 * 60


def test_without_a_refusal_or_a_header_nothing_is_held_back() -> None:
    limit, seconds = virtual_loop.run(run(Endpoint(rate=1e9, burst=1e9, latency_s=0.1), 20_000))

    assert limit.pace.found is None
    assert seconds < 14  # ten seconds to grow to a thousand calls at once, and the rest at 10,000 a second


TIMES = {
    "6ms": 0.006,
    "1s": 1.0,
    "1m30s": 90.0,
    "2h0m1.5s": 7201.5,
    "2.5": 2.5,
    "0": 0.0,
    " 3s ": 3.0,
    "": None,
    "soon": None,
    "3s!": None,
    "-1": None,
    "nan": None,
    "inf": None,
    None: None,
}


@pytest.mark.parametrize(("text", "expected"), TIMES.items())
def test_times_are_read_as_endpoints_spell_them(text: str | None, expected: float | None) -> None:
    assert pace.seconds(text) == (None if expected is None else pytest.approx(expected))


@given(
    limit=st.text(max_size=6) | st.floats().map(str),
    left=st.text(max_size=6) | st.floats().map(str),
    reset=st.text(max_size=9) | st.floats().map(str),
)
def test_no_header_breaks_the_pace(limit: str, left: str, reset: str) -> None:
    tempo = pace.Pace()
    kinds = ("requests", "tokens")
    headers = {
        **{f"x-ratelimit-limit-{kind}": limit for kind in kinds},
        **{f"x-ratelimit-remaining-{kind}": left for kind in kinds},
        **{f"x-ratelimit-reset-{kind}": reset for kind in kinds},
    }

    held = tempo.told(headers, 1, 0.0)

    assert held is None or 0 <= held < 1e9
    assert tempo.rate(1.0) > 0


def test_scarce_tokens_hold_all_calls_for_a_part_of_the_time_to_the_full() -> None:
    headers = {
        "x-ratelimit-limit-tokens": "10000",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "1m0s",
    }

    assert pace.Pace().told(headers, 1, 0.0) == pytest.approx(3.0)
