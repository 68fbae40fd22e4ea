"""How many calls a second an endpoint allows: learned from what it refuses, and from what its headers say."""

import math
import re
from collections import deque
from collections.abc import Mapping

from promptci.lazy_dataclass import dataclass
from promptci.providers.http.pacing.search_pace import SearchPace

CAUTION = 0.97
"""Share of the rate found at which is gone on after a refusal."""
RECOVERY_CALLS, RECOVERY_PAUSES, RECOVERY_S, LONGEST_RECOVERY_S = 100, 20, 2.0, 60.0
"""After a refusal the rate found is reached again in the time of so many calls or common pauses, within bounds; then it
is slowly passed, to see whether more is allowed. Twice as long each time that the same rate is found."""
SAME = 0.1
"""Relative difference of two rates that are the same."""
FIRST_GUESS = 0.5
"""Share of the rate at the first refusal: how much of that was saved-up allowance is not known yet."""
MODEST_RATE, MODEST_DOUBLING_S = 10.0, 1.5
"""How a first refusal is read: as if calls had left at this rate, twice as fast after each such time. That they left
faster tells what is allowed at once, and not what is allowed a second."""
SEARCH = 0.2
"""Growth a second until a second refusal has shown the rate."""
FEWEST = 5
"""Calls between two refusals from which a rate is read."""
WINDOW_S = 5.0
"""A pause at least so long waits for the next window of time, not for a bucket to fill."""
TRUSTED, MOST_IDLE, CUT = 30, 0.2, 0.9
"""A known rate is lowered by a tenth at most where fewer calls, or more idle time, are all that speaks against it."""
PROBE_S, LONGEST_HOLD_S = 0.2, 20.0
"""Where nothing was taken since the last refusal, one call is sent to try, and others this much later at the earliest;
each time in vain four times as late."""
RECENT_S = 1.0
SLOWEST = 0.1
LATE_S = 0.01
SURPLUS_S = 5.0
"""Allowance that headers show to be left over is used up within this time."""
LAST_PART = 0.05
"""What is left of a window is spread over this share of it at least: the calls of a minute do not leave in its last
instant."""
RESERVE = 5
"""Calls that are always kept in hand where headers show what is left."""
SCARCE_TOKENS = 0.05
"""Share of the limit of tokens under which is waited for more."""

_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_IN_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class SentCall:
    """A call as it left."""

    sent_at: float
    """Seconds of the clock."""
    earlier_calls: int
    """Calls that left before it."""


