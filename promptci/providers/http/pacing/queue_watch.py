"""Find calls that wait in a queue at the endpoint, and that would not be answered in time."""

from bisect import bisect_left
from collections.abc import Callable

MIN_ANSWERS = 8
"""Answers from which their order is read."""
MAX_QUEUE_RANK, MIN_PARALLEL_RANK = 0.15, 0.3
"""Mean share of the calls under way that are older than one that is answered. In a queue the oldest call is answered
first; where each call is worked on at once, any of them is: 0.5."""
WINDOW_SHARE = 1 / 3
"""The speed of answers is measured for so long, as a share of the time since the first call left."""
TIMEOUT_SHARE = 1.5
"""Calls are withdrawn that would take so many times as long as one may wait: three quarters of the timeout."""
GROSS = 4.0
"""The same in so many times this, while the order of the answers is not known."""


class QueueWatch:
    """The calls under way and the order in which they are answered.

    While an endpoint is silent, more calls are sent than a small one can answer in time. Once answers come, those that
    would wait for their timeout are withdrawn. This is decided late, when half of the time that one may wait is over:
    a queue loses nothing by it, and an endpoint that works on all calls at once has answered some of them by then.
    When all calls that were sent before the first answer have ended, there is nothing more to decide.
    """

    def __init__(self, max_wait_s: float) -> None:
        """Watch an endpoint where a call should be answered within `max_wait_s`."""
        self.max_wait_s = max_wait_s
        self._under_way: list[int] = []
        """Numbers of the calls, the oldest first."""
        self._withdraw: dict[int, Callable[[], object]] = {}
        self._sent_at: dict[int, float] = {}
        self._began: float | None = None
        """When the first call left."""
        self._silent_calls: int | None = None
        """Calls that left before the first answer."""
        self._answers = 0
        self._ranks = 0.0
        self._window: tuple[float, int] | None = None
        """When the measurement of the speed began, and the answers until then."""

    def record_call(self, number: int, now: float, withdraw: Callable[[], object]) -> None:
        """Record that a call leaves; `withdraw` takes it back. Numbers increase."""
        self._began = now if self._began is None else self._began
        self._under_way.append(number)
        self._withdraw[number] = withdraw
        self._sent_at[number] = now

    def record_end(self, number: int) -> None:
        """Record that a call is no longer under way."""
        if self._withdraw.pop(number, None) is not None:
            del self._under_way[bisect_left(self._under_way, number)], self._sent_at[number]

    def record_answer(self, number: int) -> None:
        """Record that a call under way is answered."""
        if self._silent_calls is None:
            self._silent_calls = self._under_way[-1] + 1
        self._answers += 1
        self._ranks += bisect_left(self._under_way, number) / max(1, len(self._under_way) - 1)

    @property
    def is_parallel(self) -> bool:
        """Whether calls overtake each other, as they do not in a queue."""
        return self._answers >= MIN_ANSWERS and self._ranks >= MIN_PARALLEL_RANK * self._answers

    def withdraw_surplus(self, now: float) -> float | None:
        """Withdraw the youngest calls that would not be answered in time; return how many may be under way, or None."""
        elapsed_s = now - (now if self._began is None else self._began)
        if elapsed_s < self.max_wait_s / 2 or self._under_way[0] >= (self._silent_calls or 0):
            return None
        if self._window is None:
            self._window = (now, self._answers)
        began, answers = self._window
        if now - began < WINDOW_SHARE * (began - (self._began or 0.0)):
            return None
        self._window = (now, self._answers)
        speed = (self._answers - answers) / (now - began)
        surplus = self._find_surplus(now, speed) if self._is_queue(speed) else []
        for number in surplus:
            self._withdraw[number]()
        return max(1.0, speed * self.max_wait_s) if surplus else None

    def _is_queue(self, speed: float) -> bool:
        if self._answers < MIN_ANSWERS:
            return len(self._under_way) > speed * GROSS * TIMEOUT_SHARE * self.max_wait_s
        return self._ranks <= MAX_QUEUE_RANK * self._answers

    def _find_surplus(self, now: float, speed: float) -> list[int]:
        """Return the calls that would not be answered in time behind the older ones that are kept."""
        surplus: list[int] = []
        kept = 0
        for number in self._under_way:
            age_s = now - self._sent_at[number]
            if kept and kept + 1 > speed * (TIMEOUT_SHARE * self.max_wait_s - age_s):
                surplus.append(number)
            else:
                kept += 1
        return surplus
