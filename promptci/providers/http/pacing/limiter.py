"""Limit concurrent calls to what the endpoint bears, found by trying."""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from promptci.lazy_dataclass import dataclass
from promptci.providers.http.pacing.concurrency_growth import HEADROOM, ConcurrencyGrowth
from promptci.providers.http.pacing.rate_estimator import WINDOW_S, RateEstimator, SentCall, room_for_calls
from promptci.providers.http.pacing.search_pace import SearchPace
from promptci.providers.known_limits import DEFAULT_CONCURRENCY, MAX_CONCURRENCY, KnownLimit, LoadObserver

JITTER_SHARE, MAX_JITTER_S = 0.1, 0.5
"""A common pause is lengthened by up to this share of it, and no more than so long: other processes wait as well."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CallSlot:
    """A call on its way."""

    cuts: int
    """How often the limit had been lowered when it left."""
    sent_call: SentCall
    others: int
    """Calls that were under way when it left."""


class Limiter:
    """How many calls at once and how many a second, shared by all calls to one model of one endpoint.

    It starts with a few calls at once. Each answer makes room for more, as long as none is refused, and as long as
    those under way are answered within `max_wait_s`; several rounds that are answered no faster than the one before end
    the growth, because a queue at the other end is no gain. A refusal shows that one call fewer can be borne than were
    under way, and ends the growth as well; from then on each round that goes well adds one, or more where the pace
    needs it. The pace at which calls leave is another matter (`search_pace.py`, `rate_estimator.py`). Refusals of calls
    that left before the last cut do not lower the pace again: they tell nothing new. A server error changes nothing: it
    is not a matter of how many.
    """

    def __init__(
        self,
        *,
        initial_concurrency: float = DEFAULT_CONCURRENCY,
        max_concurrency: float = MAX_CONCURRENCY,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self.max_concurrent = initial_concurrency
        """Calls at once, as a real number that grows by fractions."""
        self.admitted = 0
        self.in_flight = 0
        """Of those inside, the calls that have left."""
        self.rate_estimator = RateEstimator()
        if initial_concurrency < max_concurrency:
            self.rate_estimator.search_pace = SearchPace()
        self._most = max_concurrency
        self._now = now
        self._sleep = sleep
        self._uniform = uniform
        self.growth = ConcurrencyGrowth()
        self._took_s: float | None = None
        """What an answer takes, the last ones counting most."""
        self._load_observer = LoadObserver()
        self._cuts = 0
        self._paused_until = float("-inf")
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._gate = asyncio.Lock()

    @asynccontextmanager
    async def slot(self, before_attempt: Callable[[], object] = lambda: None) -> AsyncIterator[CallSlot]:
        """Wait until there is room and it is time, and leave at the end; yields the slot that `record_refusal` needs.

        `before_attempt` is called before there is anything to wait for and when the time has come; it may raise: then
        no call is made, and no slot is taken from another call.
        """
        await self._enter()
        try:
            sent = await self._wait_and_record(before_attempt)
            others = self.in_flight
            self.in_flight += 1
            try:
                yield CallSlot(cuts=self._cuts, sent_call=sent, others=others)
            finally:
                self.in_flight -= 1
        finally:
            self._exit()

    def record_success(self, slot: CallSlot) -> None:
        """Record that a call was answered."""
        now, took_s = self._timed(slot)
        self._load_observer.observe(slot.others, now - slot.sent_call.sent_at)
        needed = (
            0.0 if self.rate_estimator.learned_rate is None else HEADROOM * self.rate_estimator.rate(now) * took_s + 1
        )
        if self.max_concurrent < needed:
            self.max_concurrent = min(self._most, needed)
        else:
            paced = self.rate_estimator.learned_rate is not None or not self._waiting
            limit = self.growth.next_limit(self.max_concurrent, now, now - slot.sent_call.sent_at, paced=paced)
            self.max_concurrent = min(self._most, limit)
        self._note_answer(now, took_s)
        self._wake()

    def begin_with(self, known: KnownLimit) -> None:
        """Begin with what an earlier run found out."""
        self.max_concurrent = min(known.calls_at_once, self._most)
        self._load_observer = LoadObserver(known=known)
        self.growth = ConcurrencyGrowth(max_wait_s=self.growth.max_wait_s, growing=known.calls_per_second is None)
        self.rate_estimator.search_pace = None
        if known.calls_per_second is not None:
            self.rate_estimator.start_at(known.calls_per_second, self._now())

    def known_limit(self) -> KnownLimit | None:
        """Return what a later run should begin with; None where too little was seen."""
        estimator = self.rate_estimator
        rate = estimator.learned_rate if estimator.is_measured else None
        if rate is None and self._cuts:
            return None  # refused, and the rate is not known yet
        return self._load_observer.known_limit(self.max_concurrent, rate, grows=self.growth.growing)

    def record_failure(self, slot: CallSlot) -> None:
        """Record that a call failed with an error unrelated to the call rate.

        Their number stays; but no call need wait for the first pace where each is answered at once.
        """
        self._note_answer(*self._timed(slot))

    def _timed(self, slot: CallSlot) -> tuple[float, float]:
        """Return the time, and what an answer takes."""
        now = self._now()
        took = now - slot.sent_call.sent_at
        self._took_s = took if self._took_s is None else 0.9 * self._took_s + 0.1 * took
        return now, self._took_s

    def _note_answer(self, now: float, took_s: float) -> None:
        if self.rate_estimator.search_pace is not None:
            self.rate_estimator.search_pace.record_answer(now, self.max_concurrent, took_s)

    def observe_headers(self, headers: Mapping[str, str]) -> None:
        """Note the remaining calls that an answer's headers report."""
        if "x-ratelimit-limit-requests" in headers or "x-ratelimit-limit-tokens" in headers:
            if self.rate_estimator.search_pace is not None:
                has_room = room_for_calls(headers, self.in_flight) > 2 * self.max_concurrent
                self.rate_estimator.search_pace.has_room = has_room
            self._pause(
                self.rate_estimator.observe_headers(headers, self.in_flight - 1, self._now(), self._took_s or 0.0)
            )

    def record_refusal(self, slot: CallSlot, after_s: float | None) -> None:
        """Record that a call was refused for coming too often; `after_s` holds all calls back that long."""
        # A short pause is what this call needs; one that holds all while the rate is known lets allowance overflow.
        if not self.rate_estimator.is_measured or (after_s or 0.0) >= WINDOW_S:
            self._pause(after_s)
        again = slot.cuts == self._cuts
        self._cuts += again
        self.growth.growing = False
        # Where the pace is known it is what holds calls back; their number need only have room for it.
        needed = HEADROOM * (self.rate_estimator.learned_rate or 0.0) * (self._took_s or 0.0)
        self.max_concurrent = min(self.max_concurrent, max(1.0, self.in_flight - 1, needed))
        self.rate_estimator.record_refusal(slot.sent_call, self._now(), again=again, pause_s=after_s or 0.0)

    def _pause(self, after_s: float | None) -> None:
        if after_s is not None:
            self._paused_until = max(self._paused_until, self._now() + after_s)

    async def _wait_and_record(self, before_attempt: Callable[[], object]) -> SentCall:
        """Wait for the end of a common pause, and for the pace, one after the other."""
        before_attempt()
        if self._seconds_to_wait() <= 0 and not self._gate.locked():
            return self.rate_estimator.record_call(self._now())
        async with self._gate:
            while True:
                before_attempt()
                if (wait_s := self._seconds_to_wait()) <= 0:
                    return self.rate_estimator.record_call(self._now())
                await self._sleep(wait_s)

    def _seconds_to_wait(self) -> float:
        now = self._now()
        if (pause := self._paused_until - now) > 0:
            return pause + self._uniform(0.0, min(MAX_JITTER_S, JITTER_SHARE * pause))
        return self.rate_estimator.seconds_to_wait(now)

    async def _enter(self) -> None:
        if self.admitted < int(self.max_concurrent) and not self._waiting:
            self.admitted += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if not place.cancelled():  # the place was given in the same instant: hand it on
                self._exit()
            raise

    def _exit(self) -> None:
        self.admitted -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self.admitted < int(self.max_concurrent):
            place = self._waiting.popleft()
            if not place.done():
                self.admitted += 1
                place.set_result(None)
