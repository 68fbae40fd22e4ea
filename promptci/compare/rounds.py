"""Rounds of asking: whether the answers so far decide a prompt, or every case is asked as often again."""

from promptci.compare.case_effect import measure_cases
from promptci.compare.sample import SamplePair
from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class StoppingRule:
    """When the answers to a prompt's cases are enough."""

    margin: float
    """Drop worth blocking for."""
    level: float
    """One-sided level at which a drop is shown; that of one prompt while others are still being asked."""

    def is_decided(self, pair: SamplePair, worst_case: SamplePair | None = None) -> bool:
        """Return whether a regression is shown or excluded on these cases, and no more answers are needed.

        `worst_case` is the pair with each missing answer right in the reference and wrong in the candidate.
        """
        effect = measure_cases(pair)
        if effect.is_regression(self.margin, self.level):
            return True
        worst = effect if worst_case is None else measure_cases(worst_case)
        return effect.is_within(self.margin) and worst.is_within(self.margin)
