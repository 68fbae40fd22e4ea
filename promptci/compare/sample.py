"""Sample: the values that one version's answers to a set of cases got."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from fractions import Fraction
from functools import lru_cache
from statistics import fmean

from promptci.lazy_dataclass import dataclass


@lru_cache(maxsize=1024)
def _fraction(part: int, whole: int) -> Fraction:
    """Return a shared fraction: thousands of cases have one of a few pass rates."""
    return Fraction(part, whole)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """Cases by identity, each with one value per answer.

    Two samples are compared case by case, so both hold the same cases in the same order.
    """

    ids: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    """Per case, in the order of asking: 1.0 for a pass, 0.0 for a failure, or a score; None for a missing answer."""
    clusters: tuple[str | None, ...] = ()
    """Per case: cases of one cluster are not independent. Empty: no case has one."""
    weights: tuple[float, ...] = ()
    """Per case. Empty: all count alike."""

    def __post_init__(self) -> None:
        """Refuse columns of different lengths and cases that occur twice (ValueError)."""
        lengths = {len(self.values)} | {len(column) for column in (self.clusters, self.weights) if column}
        if lengths != {len(self.ids)}:
            raise ValueError(f"{len(self.ids)} cases, but columns of {sorted(lengths)}")
        twice = [case_id for case_id, count in Counter(self.ids).items() if count > 1]
        if twice:
            raise ValueError(f"case {twice[0]} occurs twice")

    @property
    def is_plain(self) -> bool:
        """Whether every case counts alike and on its own."""
        return len(set(self.weights)) <= 1 and not any(self.clusters)

    def pass_rates(self, initial: int | None = None) -> list[Fraction]:
        """Return each case's exact share of passes among its (initial) answers; ValueError where all are missing."""
        return [
            _fraction(sum(value > 0 for value in known), len(known))
            for known in (self._known(index, initial) for index in range(len(self.ids)))
        ]

    def means(self, initial: int | None = None) -> list[float]:
        """Return each case's mean value over its (initial) answers; ValueError where all are missing."""
        return [fmean(self._known(index, initial)) for index in range(len(self.ids))]

    def with_missing(self, value: float) -> Sample:
        """Return the sample with this value for every missing answer."""
        filled = (tuple(value if known is None else known for known in row) for row in self.values)
        return replace(self, values=tuple(filled))

    def _known(self, index: int, initial: int | None) -> list[float]:
        known = [value for value in self.values[index][:initial] if value is not None]
        if not known:
            raise ValueError(f"case {self.ids[index]} has no answer")
        return known


@dataclass(frozen=True, kw_only=True, slots=True)
class Design:
    """How the answers were collected, which decides the method; never how they came out."""

    graded: bool = False
    """Values are scores between 0 and 1, not passes and failures."""
    initial: int | None = None
    """Answers per case that make the estimate; None: all."""
    adaptive: bool = False
    """Cases on which the samples disagreed were asked again; those answers count in the test only."""
    alpha: float
    """One-sided error rate; the interval is two-sided at 1 - 2 alpha, so that it and the test agree."""
    margin: float = 0.05
    """Drop worth noticing; sets the allowance for failures too rare to be seen."""
    rounds: tuple[int, ...] = ()
    """Answers per case and sample each time it is decided whether to go on, doubling; empty: decided once."""

    @property
    def measure(self) -> str:
        """What is compared: `pass rate` or `mean score`."""
        return "mean score" if self.graded else "pass rate"


@dataclass(frozen=True, kw_only=True, slots=True)
class SamplePair:
    """What two versions made of the same cases."""

    name: str = ""
    """What is compared, such as a prompt's name."""
    reference: Sample
    candidate: Sample
    design: Design

    def __post_init__(self) -> None:
        """Refuse samples that do not hold the same cases, clusters and weights in the same order (ValueError)."""
        reference, candidate = (
            (sample.ids, sample.clusters, sample.weights) for sample in (self.reference, self.candidate)
        )
        if reference != candidate:
            raise ValueError("samples to compare must hold the same cases, clusters and weights in the same order")

    @property
    def weights(self) -> tuple[float, ...]:
        """Weight of each case."""
        return self.reference.weights or (1.0,) * len(self.reference.ids)

    @property
    def is_plain(self) -> bool:
        """Whether cases pass or fail, count alike and are independent."""
        return self.reference.is_plain and not self.design.graded and self._is_binary

    @property
    def _is_binary(self) -> bool:
        rows = (*self.reference.values, *self.candidate.values)
        return all(value in (None, 0.0, 1.0) for row in rows for value in row)

    @property
    def has_single_answers(self) -> bool:
        """Whether every case was asked once (initially), missing answers included."""
        # By how the cases were asked, never by how they came out: a method picked by its result has no error rate.
        initial = self.design.initial
        return all(len(values[:initial]) == 1 for s in (self.reference, self.candidate) for values in s.values)

    @property
    def answers(self) -> int:
        """Return the answers per case and sample that make the estimate, missing ones included."""
        return max(len(row[: self.design.initial]) for row in self.reference.values)

    @property
    def has_missing(self) -> bool:
        """Whether an answer is missing."""
        return any(None in row for sample in (self.reference, self.candidate) for row in sample.values)

    def in_worst_case(self) -> SamplePair:
        """Return the pair with every missing answer right in the reference and wrong in the candidate."""
        return replace(self, reference=self.reference.with_missing(1.0), candidate=self.candidate.with_missing(0.0))

    def rate_differences(self, initial: int | None) -> list[Fraction]:
        """Return each case's exact difference in pass rate, candidate minus reference."""
        rates = zip(self.reference.pass_rates(initial), self.candidate.pass_rates(initial), strict=True)
        return [after - before for before, after in rates]

    def test_differences(self) -> list[Fraction]:
        """Return the differences that the test rests on: of all answers where cases were asked again."""
        return self.rate_differences(None if self.design.adaptive else self.design.initial)
