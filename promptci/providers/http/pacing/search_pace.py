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
MAX_RATE = 500.0
"""Calls a second that leave at most: about as many as one processor sends."""
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

    def record_call(self, now: float) -> None:
        """Record that a call leaves."""
        self._recent_calls = 1 + self._recent_calls * exp((self._last_call - now) / MEMORY_S)
        self._last_call = now

    def rate(self) -> float:
        """Return the calls a second that may leave after those that left."""
        few_calls = min(MAX_UNHEARD_CALLS, FIRST_UNHEARD_CALLS + UNHEARD_PER_CALL * self._recent_calls)
        unheard_calls = max(few_calls, MAX_UNHEARD_SHARE * self._recent_calls)
        rate = min(MAX_RATE, unheard_calls / (REFUSAL_S + self.connect_s))
        return ROOM_FACTOR * rate if self.has_room else rate
