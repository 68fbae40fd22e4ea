"""The pace of calls, on a clock of its own, against endpoints that allow so many calls a second or a minute."""

import asyncio
import math
import random
from bisect import bisect_left

import pytest
from fakes import virtual_loop
from fakes.rationed import Endpoint, achieved, ask
from hypothesis import given, settings
from hypothesis import strategies as st
from support.daily import first_daily, some_daily

from promptci.providers.http.pacing import rate_estimator
from promptci.providers.http.pacing.limiter import Limiter

MOST_AT_ONCE = 600
CROWD = 3
"""So many times the rate, in any tenth of a second."""
REACHED, REFUSED, LEARNING = 0.9, 0.02, 20
"""Of the rate; of all calls; or so many refusals, where two in a hundred calls are fewer: from these is learned."""
ROOM_S, FEWEST_AT_ONCE = 0.1, 2
"""The calls of so many seconds, and so many at least, may come at once where the rate is to be reached."""


def holds(endpoint: Endpoint, *, seconds: float = 30.0, least: float = REACHED, seed: int = 1) -> None:
    """Assert that the endpoint is used as promised in a run of so many seconds, or 300 calls if these are more."""
    reached, refused = achieved(endpoint, fewest_s=seconds, seed=seed)

    assert reached >= least, endpoint.rate
    assert refused < REFUSED or len(endpoint.refused) <= LEARNING, endpoint.rate


def bucket(rate: float, burst_s: float, latency_s: float, retry_after: str | None, speaks: bool = False) -> Endpoint:
    """Make an endpoint that lets the calls of so many seconds come at once."""
    burst = max(FEWEST_AT_ONCE, rate * burst_s)
    return Endpoint(rate=rate, burst=burst, latency_s=latency_s, retry_after=retry_after, speaks=speaks)


@pytest.mark.parametrize("speaks", [False, True], ids=["silent", "with headers"])
@pytest.mark.parametrize("latency_s", [0.05, 5.0])
@pytest.mark.parametrize(("rate", "burst"), some_daily([(2, 2), (2, 10), (10, 2), (20, 2), (20, 100), (50, 10)], 3))
def test_a_rate_is_reached_and_hardly_ever_overrun(rate: float, burst: float, latency_s: float, speaks: bool) -> None:
    holds(Endpoint(rate=rate, burst=burst, latency_s=latency_s, speaks=speaks))


@pytest.mark.parametrize("retry_after", ["seconds", "ms"])
@pytest.mark.parametrize(("rate", "burst"), first_daily([(2, 2), (20, 10), (5, 5), (20, 100), (50, 25)], 2))
def test_pauses_that_an_endpoint_asks_for_cost_little(rate: float, burst: float, retry_after: str) -> None:
    holds(Endpoint(rate=rate, burst=burst, retry_after=retry_after))


@pytest.mark.parametrize("retry_after", first_daily([None, "seconds"]))
@pytest.mark.parametrize("speaks", first_daily([False, True]), ids=["silent", "with headers"])
def test_so_many_calls_a_minute_are_used(speaks: bool, retry_after: str | None) -> None:
    holds(Endpoint(rate=10, window_s=60, speaks=speaks, retry_after=retry_after), seconds=600)


@pytest.mark.parametrize("retry_after", [None, "seconds"])
@pytest.mark.parametrize(("rate", "apart_s"), first_daily([(20, 0.01), (100, 0.002), (100, 0.01)]))
def test_calls_one_by_one_are_used_as_far_as_their_travel_allows(
    rate: float, apart_s: float, retry_after: str | None
) -> None:
    """No pace has more than the bound without more refusals; see the docstring of RateEstimator."""
    bound = 1 / (1 + apart_s * rate * math.log(25))
    holds(Endpoint(rate=rate, apart_s=apart_s, retry_after=retry_after), least=bound / 2)


