"""ErrorBudget: how the rules that can block share the one error rate that is promised for all of them together."""

from promptci.lazy_dataclass import dataclass
from promptci.stats.significance import confirmation

QUALITY, TOGETHER, CRITICAL, COST, LATENCY = 0.65, 0.1, 0.15, 0.1, 0.1
"""Shares of alpha; with several prompts the test of all together takes its share from quality's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorBudget:
    """Levels of the tests of one run; they add up to alpha."""

    alpha: float
    """How often a change that changes nothing may be blocked, by whatever rule."""
    prompts: int = 1
    """Prompts compared."""
    critical_cases: int = 0
    """In all prompts."""

    @property
    def quality(self) -> float:
        """Level of the quality tests of all prompts together."""
        return self.alpha * (QUALITY if self.prompts < 2 else QUALITY - TOGETHER)

    @property
    def quality_per_prompt(self) -> float:
        """Level at which one prompt is decided while others are still being asked (Bonferroni)."""
        return self.quality / max(1, self.prompts)

    @property
    def together(self) -> float:
        """Level of the stratified test over all prompts."""
        return self.alpha * TOGETHER

    @property
    def cost(self) -> float:
        """Level of the cost tests of all prompts together."""
        return self.alpha * COST

    @property
    def latency(self) -> float:
        """Level of the latency tests of all prompts together."""
        return self.alpha * LATENCY

    @property
    def critical_answers(self) -> int:
        """Answers of each version that confirm the break of a critical case."""
        return confirmation.answers_needed(self.critical_cases, self.alpha * CRITICAL)