class RateEstimator:
    """The times at which calls leave.

    Until something speaks against it they leave when they like. An endpoint that counts calls keeps an allowance that
    fills at some rate and is empty whenever it refuses: the calls it took between two refusals, by the time between
    them, are that rate. After a refusal the pace returns to the rate found along a cubic curve, which is flat there
    and steep far from it: a limit that was raised is found soon, and one that was not is hardly ever overrun. This is
    CUBIC's law (RFC 9438), with a measured rate in place of a fixed decrease. Refusals with nothing taken in between
    make the wait four times as long, without touching the rate found: a window of time is used up. Where headers
    show a window, what is left is spread over the rest of it.

    docs/endpoints.md states what is promised; `test_rate_estimator.py` simulates it. Calls that
    were sent apart may arrive together. Where travel times differ by an exponential part with mean s, and an endpoint
    has no room for two calls at once, at most 1 / (1 + s R ln 25) of R can be had with 2 % of calls refused: the
    difference of two such times is Laplace-distributed and exceeds x with probability exp(-x / s) / 2.
    """

    def __init__(self) -> None:
        """Start without a limit."""
        self.learned_rate: float | None = None
        """Calls a second that the endpoint allows, as far as known."""
        self.is_measured = False
        """Whether that was measured or read from headers, and not only guessed."""
        self._has_header_rate = False
        """Whether the rate was read from headers."""
        self._lied = False
        """Calls were refused although headers said that there was room."""
        self._surplus = 0.0
        self._recovery_s = RECOVERY_S
        self.search_pace: SearchPace | None = None
        """How calls leave while nothing is known; None for no limit."""
        self._since = 0.0
        self._pause_s = self._paused_s = 0.0
        """What the last refusal that counted asked for, and the one before."""
        self._idle_s = 0.0
        """How long, since the allowance was last seen empty, no call left although the pace would have let it."""
        self._next = float("-inf")
        self._count = 0
        self._barren = 0
        """Refusals in a row between which nothing was taken."""
        self._probing = False
        self._sample: tuple[float, float] | None = None
        """Calls left and seconds to the full, as headers told last."""
        self._windows = False
        """The whole allowance comes back at once, as headers show."""
        self._window_s = 0.0
        """The longest time to the next window that was told."""
        self._recent: deque[float] = deque(maxlen=1024)
        self._empty: SentCall | None = None
        """The last call of which is known that it found the allowance empty."""

    def start_at(self, rate: float, now: float) -> None:
        """Begin with a rate that was found in an earlier run."""
        self.learned_rate, self.is_measured, self._since = CAUTION * rate, True, now

    def seconds_to_wait(self, now: float) -> float:
        """Return the seconds until the next call may leave."""
        return 0.0 if self.rate(now) == math.inf else max(0.0, self._next - now)

    def record_call(self, now: float) -> SentCall:
        """Record that a call leaves."""
        sent = SentCall(sent_at=now, earlier_calls=self._count)
        self._count += 1
        if self.learned_rate is None:
            self._recent.append(now)
        elif now > self._next + LATE_S:
            self._idle_s += now - self._next
        # Waking late is made up for, within bounds.
        self._next = max(self._next, now - LATE_S) + 1 / self.rate(now)
        if self._probing:
            self._probing, self._next = False, max(self._next, now + PROBE_S)
        return sent

    def rate(self, now: float) -> float:
        """Return the calls a second that may leave now; infinite where nothing is known."""
        if self.learned_rate is None:
            return math.inf if self.search_pace is None else self.search_pace.rate(now)
        age = max(0.0, now - self._since)
        if self._has_header_rate:
            return self.learned_rate + self._surplus / SURPLUS_S
        if not self.is_measured:
            return float(self.learned_rate * math.exp(SEARCH * min(age, 60.0)))
        return float(self.learned_rate * (1 + (1 - CAUTION) * (min(age / self._recovery_s, 5.0) - 1) ** 3))

    def record_refusal(self, sent: SentCall, now: float, *, again: bool, pause_s: float = 0.0) -> None:
        """Record that a call was refused; `again`: the first one that left since the pace was last lowered.

        `pause_s`: how long the endpoint wants all calls held.
        """
        before = self._empty
        if before is not None and sent.earlier_calls <= before.earlier_calls:
            return
        self._empty = sent
        if again:
            self._paused_s, self._pause_s = self._pause_s, pause_s
            self._lower(before, sent, now)
        self._idle_s = 0.0

    def _lower(self, before: SentCall | None, sent: SentCall, now: float) -> None:
        taken = 0 if before is None else sent.earlier_calls - before.earlier_calls - 1
        self._barren = 0 if taken or before is None else self._barren + 1
        if self.learned_rate is None:
            recent = [at for at in self._recent if at > now - RECENT_S]
            spread = max(now - recent[0], 0.05) if recent else RECENT_S
            modest = MODEST_RATE + math.log(2) / MODEST_DOUBLING_S * sent.earlier_calls
            self.learned_rate = max(FIRST_GUESS * min(len(recent) / spread, modest), SLOWEST)
        elif before is not None and taken and (self.is_measured or taken >= FEWEST):
            self._measure(taken, sent.sent_at - before.sent_at, now)
        elif not self.is_measured:
            # An allowance that is empty twice was given fewer calls in between than one more than were taken.
            most = math.inf if before is None else (taken + 1) / self._filled_s(sent.sent_at - before.sent_at)
            self.learned_rate = max(SLOWEST, FIRST_GUESS * min(self.rate(now), most))
        self._lied, self._has_header_rate = self._lied or self._has_header_rate, False
        self._probing = self._barren > 0
        held_s = min(4.0**self._barren / self.learned_rate, LONGEST_HOLD_S) if self._probing else 1 / self.learned_rate
        self._next = max(self._next, now + held_s)
        self._since = max(now + self._pause_s, self._next)

    def _measure(self, taken: int, seconds: float, now: float) -> None:
        filled_s, previous_rate, fastest = self._filled_s(seconds), self.learned_rate or 0.0, self.rate(now)
        measured = taken / filled_s
        # What windows of time allow is known exactly once one was used up from its start.
        bucket = self._pause_s < WINDOW_S
        if bucket and fastest > max(measured, self.rate(self._since)):
            # The pace came from below, so perhaps some allowance was lost: the rate lies between the two.
            measured = math.sqrt(measured * fastest) if self.is_measured else fastest
        if bucket and self.is_measured and (taken < TRUSTED or self._idle_s > MOST_IDLE * filled_s):
            measured = max(measured, CUT * fastest)
        same = self.is_measured and abs(measured - previous_rate) < SAME * previous_rate
        least = max(RECOVERY_S, RECOVERY_CALLS / measured, RECOVERY_PAUSES * self._pause_s)
        self._recovery_s = min(max(least, 2 * self._recovery_s if same else 0.0), LONGEST_RECOVERY_S)
        self.learned_rate = max(SLOWEST, (previous_rate + measured) / 2 if same else measured)
        self.is_measured = True

    def _filled_s(self, seconds: float) -> float:
        """Return for how long the allowance filled: of the time without calls none may count, or all; so the mean.

        Windows of time are counted from end to end, as the pauses tell them.
        """
        if self._pause_s >= WINDOW_S:
            return max(seconds + self._pause_s - self._paused_s, 1e-3)
        running = max(seconds - self._idle_s, seconds / 20, 1e-3)
        return math.sqrt(max(seconds, 1e-3) * running)

    def observe_headers(self, headers: Mapping[str, str], flying: int, now: float, took_s: float = 0.0) -> float | None:
        """Learn from the headers of an answer; return how many seconds to hold all calls, or None.

        Names are in lower case. `flying`: calls whose answers are awaited; `took_s`: how old an answer's headers are.
        """
        limit, remaining = _number(headers, "limit-requests"), _number(headers, "remaining-requests")
        full_s = parse_duration(headers.get("x-ratelimit-reset-requests"))
        if remaining is not None and full_s is not None:
            if self._sample is not None and (change := (remaining - self._sample[0]) * (full_s - self._sample[1])):
                # A bucket needs the longer to be full the less is left; the end of a window comes nearer.
                self._windows = change > 0
            self._sample = (remaining, full_s)
            if self._windows:
                return self._share_out(remaining - flying, full_s, now, took_s)
        # A few calls are too coarse a sample: the header counts whole requests.
        if limit and remaining is not None and full_s and limit - remaining >= FEWEST and not self._lied:
            fills = CAUTION * (limit - remaining) / full_s
            surplus = remaining - 2 * flying - RESERVE
            if surplus <= 0 or self._has_header_rate:
                self.learned_rate = (
                    fills
                    if not self._has_header_rate or self.learned_rate is None
                    else 0.9 * self.learned_rate + 0.1 * fills
                )
                self._has_header_rate = self.is_measured = True
                self._since = now
                self._surplus = max(0.0, surplus)
        return self._scarce(headers)

    def _share_out(self, remaining: float, full_s: float, now: float, took_s: float) -> float | None:
        """Spread a window's remaining calls over its remaining time; return that time if no call remains."""
        self._window_s = max(self._window_s, full_s)
        window_left_s = full_s - took_s / 2
        if window_left_s <= 0:
            return None
        if remaining < 1:
            return window_left_s
        if full_s > took_s:  # else the window may be over since
            rest_s = max(window_left_s, LAST_PART * self._window_s)
            self.learned_rate, self._surplus, self._since = CAUTION * remaining / rest_s, 0.0, now
            self._has_header_rate = self.is_measured = True
        return None

    def _scarce(self, headers: Mapping[str, str]) -> float | None:
        tokens, tokens_left = _number(headers, "limit-tokens"), _number(headers, "remaining-tokens")
        tokens_s = parse_duration(headers.get("x-ratelimit-reset-tokens"))
        if tokens and tokens_left is not None and tokens_s and tokens_left < SCARCE_TOKENS * tokens:
            return tokens_s * SCARCE_TOKENS
        return None


def room_for_calls(headers: Mapping[str, str], flying: int) -> float:
    """Return how many more calls headers allow now, when as many as are under way may not be counted yet."""
    remaining, limit = _number(headers, "remaining-requests"), _number(headers, "limit-requests")
    room = 0.0 if remaining is None else remaining - 2 * flying - RESERVE
    tokens, tokens_left = _number(headers, "limit-tokens"), _number(headers, "remaining-tokens")
    if tokens and tokens_left is not None and tokens_left < tokens / 2:
        return 0.0
    return room if limit else 0.0


def parse_duration(text: str | None) -> float | None:
    """Read a time as rate-limit headers spell it: `6ms`, `1m30s`, `2.5`; None for anything else."""
    if text is None:
        return None
    text = text.strip()
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return min(sum(float(number) * _IN_SECONDS[unit] for number, unit in parts), 1e9)
    try:
        plain = float(text)
    except ValueError:
        return None
    return plain if 0 <= plain <= 1e9 else None


def _number(headers: Mapping[str, str], name: str) -> float | None:
    try:
        number = float(headers.get(f"x-ratelimit-{name}", ""))
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None
