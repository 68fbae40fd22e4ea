"""What an endpoint allowed is known in the next run: on a clock of its own, and in its file."""

import asyncio
import random
from pathlib import Path

import pytest
from fakes import virtual_loop
from fakes.rationed import Endpoint, ask
from support.daily import first_daily

from promptci.providers.http.pacing.limiter import Limiter
from promptci.providers.known_limits import FILE_NAME, MAX_CONCURRENCY, MAX_MODELS, KnownLimit, LimitsFile

START_S = 0.8
"""What a whole run takes besides its calls, as measured."""
CALL_S = 0.001
"""Processor time of one call."""
LIMIT = KnownLimit(calls_at_once=40, calls_per_second=None, answer_s=1.5)


def make_limiter(known: KnownLimit | None = None, concurrency: int | None = None) -> Limiter:
    bounds = {} if concurrency is None else {"initial_concurrency": concurrency, "max_concurrency": concurrency}
    now = asyncio.get_running_loop().time
    limiter = Limiter(now=now, sleep=asyncio.sleep, uniform=min, **bounds)
    if known is not None:
        limiter.begin_with(known)
    return limiter


async def ask_freely(
    limiter: Limiter, calls: int, latency_s: tuple[float, float], desks: int = MAX_CONCURRENCY
) -> Limiter:
    """Ask an endpoint that refuses nothing; more calls than it has desks wait there."""
    chance = random.Random(1)  # noqa: S311 - the same in every run
    processor, free_desks = asyncio.Lock(), asyncio.Semaphore(desks)

    async def call() -> None:
        async with limiter.slot() as slot:
            async with processor:
                await asyncio.sleep(CALL_S)
            async with free_desks:
                await asyncio.sleep(chance.uniform(*latency_s))
            limiter.record_success(slot)

    await asyncio.gather(*(call() for _ in range(calls)))
    return limiter


def run_once(
    calls: int, latency_s: tuple[float, float], known: KnownLimit | None, concurrency: int | None = None
) -> tuple[KnownLimit | None, float]:
    """Return what a run found out, and how long it took."""

    async def run() -> Limiter:
        return await ask_freely(make_limiter(known, concurrency), calls, latency_s)

    limiter, seconds = virtual_loop.run(run())
    return limiter.known_limit(), START_S + seconds


@pytest.mark.parametrize("calls", [50, 200, pytest.param(1000, marks=pytest.mark.long)])
@pytest.mark.parametrize("latency_s", [(0.05, 0.05), (1.0, 1.0), (1.0, 8.0)])
def test_a_later_run_is_nearly_as_fast_as_with_the_best_number(latency_s: tuple[float, float], calls: int) -> None:
    _, best_s = run_once(calls, latency_s, None, concurrency=calls)
    known, first_s = run_once(calls, latency_s, None)
    known, second_s = run_once(calls, latency_s, known)
    _, third_s = run_once(calls, latency_s, known)

    assert first_s <= 2.2 * best_s
    assert second_s <= 1.2 * best_s
    assert third_s <= 1.1 * best_s


@pytest.mark.parametrize(("desks", "latency_s", "calls"), [(1, 5.0, 40), (1, 0.3, 200), (2, 2.0, 60), (8, 1.0, 600)])
def test_no_call_waits_for_its_timeout_in_the_queue_of_a_small_server(desks: int, latency_s: float, calls: int) -> None:
    """All work is done as fast as the server can, and the last call in its queue is answered within 60 seconds."""
    waited: list[float] = []

    async def run() -> None:
        limiter, free_desks = make_limiter(), asyncio.Semaphore(desks)
        now = asyncio.get_running_loop().time

        async def call() -> None:
            async with limiter.slot() as slot:
                began = now()
                async with free_desks:
                    await asyncio.sleep(latency_s)
                waited.append(now() - began)
                limiter.record_success(slot)

        await asyncio.gather(*(call() for _ in range(calls)))

    _, seconds = virtual_loop.run(run())
    assert max(waited) < 45
    assert seconds < 1.05 * calls * latency_s / desks


