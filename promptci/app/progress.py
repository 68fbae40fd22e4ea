"""Progress in plain lines, for a log: counts and price, and never a line for every call."""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from promptci.runs.model import Answer


STEPS = 10
"""Lines printed over a whole run, at most."""
MIN_ANSWERS, MAX_SILENCE_S = 5, 10.0
"""A line stands for so many answers at least, unless they take so long to arrive."""


class PlainProgress:
    """Prints about ten lines over a run; answers that are there already, from the cache, get no line of their own."""

    def __init__(self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._say = say
        self._clock = clock
        self.total = self._done = self._failed = self._cached = 0
        self._usd = Decimal(0)
        self._priced = False
        self._announced = self._told = 0
        """The expected answers and the answers as the last lines have them."""
        self._told_at = 0.0

    def begin(self, total: int) -> None:
        """Print the number of expected answers; what was counted before belongs to an earlier part of the run."""
        self.end()
        self.total, self._done, self._failed, self._cached, self._told = total, 0, 0, 0, 0
        self._announced, self._told_at = total, self._clock()
        self._say(f"asking: {total} answers")

    def extend(self, count: int) -> None:
        """Expect `count` additional answers; they are announced once one of them has to be asked for."""
        self.total += count

    def step(self, answer: Answer) -> None:
        """Count one answer; print a line at every tenth of the run, and at its end."""
        before = self._done * STEPS // max(self.total, 1)
        self._done += 1
        self._failed += answer.error is not None
        self._cached += answer.cached
        if answer.cached:
            return
        if self.total > self._announced:
            self._say(f"asking: {self.total - self._announced} more answers")
            self._announced = self.total
        if answer.cost_usd is not None:
            self._usd += answer.cost_usd
            self._priced = True
        is_due = self._done - self._told >= MIN_ANSWERS or self._clock() - self._told_at >= MAX_SILENCE_S
        if self._done >= self.total or (is_due and self._done * STEPS // max(self.total, 1) > before):
            self._tell()

    def wait(self, reason: str) -> None:
        """Print why no answer arrives."""
        self._say(f"waiting: {reason}")

    def end(self) -> None:
        """Print the counts where answers came after the last line."""
        if self._done > self._told:
            self._tell()

    def _tell(self) -> None:
        self._told, self._told_at = self._done, self._clock()
        self._say(self.line())

    def line(self) -> str:
        """Return the current counts in words."""
        parts = [f"{self._done} of {self.total} answers"]
        if self._cached:
            parts.append(f"{self._cached} from the cache or shared")
        if self._failed:
            parts.append(f"{self._failed} failed")
        if self._priced:  # that a price is unknown stands in the estimate
            parts.append(f"${self._usd:.4f} so far")
        return ", ".join(parts)
