import asyncio
from contextlib import AsyncExitStack

import pytest
from fakes import virtual_loop
from fakes.virtual_clock import VirtualClock
from hypothesis import given
from hypothesis import strategies as st

from promptci.providers.http.pacing.concurrency_growth import GROWTH, MAX_WAIT_S
from promptci.providers.http.pacing.limiter import MAX_JITTER_S, Limiter
from promptci.providers.http.pacing.search_pace import INITIAL_RATE
from promptci.providers.known_limits import DEFAULT_CONCURRENCY, MAX_CONCURRENCY


def limiter(
    clock: VirtualClock | None = None,
    *,
    initial_concurrency: float = DEFAULT_CONCURRENCY,
    max_concurrency: float = MAX_CONCURRENCY,
) -> Limiter:
    clock = clock or VirtualClock()
    return Limiter(
        initial_concurrency=initial_concurrency,
        max_concurrency=max_concurrency,
        now=clock.now,
        sleep=clock.sleep,
        uniform=clock.uniform,
    )


async def test_no_more_are_inside_than_the_limit_and_the_first_to_come_is_the_first_to_enter() -> None:
    limit = limiter(initial_concurrency=2)
    entered: list[int] = []
    leave = [asyncio.Event() for _ in range(4)]

    async def call(number: int) -> None:
        async with limit.slot():
            entered.append(number)
            await leave[number].wait()

    tasks = [asyncio.create_task(call(i)) for i in range(4)]
    await asyncio.sleep(0.01)
    assert entered == [0, 1]
    leave[1].set()
    await asyncio.sleep(0.01)
    assert entered == [0, 1, 2]
    for event in leave:
        event.set()
    await asyncio.gather(*tasks)
    assert entered == [0, 1, 2, 3]
    assert limit.admitted == 0


async def answered(limit: Limiter, calls: int) -> None:
    """Have so many calls answered, one after the other."""
    for _ in range(calls):
        async with limit.slot() as turn:
            limit.record_success(turn)


async def test_each_answer_makes_room_for_more_calls() -> None:
    limit = limiter(initial_concurrency=4)
    await answered(limit, 4)

    assert limit.max_concurrent == 4 + 4 * GROWTH


async def test_no_more_calls_are_sent_than_are_answered_in_the_time_that_one_may_wait() -> None:
    clock = VirtualClock()
    limit = limiter(clock, initial_concurrency=4)
    async with limit.slot() as turn:
        await clock.sleep(2.0)
        for _ in range(3):
            limit.record_success(turn)

    assert limit.max_concurrent == pytest.approx(3 / 2.0 * MAX_WAIT_S, rel=0.01)


async def test_a_number_that_the_user_names_is_used_from_the_start() -> None:
    limit = limiter(initial_concurrency=30, max_concurrency=30)
    async with AsyncExitStack() as stack:
        for _ in range(30):
            await asyncio.wait_for(stack.enter_async_context(limit.slot()), 60)
        assert limit.in_flight == 30
    await answered(limit, 40)
    assert limit.max_concurrent == 30


async def test_a_refusal_shows_that_one_call_fewer_than_were_under_way_can_be_borne() -> None:
    limit = limiter(initial_concurrency=16, max_concurrency=16)
    async with AsyncExitStack() as stack:
        turns = [await stack.enter_async_context(limit.slot()) for _ in range(10)]
        limit.record_refusal(turns[0], None)
        assert limit.max_concurrent == 9
        limit.record_refusal(turns[1], None)
        assert limit.max_concurrent == 9


async def test_refusals_of_one_flight_lower_the_pace_once() -> None:
    limit = limiter(initial_concurrency=16, max_concurrency=16)
    async with AsyncExitStack() as stack:
        first, second, third = [await stack.enter_async_context(limit.slot()) for _ in range(3)]
        limit.record_refusal(first, None)
        result = limit.rate_estimator.learned_rate
        limit.record_refusal(second, None)
        limit.record_refusal(third, None)

    assert limit.rate_estimator.learned_rate == result


def test_rounds_that_bring_no_more_answers_a_second_end_the_growth() -> None:
    """An endpoint that queues what it cannot answer gives eight answers a second, however many calls wait there."""

    async def asking() -> float:
        loop = asyncio.get_running_loop()
        limit = Limiter(now=loop.time, sleep=asyncio.sleep, uniform=min)
        desks = asyncio.Semaphore(8)

        async def call() -> None:
            async with limit.slot() as turn, desks:
                await asyncio.sleep(1)
                limit.record_success(turn)

        await asyncio.gather(*(call() for _ in range(1500)))
        return limit.max_concurrent

    limit, seconds = virtual_loop.run(asking())

    assert limit < 60
    assert seconds < 1500 / 8 * 1.1


