"""Progress in plain lines, for a log: counts and price, and never a line for every call."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from promptci.runs.model import Answer


STEPS = 10
"""Lines printed over a whole run."""


class PlainProgress:
    """Prints about ten lines over a run."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.total = self._done = self._failed = self._cached = 0
        self._usd = Decimal(0)
        self._priced = False

    def begin(self, total: int) -> None:
        """Print the number of expected answers; what was counted before belongs to an earlier part of the run."""
        self.total, self._done, self._failed, self._cached = total, 0, 0, 0
        self._say(f"asking: {total} answers")

    def extend(self, count: int) -> None:
        """Print that `count` additional answers are expected."""
        self.total += count
        self._say(f"asking: {count} more answers")

    def step(self, answer: Answer) -> None:
        """Count one answer; print a line at every tenth of the run."""
        before = self._done * STEPS // max(self.total, 1)
        self._done += 1
        self._failed += answer.error is not None
        self._cached += answer.cached
        if answer.cost_usd is not None and not answer.cached:
            self._usd += answer.cost_usd
            self._priced = True
        if self._done * STEPS // max(self.total, 1) > before:
            self._say(self.line())

    def wait(self, reason: str) -> None:
        """Print why no answer arrives."""
        self._say(f"waiting: {reason}")

    def end(self) -> None:
        """Do nothing: there is nothing to close."""

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
