"""How many calls at once: more with each answer, while none is refused."""

from promptci.lazy_dataclass import dataclass

HEADROOM = 1.5
"""So many times the calls that are under way at once, at the pace and the time an answer takes, have room."""
GROWTH = 32.0
"""Calls that each answer makes room for while nothing is refused."""
MAX_WAIT_S = 30.0
"""No further call is sent where those under way would take longer than this, at the speed of the answers so far: an
endpoint that queues calls would let the last ones wait until their timeout."""
ROUND_S = 1.0
MIN_GAIN = 1.1
MAX_FLAT_ROUNDS = 3
"""Rounds in a row that were answered no faster than the best one before, though more calls were under way."""


@dataclass(kw_only=True, slots=True)
class ConcurrencyGrowth:
    """How the limit grows while nothing is refused."""

    max_wait_s: float = MAX_WAIT_S
    growing: bool = True
    _began: float | None = None
    """When the first call that was answered had left."""
    _answered: int = 0
    _first_calls: float = 0.0
    """The limit at first: so many calls were sent before there was an answer."""
    _first_calls_s: float = 0.0
    """What these took, in all."""
    _round_began: float = 0.0
    _round_answered: int = 0
    _round: float = 0.0
    """Answers that a round has."""
    _best_speed: float = 0.0
    """Calls answered a second in the best round so far."""
    _flat: int = 0

    def next_limit(self, limit: float, now: float, took_s: float, *, paced: bool) -> float:
        """Return the limit after one more answer, which took so long; `paced`: something else holds calls back."""
        if not self.growing:
            return limit + 1.0 / limit
        if self._began is None:
            self._began, self._first_calls, self._round_began, self._round = now - took_s, limit, now, limit
        self._answered += 1
        self._round_answered += 1
        if self._answered <= self._first_calls:
            self._first_calls_s += took_s
        mean_s = self._first_calls_s / min(self._answered, int(self._first_calls))
        if self._round_answered >= self._round and now - self._round_began >= ROUND_S:
            speed = self._round_answered / (now - self._round_began)
            gained = speed > MIN_GAIN * self._best_speed
            self._flat = 0 if gained or paced else self._flat + 1
            self._best_speed = max(self._best_speed, speed)
            self._round_began, self._round_answered, self._round = now, 0, limit
            if self._flat == MAX_FLAT_ROUNDS:
                self.growing = False
                return max(1.0, min(limit, HEADROOM * self._best_speed * mean_s + 1.0))
        # By Little's law: so many calls are answered, at this speed, in the time that one may wait.
        speed = self._answered / max(now - self._began, 1e-6)
        return max(limit, min(limit + GROWTH, speed * max(self.max_wait_s, HEADROOM * mean_s)))
