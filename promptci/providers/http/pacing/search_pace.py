"""The pace of calls while no limit of the endpoint is known: it rises with the calls sent, until one is refused."""

from math import exp

from promptci.lazy_dataclass import dataclass

REFUSAL_S = 0.05
"""Seconds in which an endpoint refuses a call, besides the time to connect to it: a refusal needs no model."""
MAX_UNHEARD_CALLS, MAX_UNHEARD_SHARE = 13.0, 0.14
"""Calls that may leave within the time that a refusal takes: so many, or this share of those that left before. If the
endpoint's allowance is used up, these are refused before anything is known of it."""
FIRST_UNHEARD_CALLS, UNHEARD_PER_CALL = 5.0, 0.17
"""The same at first, and so many more with each call: an endpoint that takes few calls at once allows few a second."""
MEMORY_S = 3.0
"""Calls that left so long ago count for a third: an allowance has filled again since."""
MAX_RATE, STEADY_S, DOUBLING_S = 500.0, 3.0, 1.5
"""Calls a second that leave at most, about as many as one processor sends, until some seconds after the first answer;
then twice as many after each such time."""
ROOM_FACTOR = 4.0
"""Calls leave so many times as fast where headers show that there is room."""


@dataclass(kw_only=True, slots=True)
class SearchPace:
    """Calls a second that leave while nothing was refused, so that few leave before a refusal would have come."""

    has_room: bool = False
    """Headers show room for more calls than are about to leave."""
    is_connected: bool = False
    connect_s: float = 0.0
    """Seconds that the fastest connection to the endpoint took."""

    _recent_calls: float = 0.0
    """Calls that left, the last ones counting most."""
    _last_call: float = 0.0
    _first_answer: float | None = None

    def record_call(self, now: float) -> None:
        """Record that a call leaves."""
        self._recent_calls = 1 + self._recent_calls * exp((self._last_call - now) / MEMORY_S)
        self._last_call = now

    def record_answer(self, now: float) -> None:
        """Record that a call was answered."""
        self._first_answer = now if self._first_answer is None else self._first_answer

    def rate(self, now: float) -> float:
        """Return the calls a second that may leave now, after those that left."""
        few_calls = min(MAX_UNHEARD_CALLS, FIRST_UNHEARD_CALLS + UNHEARD_PER_CALL * self._recent_calls)
        unheard_calls = max(few_calls, MAX_UNHEARD_SHARE * self._recent_calls)
        answered_s = 0.0 if self._first_answer is None else now - self._first_answer
        # The exponent is bounded so that no float overflows.
        doublings = min(max(0.0, answered_s - STEADY_S) / DOUBLING_S, 64.0)
        rate: float = min(MAX_RATE * 2.0**doublings, unheard_calls / (REFUSAL_S + self.connect_s))
        return ROOM_FACTOR * rate if self.has_room else rate
