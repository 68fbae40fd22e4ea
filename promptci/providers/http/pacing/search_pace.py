"""The pace of calls while no limit of the endpoint is known: it doubles, until a call is refused."""

from promptci.lazy_dataclass import dataclass

INITIAL_RATE = 100.0
DOUBLING_S = 0.75
"""Seconds after the first answer in which the pace doubles."""
MAX_BURST_FACTOR = 2.0
"""Calls leave at most so many times as fast as they would if they were spread evenly."""


@dataclass(kw_only=True, slots=True)
class SearchPace:
    """Calls a second that leave while nothing was refused, so that they do not leave in clumps."""

    has_room: bool = False
    """Headers show room for more calls than are about to leave: only their number is bounded."""
    _first_answer: float | None = None
    _spread_evenly: float = 0.0
    """Calls a second at which the calls that may be under way would leave, spread evenly."""

    def record_answer(self, now: float, max_concurrent: float, took_s: float) -> None:
        """Record an answer, and how many calls may be under way now."""
        self._first_answer = now if self._first_answer is None else self._first_answer
        self._spread_evenly = max_concurrent / max(took_s, 1e-3)

    def rate(self, now: float) -> float:
        """Return the calls a second that may leave now."""
        if self._first_answer is None:
            return INITIAL_RATE
        most = max(INITIAL_RATE, MAX_BURST_FACTOR * self._spread_evenly)
        # The exponent is bounded so that no float overflows.
        doubled: float = INITIAL_RATE * 2.0 ** min((now - self._first_answer) / DOUBLING_S, 64.0)
        return most if self.has_room else min(most, doubled)
