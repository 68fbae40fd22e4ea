"""Rounds of asking: whether the answers so far decide a prompt, or every case is asked as often again."""

from collections.abc import Sequence
from dataclasses import dataclass

from promptci.compare.case_effect import measure_cases
from promptci.compare.sample import SamplePair


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppingRule:
    """When the answers to a prompt's cases are enough."""

    margin: float
    """Drop worth blocking for."""
    level: float
    """One-sided level at which a drop is shown; that of one prompt while others are still being asked."""

    def is_decided(self, pair: SamplePair) -> bool:
        """Return whether a regression is shown or excluded on these cases, and no more answers are needed."""
        effect = measure_cases(pair)
        if effect.is_regression(self.margin, self.level):
            return True
        worst = measure_cases(pair.in_worst_case()) if pair.has_missing else effect
        return effect.is_within(self.margin) and worst.is_within(self.margin)

    def next_answers(self, pair: SamplePair, rounds: Sequence[int], answered: int) -> int | None:
        """Return the answers per case and version to have next; None where decided, or after the last round."""
        further = [answers for answers in rounds if answers > answered]
        return further[0] if further and not self.is_decided(pair) else None