LATENCIES = [0.05, 0.5, 5.0]
PAUSES = [None, "seconds", "ms"]
BUCKETS = [
    (rate, burst_s, latency_s, retry_after)
    for rate in (2, 5, 10, 20, 50, 200)
    for burst_s in (ROOM_S, 0.2, 1.0, 5.0)
    for latency_s in LATENCIES
    for retry_after in PAUSES
    if rate * latency_s <= MOST_AT_ONCE
]


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("rate", "burst_s", "latency_s", "retry_after"), BUCKETS)
def test_the_whole_grid_of_buckets(
    rate: float, burst_s: float, latency_s: float, retry_after: str | None, seed: int
) -> None:
    holds(bucket(rate, burst_s, latency_s, retry_after), seed=seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40))
def test_endpoints_that_nobody_chose(seed: int) -> None:
    chance = random.Random(20261125 + seed)  # noqa: S311 - the same in every run

    def any_between(low: float, high: float) -> float:
        return math.exp(chance.uniform(math.log(low), math.log(high)))

    rate = any_between(10, 300)
    latency_s = any_between(0.05, min(5.0, MOST_AT_ONCE / rate))
    holds(
        bucket(rate, any_between(ROOM_S, 5.0), latency_s, chance.choice(PAUSES), speaks=chance.random() < 0.5),
        seed=seed,
    )


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("retry_after", [None, "seconds"])
@pytest.mark.parametrize("speaks", [False, True], ids=["silent", "with headers"])
@pytest.mark.parametrize("latency_s", LATENCIES)
@pytest.mark.parametrize("rate", [2, 10, 50])
def test_the_whole_grid_of_windows(
    rate: float, latency_s: float, speaks: bool, retry_after: str | None, seed: int
) -> None:
    endpoint = Endpoint(rate=rate, window_s=60, latency_s=latency_s, speaks=speaks, retry_after=retry_after)
    reached, refused = achieved(endpoint, fewest_s=600, seed=seed)

    assert reached >= REACHED
    # Each window that is used up without a word of when it ends is found closed a few times.
    hushed: dict[float, float] = {2: 0.05, 10: 0.025} if not speaks and retry_after is None else {}
    assert refused < hushed.get(rate, REFUSED)


@pytest.mark.parametrize(("rate", "window_s", "latency_s", "seed"), [(10, 60, 5.0, 1), (20, 1, 0.05, 2)])
def test_the_last_instant_of_a_window_is_no_time_to_make_up_for_all_of_it(
    rate: float, window_s: float, latency_s: float, seed: int
) -> None:
    """Six calls left for two thousandths of a second were once read as a rate of three thousand a second."""
    endpoint = Endpoint(rate=rate, window_s=window_s, latency_s=latency_s, speaks=True)
    reached, refused = achieved(endpoint, fewest_s=600 if window_s == 60 else 60, seed=seed)

    assert reached >= REACHED
    assert refused == 0


def test_windows_that_end_while_an_answer_is_awaited_are_used_for_the_most_part() -> None:
    """What headers say is half a window old then, and of what was sent since nobody knows in which window it counts."""
    reached, refused = achieved(Endpoint(rate=20, window_s=1, latency_s=0.5, speaks=True), fewest_s=60)

    assert reached >= 0.75
    assert refused < REFUSED


@pytest.mark.long
@settings(max_examples=12, deadline=None)
@given(rate=st.floats(20, 60), burst_s=st.floats(0.3, 5), latency_s=st.floats(0.05, 5), speaks=st.booleans())
def test_any_rate_is_reached_and_hardly_ever_overrun(
    rate: float, burst_s: float, latency_s: float, speaks: bool
) -> None:
    holds(Endpoint(rate=rate, burst=rate * burst_s, latency_s=latency_s, speaks=speaks, varying=0.6))


