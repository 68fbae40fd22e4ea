"""Progress in plain lines, for a log: counts and price, and never a line for every call."""

from collections.abc import Callable
from decimal import Decimal

from promptci.runs.model import Answer

STEPS = 10
"""Lines printed over a whole run."""


class PlainProgress:
    """Says how far the asking is, in about ten lines."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.total = self._done = self._failed = self._cached = 0
        self._usd = Decimal(0)
        self._priced = False

    def begin(self, total: int) -> None:
        """So many answers are expected."""
        self.total = total
        self._say(f"asking: {total} answers")

    def extend(self, count: int) -> None:
        """So many answers more than was said are expected."""
        self.total += count
        self._say(f"asking: {count} answers more")

    def step(self, answer: Answer) -> None:
        """Count one more, and say so at every tenth part of the run."""
        before = self._done * STEPS // max(self.total, 1)
        self._done += 1
        self._failed += answer.error is not None
        self._cached += answer.cached
        if answer.cost_usd is not None and not answer.cached:
            self._usd += answer.cost_usd
            self._priced = True
        if self._done * STEPS // max(self.total, 1) > before:
            self._say(self.line())

    def end(self) -> None:
        """Nothing to put away."""

    def line(self) -> str:
        """Give the present state in words."""
        parts = [f"{self._done} of {self.total} answers"]
        if self._cached:
            parts.append(f"{self._cached} from the cache or shared")
        if self._failed:
            parts.append(f"{self._failed} failed")
        parts.append(f"${self._usd:.4f} so far" if self._priced else "price unknown")
        return ", ".join(parts)
