"""PairedCase and Comparison: base beside head; every sum is a property, so totals and rows cannot disagree."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from statistics import fmean
from typing import TypeVar

from promptci.goldens.model import Case
from promptci.runs.model import Arm, PromptPlan
from promptci.scoring.judges.trust import Judging
from promptci.scoring.model import ScoredCase
from promptci.stats.agreement import LabelConfusion
from promptci.stats.intervals import Interval
from promptci.stats.percentiles import Percentiles

Number = TypeVar("Number", float, Fraction)


@lru_cache(maxsize=1024)
def _share(part: int, whole: int) -> Fraction:
    """Make a fraction once: thousands of cases share a few."""
    return Fraction(part, whole)


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedCase:
    """One case with what both versions made of it; an arm without answers has an empty tuple."""

    case: Case
    change: str
    """`same`, `new` or `changed`; only `same` is compared."""
    aside: str | None = None
    """Why this case decides nothing; None: it counts."""
    base: tuple[ScoredCase, ...] = ()
    head: tuple[ScoredCase, ...] = ()

    def first(self, arm: Arm, count: int | None) -> tuple[ScoredCase, ...]:
        """Give this arm's answers to the first `count` questions, missing ones included; None: to all."""
        return tuple(one for one in self.arm(arm) if count is None or one.replicate < count)

    def rate(self, arm: Arm, first: int | None = None) -> Fraction | None:
        """Share of this arm's (first) replicates that passed, missing data left out; None when none is left."""
        known = [one.passed for one in self.first(arm, first) if one.passed is not None]
        return _share(sum(known), len(known)) if known else None

    def share(self, arm: Arm, first: int | None = None) -> Fraction:
        """Give the same of a side that was evaluated; ValueError where this side is missing."""
        return self._present(self.rate(arm, first), arm)

    def pass_rate(self, arm: Arm, first: int | None = None) -> float | None:
        """Give the same as a float."""
        found = self.rate(arm, first)
        return None if found is None else float(found)

    def score(self, arm: Arm, first: int | None = None) -> float | None:
        """Mean score of this arm's (first) replicates, missing data left out; None when none is left."""
        known = [one.score for one in self.first(arm, first) if one.score is not None]
        return fmean(known) if known else None

    def value(self, arm: Arm, *, graded: bool, first: int | None = None) -> float:
        """Give what quality is measured by; ValueError where this side is missing."""
        return self._present(self.score(arm, first) if graded else self.pass_rate(arm, first), arm)

    def _present(self, found: Number | None, arm: Arm) -> Number:
        if found is None:
            raise ValueError(f"case {self.case.id} was not evaluated at {arm}")
        return found

    def arm(self, arm: Arm) -> tuple[ScoredCase, ...]:
        """Give one side."""
        return self.base if arm is Arm.BASE else self.head

    @property
    def complete(self) -> bool:
        """Both sides were evaluated, so the pair can be compared."""
        return self.pass_rate(Arm.BASE) is not None and self.pass_rate(Arm.HEAD) is not None

    @property
    def outcome(self) -> str:
        """`broken`, `fixed`, `same`, or `incomplete` where a side is missing."""
        base, head = self.pass_rate(Arm.BASE), self.pass_rate(Arm.HEAD)
        if base is None or head is None:
            return "incomplete"
        if base == head:
            return "same"
        return "broken" if head < base else "fixed"

    @property
    def must_pass(self) -> bool:
        """A critical case that counts."""
        return self.case.critical and self.aside is None

    @property
    def critical_break(self) -> bool:
        """A critical case that base passed every time and head fails at least two times of three."""
        base, head = self.pass_rate(Arm.BASE), self.pass_rate(Arm.HEAD)
        return self.must_pass and base == 1.0 and head is not None and head <= 1 / 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Quality:
    """The measured difference in quality over the complete pairs."""

    measure: str
    """`pass rate` or `mean score`."""
    base: float
    head: float
    interval: Interval | None
    """Of head minus base, at `confidence`; None where it cannot be estimated."""
    confidence: float
    """Two-sided level: 1 - 2 alpha."""
    p: float | None
    """One-sided, of `head is worse`; None where it cannot be estimated."""
    detectable_drop: float | None
    """Smallest true drop that these goldens show with 80 % power; None: none at all."""
    method: str
    seed: int | None = None
    broken: int
    """Pairs in which head did worse, by the answers that make the estimate."""
    fixed: int
    """Pairs in which head did better."""
    variance: float | None = None
    """Of one pair's difference, with what weights and clusters add; None where it cannot be estimated."""

    @property
    def delta(self) -> float:
        """Head minus base."""
        return self.head - self.base


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmSummary:
    """What one version cost, how fast it was and how well it did over every case it was asked."""

    asked: int
    evaluated: int
    quality: float | None
    """Mean of `measure` over all evaluated cases, compared or not."""
    quality_interval: Interval | None
    """Wilson interval of the pass rate at 95 %; None for scores."""
    cost_per_request: Decimal | None
    """Mean list price of an answer in US dollars, cached or not; None where a price is unknown."""
    latency: Percentiles
    """Milliseconds."""
    latency_fresh: int = 0
    """Answers asked in this run; the others carry the latency of when they were first asked."""
    labels: LabelConfusion | None = None
    """Expected against given labels of `one-of` assertions."""
    models: tuple[str, ...] = ()
    """Models the endpoint says it used."""
    fingerprints: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """Answers that are missing data."""
        return self.asked - self.evaluated


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """One prompt, both versions."""

    plan: PromptPlan
    cases: tuple[PairedCase, ...] = ()
    quality: Quality | None = None
    """None where no pair is complete (a new prompt has none)."""
    base: ArmSummary | None = None
    head: ArmSummary | None = None
    judging: Judging | None = None
    """Who marked what code cannot, and what that is worth; None: no judge had a say."""

    @property
    def compared(self) -> tuple[PairedCase, ...]:
        """Cases whose text is the same at both revisions, but for those that stand aside."""
        return tuple(c for c in self.cases if c.change == "same" and c.aside is None)

    @property
    def aside(self) -> tuple[PairedCase, ...]:
        """Cases that were asked and decide nothing."""
        return tuple(c for c in self.cases if c.aside is not None)

    @property
    def pairs(self) -> tuple[PairedCase, ...]:
        """Compared cases that both versions answered."""
        return tuple(c for c in self.compared if c.complete)

    @property
    def broken(self) -> tuple[PairedCase, ...]:
        """Pairs that were right and are wrong."""
        return tuple(c for c in self.pairs if c.outcome == "broken")

    @property
    def fixed(self) -> tuple[PairedCase, ...]:
        """Pairs that were wrong and are right."""
        return tuple(c for c in self.pairs if c.outcome == "fixed")

    @property
    def asked(self) -> int:
        """Answers asked for, both arms."""
        return sum(len(c.base) + len(c.head) for c in self.cases)

    @property
    def errors(self) -> int:
        """Answers that are missing data, both arms."""
        return sum(s.error is not None for c in self.cases for s in (*c.base, *c.head))
