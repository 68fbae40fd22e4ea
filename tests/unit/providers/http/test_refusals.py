"""An endpoint that refuses every call: the wait is reported, and it ends."""

import asyncio
from collections.abc import Callable

import pytest
from fakes.asking import request
from fakes.openai_server import Call, OpenAIServer, Reply, error
from fakes.virtual_clock import VirtualClock

from promptci.providers.base import CallError, CallHooks
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.http.pacing.limiter import Limiter
from promptci.providers.http.refusals import MAX_REFUSED_S, RefusalWatch
from promptci.providers.http.retry import AttemptFailed, RetryAdvice
from promptci.providers.options import ProviderOptions


async def call_until_stopped(answer: Callable[[Call], Reply | str]) -> tuple[list[CallError | str], list[str], float]:
    """Return the outcome of each call, up to the one that stops all others; what was reported; and the time taken."""
    clock = VirtualClock()
    outcomes: list[CallError | str] = []
    reports: list[str] = []
    with OpenAIServer(answer) as server:
        provider = OpenAIProvider(ProviderOptions(base_url=server.base_url), key=None, clock=clock.clock)
        for number in range(40):
            try:
                hooks = CallHooks(on_long_wait=reports.append)
                outcomes.append((await provider.complete(request(str(number)), replicate=0, hooks=hooks)).text)
            except CallError as failed:
                outcomes.append(failed)
                if failed.fatal:
                    break
        await provider.aclose()
    return outcomes, reports, clock.total


@pytest.mark.parametrize("pause", ["0", "1", "30", "100"])
async def test_refusals_that_name_a_pause_stop_the_run_within_two_minutes(pause: str) -> None:
    outcomes, reports, seconds = await call_until_stopped(lambda _: error(429, "slow down", Retry_After=pause))

    last = outcomes[-1]
    assert isinstance(last, CallError)
    assert (last.kind, last.fatal) == ("rate-limit", True)
    assert "HTTP 429: slow down" in last.message
    assert "Every call was refused" in last.message
    assert seconds <= MAX_REFUSED_S + 5
    assert "HTTP 429: slow down" in reports[0]


@pytest.mark.parametrize("pause", ["1", "60", "100"])
async def test_an_endpoint_that_is_down_and_names_a_pause_stops_the_run_too(pause: str) -> None:
    """One call after another would otherwise wait two minutes each, up to the deadline."""
    outcomes, _, seconds = await call_until_stopped(lambda _: error(503, "overloaded", Retry_After=pause))

    last = outcomes[-1]
    assert isinstance(last, CallError)
    assert last.fatal
    assert "HTTP 503: overloaded" in last.message
    assert "the endpoint is down" in last.message
    assert seconds <= MAX_REFUSED_S + 5


async def test_an_endpoint_that_is_down_for_a_minute_is_waited_for() -> None:
    replies = iter([error(503, "overloaded", Retry_After="30")] * 2)
    outcomes, _, _ = await call_until_stopped(lambda _: next(replies, "fine"))
    assert outcomes == ["fine"] * 40


async def test_refusals_after_some_answers_stop_the_run_too() -> None:
    answers = iter(["first", "second"])
    outcomes, reports, seconds = await call_until_stopped(lambda _: next(answers, error(429, Retry_After="1")))

    assert outcomes[:2] == ["first", "second"]
    assert isinstance(outcomes[-1], CallError)
    assert outcomes[-1].fatal
    assert seconds <= MAX_REFUSED_S + 5
    assert reports


async def test_an_endpoint_that_takes_one_call_each_minute_is_waited_for() -> None:
    clock = VirtualClock()
    taken = [float("-inf")]

    def answer(_: Call) -> Reply | str:
        now = clock.now()
        if now - taken[-1] < 60:
            return error(429, Retry_After=f"{60 - (now - taken[-1]):.1f}")
        taken.append(now)
        return "fine"

    with OpenAIServer(answer) as server:
        provider = OpenAIProvider(ProviderOptions(base_url=server.base_url), key=None, clock=clock.clock)
        texts = [(await provider.complete(request(str(number)), replicate=0)).text for number in range(6)]
        await provider.aclose()

    assert texts == ["fine"] * 6


async def test_a_refusal_stops_nothing_while_another_call_is_under_way() -> None:
    clock = VirtualClock()
    limiter = Limiter(initial_concurrency=2, max_concurrency=2, now=clock.now, sleep=clock.sleep)
    watch = RefusalWatch(limiter, clock.clock)

    async def refuse() -> AttemptFailed:
        failed = AttemptFailed(
            CallError("rate-limit", "no"), advice=RetryAdvice.LATER, retry_after_s=1.0, rate_limited=True
        )
        async with limiter.slot():
            watch.record_refusal(failed, lambda _: None)
        return failed

    async with limiter.slot():  # an answer that takes minutes
        await refuse()
        await clock.sleep(2 * MAX_REFUSED_S)
        assert not (await refuse()).error.fatal
    await asyncio.sleep(0)
    assert (await refuse()).error.fatal
