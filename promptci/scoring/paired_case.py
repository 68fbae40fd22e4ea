"""PairedCase: one golden case with the scored answers of both versions."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

from promptci.goldens.model import Case
from promptci.runs.prompt_plan import Arm
from promptci.scoring.model import ScoredCase


@dataclass(frozen=True, kw_only=True)
class PairedCase:
    """One case with the answers of both versions; a version that was not asked has an empty tuple."""

    case: Case
    change: str
    """`same`, `new` or `changed`; only `same` is compared."""
    excluded_reason: str | None = None
    """Why this case decides nothing; None: it counts."""
    base: tuple[ScoredCase, ...] = ()
    head: tuple[ScoredCase, ...] = ()

    def answers(self, arm: Arm) -> tuple[ScoredCase, ...]:
        """Return one version's answers."""
        return self.base if arm is Arm.BASE else self.head

    def pass_rate(self, arm: Arm) -> float | None:
        """Return the share of this version's answers that passed, missing ones left out; None when none remains."""
        return self._pass_rates[arm]

    def score(self, arm: Arm) -> float | None:
        """Return the mean score of this version's answers, missing ones left out; None when none remains."""
        return _mean([answer.score for answer in self.answers(arm)])

    @cached_property
    def _pass_rates(self) -> dict[Arm, float | None]:
        return {arm: _mean([answer.passed for answer in self.answers(arm)]) for arm in Arm}

    @property
    def complete(self) -> bool:
        """Whether both versions were evaluated, so that the pair can be compared."""
        return None not in self._pass_rates.values()

    @property
    def outcome(self) -> str:
        """`broken`, `fixed`, `same`, or `incomplete` where a version was not evaluated."""
        base, head = self.pass_rate(Arm.BASE), self.pass_rate(Arm.HEAD)
        if base is None or head is None:
            return "incomplete"
        if base == head:
            return "same"
        return "broken" if head < base else "fixed"

    @property
    def counts_as_critical(self) -> bool:
        """Whether this is a critical case that is not excluded."""
        return self.case.critical and self.excluded_reason is None


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
