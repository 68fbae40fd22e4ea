"""PairedCase: one golden case with the scored answers of both versions."""

from collections.abc import Sequence
from dataclasses import field
from statistics import fmean

from promptci.goldens.model import Case
from promptci.lazy_dataclass import dataclass
from promptci.runs.prompt_plan import Arm
from promptci.scoring.model import ScoredCase


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedCase:
    """One case with the answers of both versions; a version that was not asked has an empty tuple."""

    case: Case
    change: str
    """`same`, `new` or `changed`; only `same` is compared."""
    excluded_reason: str | None = None
    """Why this case decides nothing; None: it counts."""
    base: tuple[ScoredCase, ...] = ()
    head: tuple[ScoredCase, ...] = ()
    _base_rate: float | None = field(init=False, repr=False, compare=False)
    """Cached pass rate of the base version."""
    _head_rate: float | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compute once what each of the many readers of a case needs."""
        object.__setattr__(self, "_base_rate", _mean([answer.passed for answer in self.base]))
        object.__setattr__(self, "_head_rate", _mean([answer.passed for answer in self.head]))

    def answers(self, arm: Arm) -> tuple[ScoredCase, ...]:
        """Return one version's answers."""
        return self.base if arm is Arm.BASE else self.head

    def pass_rate(self, arm: Arm) -> float | None:
        """Return the share of this version's answers that passed, missing ones left out; None when none remains."""
        return self._base_rate if arm is Arm.BASE else self._head_rate

    def score(self, arm: Arm) -> float | None:
        """Return the mean score of this version's answers, missing ones left out; None when none remains."""
        return _mean([answer.score for answer in self.answers(arm)])

    @property
    def complete(self) -> bool:
        """Whether both versions were evaluated, so that the pair can be compared."""
        return self._base_rate is not None and self._head_rate is not None

    @property
    def outcome(self) -> str:
        """`broken`, `fixed`, `same`, or `incomplete` where a version was not evaluated."""
        base, head = self._base_rate, self._head_rate
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