def changed(before: float, after: float) -> tuple[Endpoint, Limiter]:
    """Have an endpoint change what it allows after a minute; gives it after four more."""
    endpoint = Endpoint(rate=before, burst=before, latency_s=0.2)

    async def run() -> Limiter:
        async def later() -> None:
            await asyncio.sleep(60)
            endpoint.rate, endpoint.burst = after, after

        limiter, _ = await asyncio.gather(ask(endpoint, int(before * 60 + after * 240)), later())
        return limiter

    return endpoint, virtual_loop.run(run())[0]


@pytest.mark.parametrize(("before", "after"), [pytest.param(20, 60, marks=pytest.mark.long), (40, 20)])
def test_a_limit_that_is_changed_is_found(before: float, after: float) -> None:
    endpoint, _ = changed(before, after)

    end = max(endpoint.answered)
    assert sum(at > end - 30 for at in endpoint.answered) / 30 >= REACHED * after
    assert len(endpoint.refused) < REFUSED * len(endpoint.came)


@pytest.mark.long
def test_after_a_common_pause_calls_come_at_the_pace_and_not_in_a_crowd() -> None:
    endpoint = Endpoint(rate=50, window_s=60, retry_after="seconds")
    virtual_loop.run(ask(endpoint, 50 * 300))

    opened = sorted(at for at in endpoint.came if at >= 120)
    assert endpoint.refused[0] < 60
    for start in range(len(opened) - 1):
        crowd = bisect_left(opened, opened[start] + 0.1) - start
        assert crowd <= 0.1 * CROWD * endpoint.rate


def test_models_have_limiters_of_their_own() -> None:
    slow, fast = Endpoint(rate=5, burst=5), Endpoint(rate=50, burst=50)

    async def both() -> tuple[Limiter, Limiter]:
        return await asyncio.gather(ask(slow, 100), ask(fast, 1500))

    (of_slow, of_fast), _ = virtual_loop.run(both())

    assert of_slow.rate_estimator.learned_rate == pytest.approx(5, rel=0.3)
    assert of_fast.rate_estimator.learned_rate == pytest.approx(50, rel=0.15)


@pytest.mark.parametrize(("calls", "longest_s"), first_daily([(4_000, 9), (20_000, 14)]))
def test_without_a_refusal_or_a_header_nothing_is_held_back(calls: int, longest_s: float) -> None:
    """Ten seconds to grow to a thousand calls at once, and the rest at 10,000 a second."""
    limit, seconds = virtual_loop.run(ask(Endpoint(rate=1e9, burst=1e9, latency_s=0.1), calls))

    assert limit.rate_estimator.learned_rate is None
    assert seconds < longest_s


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
    assert rate_estimator.parse_duration(text) == (None if expected is None else pytest.approx(expected))


@given(
    limit=st.text(max_size=6) | st.floats().map(str),
    remaining=st.text(max_size=6) | st.floats().map(str),
    reset=st.text(max_size=9) | st.floats().map(str),
)
def test_no_header_breaks_the_pace(limit: str, remaining: str, reset: str) -> None:
    tempo = rate_estimator.RateEstimator()
    kinds = ("requests", "tokens")
    headers = {
        **{f"x-ratelimit-limit-{kind}": limit for kind in kinds},
        **{f"x-ratelimit-remaining-{kind}": remaining for kind in kinds},
        **{f"x-ratelimit-reset-{kind}": reset for kind in kinds},
    }

    held = tempo.observe_headers(headers, 1, 0.0)

    assert held is None or 0 <= held < 1e9
    assert tempo.rate(1.0) > 0


def test_scarce_tokens_hold_all_calls_for_a_part_of_the_time_to_the_full() -> None:
    headers = {
        "x-ratelimit-limit-tokens": "10000",
        "x-ratelimit-remaining-tokens": "100",
        "x-ratelimit-reset-tokens": "1m0s",
    }

    assert rate_estimator.RateEstimator().observe_headers(headers, 1, 0.0) == pytest.approx(3.0)