@pytest.mark.parametrize("latency_s", [0.2, 1.0, 5.0])
@pytest.mark.parametrize("most", [8, 40])
def test_an_endpoint_that_allows_so_many_calls_at_once_is_used(most: int, latency_s: float) -> None:
    under_way, refused, answered = 0, 0, []

    async def run() -> None:
        loop, chance = asyncio.get_running_loop(), random.Random(1)  # noqa: S311 - the same in every run
        limiter = make_limiter()

        async def call() -> None:
            nonlocal under_way, refused
            while True:
                async with limiter.slot() as slot:
                    await asyncio.sleep(0.01)
                    if under_way >= most:
                        refused += 1
                        await asyncio.sleep(0.02)
                        limiter.record_refusal(slot, None)
                        continue
                    under_way += 1
                    await asyncio.sleep(latency_s * chance.uniform(0.7, 1.3))
                    under_way -= 1
                    limiter.record_success(slot)
                    answered.append(loop.time())
                    return

        await asyncio.gather(*(call() for _ in range(1500)))

    virtual_loop.run(run())
    second_half = answered[len(answered) // 2 :]
    speed = len(second_half) / (second_half[-1] - second_half[0])
    assert speed >= 0.75 * most / (latency_s + 0.01)
    assert refused <= 0.035 * (refused + len(answered))


@pytest.mark.parametrize(("rate", "burst"), first_daily([(2.0, 10.0), (20.0, 2.0), (50.0, 10.0)]))
def test_a_rate_that_was_found_is_kept_to_from_the_first_call(rate: float, burst: float) -> None:
    first = virtual_loop.run(ask(Endpoint(rate=rate, burst=burst), int(max(300, rate * 30))))[0]
    known = first.known_limit()
    assert known is not None
    assert known.calls_per_second == pytest.approx(rate, rel=0.15)

    async def again(endpoint: Endpoint) -> Limiter:
        return await ask(endpoint, int(rate * 60), make_limiter(known))

    endpoint = Endpoint(rate=rate, burst=burst)
    _, seconds = virtual_loop.run(again(endpoint))
    assert len(endpoint.refused) <= max(0.02 * len(endpoint.came), 8)
    assert int(rate * 60) / seconds >= 0.9 * rate


def test_an_endpoint_that_queues_is_not_asked_for_more_each_time() -> None:
    """Answers that take much longer than alone wait in a queue, whose end would come after the timeout."""
    known = None
    for _ in range(6):

        async def run(known: KnownLimit | None = known) -> Limiter:
            return await ask_freely(make_limiter(known), 60, (2.0, 2.0), desks=2)

        known = virtual_loop.run(run())[0].known_limit()
        assert known is not None
        assert known.calls_at_once <= 24


def test_where_calls_were_refused_and_no_rate_is_known_nothing_is_kept() -> None:
    async def refused() -> Limiter:
        limiter = make_limiter()
        async with limiter.slot() as slot:
            limiter.record_success(slot)
        async with limiter.slot() as slot:
            limiter.record_refusal(slot, None)
        return limiter

    assert virtual_loop.run(refused())[0].known_limit() is None


def test_limits_are_kept_by_address_and_model(tmp_path: Path) -> None:
    first, other = LimitsFile(tmp_path / "new", "https://one/v1"), LimitsFile(tmp_path / "new", "https://other/v1")
    first.save({"small": LIMIT, "large": LIMIT})
    other.save({"small": LIMIT.model_copy(update={"calls_per_second": 5.0})})
    first.save({"small": LIMIT.model_copy(update={"calls_at_once": 80})})

    assert first.load() == {"large": LIMIT, "small": LIMIT.model_copy(update={"calls_at_once": 80})}
    assert other.load() == {"small": LIMIT.model_copy(update={"calls_per_second": 5.0})}


def test_only_so_many_models_are_kept(tmp_path: Path) -> None:
    file = LimitsFile(tmp_path, "https://one/v1")
    file.save({f"model {number}": LIMIT for number in range(MAX_MODELS)})
    file.save({"another": LIMIT})

    assert len(file.load()) == MAX_MODELS
    assert "model 0" not in file.load()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "promptci/limits/v1", "limits": {"a b": {}}}'])
def test_a_damaged_file_is_as_good_as_none_and_is_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text)
    file = LimitsFile(tmp_path, "https://one/v1")
    assert file.load() == {}

    file.save({"small": LIMIT})
    assert file.load() == {"small": LIMIT}
