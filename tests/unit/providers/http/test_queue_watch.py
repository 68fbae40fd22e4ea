"""Calls that were sent into a long queue are withdrawn; those that are worked on at once never are."""

import asyncio

import pytest
from fakes import virtual_loop
from fakes.queueing import QueueingEndpoint, ask
from hypothesis import given, settings
from hypothesis import strategies as st
from support.daily import first_daily

from promptci.providers.http.pacing.limiter import SILENT_CALLS, Limiter
from promptci.providers.http.pacing.queue_watch import QueueWatch

TIMEOUT_S = 60.0


def ask_all(endpoint: QueueingEndpoint, calls: int, concurrency: int | None = None) -> tuple[Limiter, float]:
    """Ask so many questions; return the limiter and the seconds that it took."""

    async def run() -> Limiter:
        bounds = {} if concurrency is None else {"initial_concurrency": concurrency, "max_concurrency": concurrency}
        now = asyncio.get_running_loop().time
        limiter = Limiter(max_wait_s=TIMEOUT_S / 2, now=now, sleep=asyncio.sleep, uniform=min, **bounds)
        return await ask(endpoint, calls, limiter)

    return virtual_loop.run(run())


@pytest.mark.parametrize(
    ("desks", "latency_s", "calls"),
    first_daily([(1, 5.0, 1500), (8, 1.0, 1500), (1, 0.3, 1500), (2, 2.0, 60), (4, 10.0, 300), (1, 20.0, 100)], 3),
)
def test_no_call_waits_for_its_timeout_in_the_queue_of_a_small_server(desks: int, latency_s: float, calls: int) -> None:
    """All work is done as fast as the server can, and no call is withdrawn that it had begun to work on."""
    endpoint = QueueingEndpoint(desks=desks, latency_s=(latency_s, latency_s), timeout_s=TIMEOUT_S)
    limiter, seconds = ask_all(endpoint, calls)

    assert endpoint.timeouts == 0
    assert seconds < 1.05 * calls * latency_s / desks + latency_s
    assert endpoint.withdrawn <= SILENT_CALLS
    assert limiter.max_concurrent < 60  # rounds that bring no more answers a second end the growth


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(desks=st.integers(1, 16), least_s=st.floats(0.2, 6.0), spread=st.floats(1.0, 2.0), calls=st.integers(50, 800))
def test_no_queue_makes_a_call_wait_for_its_timeout(desks: int, least_s: float, spread: float, calls: int) -> None:
    endpoint = QueueingEndpoint(desks=desks, latency_s=(least_s, spread * least_s), timeout_s=TIMEOUT_S)
    _, seconds = ask_all(endpoint, calls)

    assert endpoint.timeouts == 0
    assert seconds < 1.1 * calls * least_s * (1 + spread) / 2 / desks + 2 * spread * least_s


@pytest.mark.parametrize(
    ("latency_s", "early_answers"),
    [((1.0, 1.0), ()), ((1.0, 8.0), ()), ((20.0, 20.0), (3, 5, 70)), ((10.0, 58.0), (9,)), ((0.05, 30.0), ())],
)
def test_a_call_that_is_worked_on_at_once_is_never_withdrawn(
    latency_s: tuple[float, float], early_answers: tuple[int, ...]
) -> None:
    """Slow first answers are no queue, and neither are a few early ones."""
    endpoint = QueueingEndpoint(latency_s=latency_s, timeout_s=TIMEOUT_S, early_answers=early_answers)
    ask_all(endpoint, 700)

    assert (endpoint.withdrawn, endpoint.sent) == (0, 700)


@pytest.mark.parametrize("calls", [50, 200, 1000])
@pytest.mark.parametrize("latency_s", [(0.05, 0.05), (1.0, 1.0), (1.0, 8.0)])
def test_no_more_calls_are_under_way_than_help(latency_s: tuple[float, float], calls: int) -> None:
    """Where the own processor is what the run waits for, more connections only take time."""
    endpoint = QueueingEndpoint(latency_s=latency_s, processor_s=0.002)
    ask_all(endpoint, calls)

    assert endpoint.most <= max(200, 2.5 * latency_s[1] / 0.002)


def test_the_oldest_calls_stay_and_the_others_are_withdrawn() -> None:
    watch, withdrawn = QueueWatch(max_wait_s=30.0), list[int]()
    for number in range(100):
        watch.record_call(number, 0.0, lambda number=number: withdrawn.append(number))
    kept = [answer(watch, number, 5.0 * (number + 1)) for number in range(4)]

    assert kept[:3] == [None] * 3
    assert kept[3] == pytest.approx(0.2 * 30)
    assert withdrawn == list(range(3 + 5, 100))


def answer(watch: QueueWatch, number: int, now: float) -> float | None:
    """Have a call answered; return how many may be under way then."""
    watch.record_answer(number)
    limit = watch.withdraw_surplus(now)
    watch.record_end(number)
    return limit
