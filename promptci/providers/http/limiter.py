"""Limit concurrent calls to what the endpoint bears, found by trying."""

import asyncio
import math
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from promptci.providers.http.rate_estimator import WINDOW_S, RateEstimator, SentCall, room_for_calls
from promptci.providers.known_limits import DEFAULT_CONCURRENCY, MAX_CONCURRENCY, KnownLimit, LoadObserver

JITTER_SHARE, MAX_JITTER_S = 0.1, 0.5
"""A common pause is lengthened by up to this share of it, and no more than so long: other processes wait as well."""
INITIAL_RATE = 10.0
MAX_BURST_FACTOR = 2.0
"""Calls leave at most so many times as fast as they would if they were spread evenly."""
DOUBLING_S = 1.0
HEADROOM = 1.5
"""So many times the calls that are under way at once, at the pace and the time an answer takes, have room."""
MIN_GAIN = 1.1
MAX_FLAT_ROUNDS = 3
"""Rounds in a row that were answered no faster than the best one before, though more calls were under way."""


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

    It starts with `start` calls at once and doubles with each round that goes well and is answered faster than the
    one before, but not within `DOUBLING_S`; a queue at the other end is no gain. A refusal shows that one call fewer
    can be borne than were under way, and ends the doubling; from then on each round that goes well adds one, or more
    where the pace needs it. The pace at which calls leave is another matter (`pace.py`). Refusals of calls that left
    before the last cut do not lower the pace again: they tell nothing new. A server error changes nothing: it is not a
    matter of how many.
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
        self._searching = initial_concurrency < max_concurrency
        self.rate_estimator.unlearned_rate = INITIAL_RATE if self._searching else None
        self._most = max_concurrency
        self._now = now
        self._sleep = sleep
        self._uniform = uniform
        self._growth = ConcurrencyGrowth(start=initial_concurrency)
        self._took_s: float | None = None
        """What an answer takes, the last ones counting most."""
        self._has_room = False
        """The last headers showed room for more calls than the next doubling brings."""
        self._first: float | None = None
        """When the first answer came."""
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
            limit = self._growth.next_limit(self.max_concurrent, now, paced=paced, has_room=self._has_room)
            self.max_concurrent = min(self._most, limit)
        self._smooth(now, took_s)
        self._wake()

    def begin_with(self, known: KnownLimit) -> None:
        """Begin with what an earlier run found out."""
        self.max_concurrent = min(known.calls_at_once, self._most)
        self._load_observer = LoadObserver(known=known)
        self._growth = ConcurrencyGrowth(start=self.max_concurrent, doubling=known.calls_per_second is None)
        self._searching, self.rate_estimator.unlearned_rate = False, None
        if known.calls_per_second is not None:
            self.rate_estimator.start_at(known.calls_per_second, self._now())

    def known_limit(self) -> KnownLimit | None:
        """Return what a later run should begin with; None where too little was seen."""
        estimator = self.rate_estimator
        rate = estimator.learned_rate if estimator.is_measured else None
        if rate is None and self._cuts:
            return None  # refused, and the rate is not known yet
        return self._load_observer.known_limit(self.max_concurrent, rate, grows=self._growth.doubling)

    def record_failure(self, slot: CallSlot) -> None:
        """Record that a call failed with an error unrelated to the call rate.

        Their number stays; but no call need wait for the first pace where each is answered at once.
        """
        self._smooth(*self._timed(slot))

    def _timed(self, slot: CallSlot) -> tuple[float, float]:
        """Return the time, and what an answer takes."""
        now = self._now()
        took = now - slot.sent_call.sent_at
        self._took_s = took if self._took_s is None else 0.9 * self._took_s + 0.1 * took
        return now, self._took_s

    def _smooth(self, now: float, took_s: float) -> None:
        if self._searching:
            self._first = now if self._first is None else self._first
            fastest = math.inf if self._has_room else INITIAL_RATE * 2.0 ** min((now - self._first) / DOUBLING_S, 64.0)
            self.rate_estimator.unlearned_rate = min(
                fastest, max(INITIAL_RATE, MAX_BURST_FACTOR * self.max_concurrent / max(took_s, 1e-3))
            )

    def observe_headers(self, headers: Mapping[str, str]) -> None:
        """Note the remaining calls that an answer's headers report."""
        if "x-ratelimit-limit-requests" in headers or "x-ratelimit-limit-tokens" in headers:
            self._has_room = room_for_calls(headers, self.in_flight) > 2 * self.max_concurrent
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
        self._growth.doubling = False
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


@dataclass(kw_only=True, slots=True)
class ConcurrencyGrowth:
    """How the limit grows while nothing is refused."""

    start: float
    doubling: bool = True
    _began: float | None = None
    _answered: int = 0
    _round: float = 0.0
    _since: float | None = None
    _best: float = 0.0
    """Calls answered a second in the best round so far."""
    _enough: float = 0.0
    """The limit at its end."""
    _flat: int = 0

    def next_limit(self, limit: float, now: float, *, paced: bool, has_room: bool = False) -> float:
        """Return the limit after one more answer; `paced`: something else than the limit holds calls back.

        `has_room`: headers show that the next calls are allowed, so no time need pass to see whether one is refused.
        """
        if not self.doubling:
            return limit + 1.0 / limit
        self._answered += 1
        if self._since is None or self._began is None:
            self._began, self._since, self._round = now, now, limit
        if self._answered >= self._round and now - self._since >= DOUBLING_S:
            speed = self._answered / max(now - self._since, 1e-6)
            gained = speed > MIN_GAIN * self._best
            self._flat = 0 if gained or paced else self._flat + 1
            if gained:
                self._best, self._enough = speed, limit
            self._answered, self._since, self._round = 0, now, limit
            if self._flat == MAX_FLAT_ROUNDS:
                self.doubling = False
                return self._enough
        if has_room:
            return limit + 1.0
        # The exponent is bounded so that no float overflows; the limit is bounded elsewhere.
        soonest: float = self.start * 2.0 ** min(1.0 + (now - self._began) / DOUBLING_S, 64.0)
        return max(limit, min(limit + 1.0, soonest))
