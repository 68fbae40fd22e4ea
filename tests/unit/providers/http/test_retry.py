import contextlib
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from fakes.virtual_clock import VirtualClock
from hypothesis import given
from hypothesis import strategies as st

from promptci.providers.base import CallError
from promptci.providers.http.pacing.limiter import Limiter
from promptci.providers.http.retry import AttemptFailed, RetryAdvice, RetryPolicy, parse_retry_after, with_retries

WALL = 1_700_000_000.0


def server_error(signature: str | None = None, retry_after_s: float | None = None) -> AttemptFailed:
    return AttemptFailed(
        CallError("server", "broken"), advice=RetryAdvice.LATER, signature=signature, retry_after_s=retry_after_s
    )


class Script:
    """An attempt that fails as listed and then succeeds."""

    def __init__(self, *failures: AttemptFailed) -> None:
        self.failures = list(failures)
        self.left: list[float] = []

    async def __call__(self, left_s: float) -> str:
        """Note how much time is left, and fail or answer."""
        self.left.append(left_s)
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


async def run(script: Script, clock: VirtualClock, policy: RetryPolicy | None = None) -> str:
    limiter = Limiter(initial_concurrency=9, max_concurrency=9, now=clock.now, sleep=clock.sleep, uniform=clock.uniform)
    return await with_retries(script, limiter=limiter, policy=policy or RetryPolicy(), clock=clock.clock)


async def test_what_succeeds_at_once_waits_for_nothing() -> None:
    clock = VirtualClock()

    assert await run(Script(), clock) == "answer"
    assert clock.slept == []


async def test_the_pauses_grow_and_are_drawn_from_their_whole_width() -> None:
    clock = VirtualClock(share=1.0)

    assert await run(Script(*[server_error()] * 5), clock) == "answer"
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0]


async def test_the_smallest_pause_is_none_so_that_calls_spread() -> None:
    clock = VirtualClock(share=0.0)

    assert await run(Script(*[server_error()] * 5), clock) == "answer"
    assert clock.slept == [0.0] * 5


async def test_six_attempts_are_all() -> None:
    script = Script(*[server_error()] * 9)

    with pytest.raises(CallError, match=r"broken \(6 attempts in \d+ s\)"):
        await run(script, VirtualClock())

    assert len(script.left) == 6


async def test_one_attempt_is_honoured_as_one() -> None:
    script = Script(server_error())

    with pytest.raises(CallError, match=r"^broken$"):
        await run(script, VirtualClock(), RetryPolicy(max_attempts=1))


async def test_no_pause_goes_past_the_time_a_call_may_take() -> None:
    clock = VirtualClock()
    script = Script(*[server_error(retry_after_s=50.0)] * 6)

    with pytest.raises(CallError):
        await run(script, clock)

    assert clock.total <= 120
    assert len(script.left) == 3
    assert script.left[2] < 20  # the last attempt knows how little time is left


@given(
    after=st.lists(st.one_of(st.none(), st.floats(0, 200)), max_size=10),
    share=st.floats(0, 1),
)
async def test_attempts_and_pauses_are_bounded_whatever_the_endpoint_asks(
    after: list[float | None], share: float
) -> None:
    clock = VirtualClock(share=share)
    script = Script(
        *(AttemptFailed(CallError("rate-limit", "x"), advice=RetryAdvice.LATER, retry_after_s=a) for a in after)
    )

    with contextlib.suppress(CallError):
        await run(script, clock)

    assert len(script.left) <= 6
    assert clock.total <= 120
    for pause, floor in zip(clock.slept, after, strict=False):
        assert pause >= (floor or 0.0)


async def test_the_pause_an_endpoint_asks_for_is_a_floor() -> None:
    clock = VirtualClock(share=0.5)

    await run(Script(server_error(retry_after_s=7.0)), clock)

    assert clock.slept == [7.25]


async def test_what_will_not_pass_is_asked_once() -> None:
    script = Script(AttemptFailed(CallError("auth", "no", fatal=True)))

    with pytest.raises(CallError, match=r"^no$") as caught:
        await run(script, VirtualClock())

    assert caught.value.fatal
    assert len(script.left) == 1


async def test_three_equal_failures_are_a_fault_of_the_request() -> None:
    script = Script(*[server_error("500 same")] * 9)

    with pytest.raises(CallError):
        await run(script, VirtualClock())

    assert len(script.left) == 3


async def test_failures_that_differ_are_tried_to_the_end() -> None:
    script = Script(*[server_error(f"500 {i}") for i in range(5)])

    assert await run(script, VirtualClock()) == "answer"


async def test_a_garbled_answer_is_asked_for_again_at_once_and_twice_only() -> None:
    clock = VirtualClock()
    script = Script(*[AttemptFailed(CallError("malformed", "?"), advice=RetryAdvice.IMMEDIATELY)] * 9)

    with pytest.raises(CallError):
        await run(script, clock)

    assert len(script.left) == 3
    assert clock.total == 0


DATES: dict[str, tuple[dict[str, str], float | None]] = {
    "seconds": ({"retry-after": "7"}, 7.0),
    "fraction": ({"retry-after": "0.25"}, 0.25),
    "milliseconds before seconds": ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
    "negative": ({"retry-after": "-5"}, 0.0),
    "date": ({"retry-after": format_datetime(datetime.fromtimestamp(WALL + 30, UTC), usegmt=True)}, 30.0),
    "past date": ({"retry-after": format_datetime(datetime.fromtimestamp(WALL - 30, UTC), usegmt=True)}, 0.0),
    "an hour": ({"retry-after": "3600"}, 3600.0),
    "absent": ({}, None),
    "nan": ({"retry-after": "nan"}, None),
    "infinite": ({"retry-after": "inf"}, None),
    "nonsense": ({"retry-after": "soon"}, None),
    "a date that is none": ({"retry-after": "Wed, 99 Foo 99999999 00:00:00 GMT"}, None),
    "nonsense in ms": ({"retry-after-ms": "x", "retry-after": "2"}, 2.0),
}


@pytest.mark.parametrize(("headers", "expected"), DATES.values(), ids=DATES)
def test_the_pause_is_read_in_each_form(headers: dict[str, str], expected: float | None) -> None:
    assert parse_retry_after(headers, WALL) == expected


@given(text=st.one_of(st.text(), st.integers().map(str), st.floats().map(str)))
def test_no_header_breaks_the_reader(text: str) -> None:
    pause = parse_retry_after({"retry-after": text, "retry-after-ms": text[::-1]}, WALL)

    assert pause is None or pause >= 0


async def test_calls_refused_together_do_not_come_back_together() -> None:
    pauses = set()
    for share in (0.1, 0.4, 0.7, 0.9):
        clock = VirtualClock(share=share)
        await run(Script(server_error(retry_after_s=3.0)), clock)
        pauses.add(clock.slept[0])

    assert len(pauses) == 4