async def test_one_call_is_always_let_through() -> None:
    limit = limiter(initial_concurrency=2)
    for _ in range(9):
        async with limit.slot() as turn:
            limit.record_refusal(turn, None)

    assert limit.max_concurrent == 1


async def test_a_pause_holds_all_back_and_then_lets_them_straggle() -> None:
    clock = VirtualClock(share=0.5)
    limit = limiter(clock, initial_concurrency=9)
    async with limit.slot() as turn:
        limit.record_refusal(turn, 30.0)

    async with limit.slot():
        pass

    assert clock.slept == [pytest.approx(30.0 + MAX_JITTER_S / 2, abs=0.1)]


async def test_a_shorter_pause_does_not_shorten_a_longer_one() -> None:
    clock = VirtualClock(share=0.0)
    limit = limiter(clock, initial_concurrency=9)
    async with limit.slot() as turn:
        limit.record_refusal(turn, 30.0)
        limit.record_refusal(turn, 1.0)

    async with limit.slot():
        pass

    assert clock.total == pytest.approx(30.0, abs=0.1)


async def test_a_place_given_in_the_instant_of_cancelling_goes_to_the_next() -> None:
    limit = limiter(initial_concurrency=1)
    entered: list[str] = []

    async def call(name: str) -> None:
        async with limit.slot():
            entered.append(name)

    async with limit.slot():
        tasks = [asyncio.create_task(call(name)) for name in ("cancelled", "next")]
        await asyncio.sleep(0)
    tasks[0].cancel()  # its place was given as the turn above ended, but it has not run since
    await asyncio.gather(*tasks, return_exceptions=True)

    assert entered == ["next"]
    assert limit.admitted == 0


@given(
    start=st.integers(1, 5),
    fates=st.lists(
        st.sampled_from(["answered", "refused", "broken", "cancelled early", "cancelled late"]), max_size=30
    ),
)
async def test_places_are_neither_lost_nor_doubled(start: int, fates: list[str]) -> None:
    limit = limiter(initial_concurrency=start)
    most, highest = 0, float(start)

    async def call(fate: str) -> None:
        nonlocal most, highest
        async with limit.slot() as turn:
            most = max(most, limit.admitted)
            await asyncio.sleep(0)
            if fate == "refused":
                limit.record_refusal(turn, None)
            elif fate == "answered":
                limit.record_success(turn)
                highest = max(highest, limit.max_concurrent)
            elif fate == "broken":
                raise ConnectionError
            else:
                await asyncio.sleep(0.001)

    tasks = [asyncio.create_task(call(fate)) for fate in fates]
    for task, fate in zip(tasks, fates, strict=True):
        if fate == "cancelled early":
            task.cancel()
    await asyncio.sleep(0)
    for task, fate in zip(tasks, fates, strict=True):
        if fate == "cancelled late":
            task.cancel()
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks, return_exceptions=True)

    assert limit.admitted == 0
    assert most <= highest  # a cut may find more inside than the new limit, never more than the old


async def test_calls_that_fail_at_once_do_not_wait_for_the_first_pace() -> None:
    """An endpoint that answers every call with the same error is asked as fast as a few at once can ask it."""
    clock = VirtualClock()
    limit, began = limiter(clock), clock.now()
    for _ in range(200):
        async with limit.slot() as turn:
            await clock.sleep(0.02)
            limit.record_failure(turn)
    assert limit.max_concurrent == DEFAULT_CONCURRENCY
    assert clock.now() - began < 1.1 * 200 * 0.02


ROOMY = {
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9900",
    "x-ratelimit-reset-requests": "600ms",
}


@pytest.mark.parametrize(
    ("headers", "is_faster"),
    [
        (ROOMY, True),
        (ROOMY | {"x-ratelimit-remaining-requests": "20"}, False),
        (ROOMY | {"x-ratelimit-limit-tokens": "1000", "x-ratelimit-remaining-tokens": "400"}, False),
        ({}, False),
    ],
    ids=["room", "few calls left", "few tokens left", "no headers"],
)
async def test_where_headers_show_room_the_pace_doubles_without_waiting(
    headers: dict[str, str], is_faster: bool
) -> None:
    clock = VirtualClock()
    limit = limiter(clock)
    async with limit.slot() as turn:
        await clock.sleep(0.05)
        limit.observe_headers(headers)
        limit.record_success(turn)

    assert (limit.rate_estimator.rate(clock.now()) > 1.1 * INITIAL_RATE) == is_faster
