"""Exact within-case permutation test of whether *these cases* fare worse than chance explains.

Where nothing changed, each of a case's answers could as well have come from the other version. Given all answers of a
case, the candidate's are a random subset of them; the test asks how often random subsets, drawn case by case, make the
candidate as bad as it was seen. It says nothing about other cases. For passes and failures it is the exact stratified
2 x 2 test. Source: Birch, J. R. Statist. Soc. B 26 (1964); Mehta, Patel, Gray, JASA 80 (1985).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_import("numpy")

Outcomes = tuple[tuple[int, float], ...]
"""Values in rising order, each with its chance."""
SCORE_STEPS = 200
"""Steps of 1 that a score is rounded to for the test, when a case has scores other than 0 and 1."""
MAX_STEPS = 400_000
"""Most steps of the sum over all cases; where an exact lattice would need more, contributions are rounded."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CaseAnswers:
    """One case's known answers of both versions, values in 0..1."""

    reference: tuple[float, ...]
    candidate: tuple[float, ...]
    weight: float = 1.0
    """Share of this case, relative to the others'."""
    initial: int | None = None
    """First answers of each version that decided whether the case was asked again (only if their sums differed). None:
    how often it was asked did not depend on its answers."""

    @property
    def difference(self) -> float:
        """Candidate's mean minus the reference's."""
        before, after = math.fsum(self.reference), math.fsum(self.candidate)
        return after / len(self.candidate) - before / len(self.reference)


@dataclass(frozen=True, kw_only=True, slots=True)
class PermutationTest:
    """One-sided, of `the candidate is worse on these cases`."""

    p: float
    """Mid-p: P(S < s) + P(S = s)/2; 1 where no answer differs from another of its case."""
    p_min: float
    """Smallest mid-p that these answers could give, however they fell to the versions."""


def permutation_test(cases: Sequence[CaseAnswers]) -> PermutationTest:
    """Test whether the weighted mean of the cases' differences is lower than random re-labelling explains.

    The distribution of the sum S is exact but for rounding each case's contribution to a lattice. The rounded sum is
    itself a statistic with an exact distribution, so that rounding costs power only.
    """
    unit = _unit(cases)
    spread: Counter[Outcomes] = Counter()
    seen = 0
    for case in cases:
        observed, outcomes = _outcomes(case, unit)
        if len(outcomes) > 1:
            spread[outcomes] += 1
            seen += observed - outcomes[0][0]
    if not spread:
        return PermutationTest(p=1.0, p_min=1.0)
    steps = sum(count * (outcomes[-1][0] - outcomes[0][0]) for outcomes, count in spread.items())
    size = 1 << steps.bit_length()  # a power of two: the transform of a prime length takes far longer
    transformed = np.ones(size // 2 + 1, dtype=complex)
    for outcomes, count in sorted(spread.items()):  # in one order, so that the last bit is always the same
        chances = np.zeros(size)
        for value, chance in outcomes:
            chances[value - outcomes[0][0]] += chance
        transformed *= np.fft.rfft(chances) ** count
    distribution = np.fft.irfft(transformed, size)
    p = float(distribution[:seen].sum() + distribution[seen] / 2)
    lowest = math.exp(sum(count * math.log(outcomes[0][1]) for outcomes, count in spread.items()))
    return PermutationTest(p=min(1.0, max(lowest / 2, p)), p_min=lowest / 2)


def drop_bound(cases: Sequence[CaseAnswers], margin: float, z: float) -> float:
    """Return an upper confidence bound of the drop on these cases, `z` the one-sided normal quantile.

    D + z sqrt(V) with D the weighted mean drop and V = sum w_i^2 [s_i^2 (1/m + 1/k) + margin (1 - margin)/k], s_i^2 the
    variance of all of a case's answers, m and k the answers of reference and candidate, w_i shares that add up to 1.
    The last term stands for failures too rare to be seen: it is the variance that the candidate's answers would have
    if each case failed with the probability `margin`. So no number of equal answers gives certainty.
    """
    total = math.fsum(case.weight for case in cases)
    shares = [case.weight / total for case in cases]
    drop = -math.fsum(share * case.difference for share, case in zip(shares, cases, strict=True))
    variance = math.fsum(share**2 * _variance(case, margin) for share, case in zip(shares, cases, strict=True))
    return min(1.0, drop + z * math.sqrt(variance))


def answer_variance(cases: Sequence[CaseAnswers]) -> float:
    """Return the variance of the difference of two answers to one case, the weighted mean over the cases."""
    total = math.fsum(case.weight for case in cases)
    return 2 * math.fsum(case.weight * _spread(case) for case in cases) / total


def _spread(case: CaseAnswers) -> float:
    answers = (*case.reference, *case.candidate)
    mean = math.fsum(answers) / len(answers)
    return math.fsum((value - mean) ** 2 for value in answers) / (len(answers) - 1)


def _variance(case: CaseAnswers, margin: float) -> float:
    return _spread(case) * (1 / len(case.reference) + 1 / len(case.candidate)) + margin * (1 - margin) / len(
        case.candidate
    )


def _unit(cases: Sequence[CaseAnswers]) -> float:
    """Return the step of the lattice that contributions are rounded to: exact where that takes few enough steps."""
    heaviest = max((case.weight for case in cases), default=1.0)
    lcm = math.lcm(*(size for case in cases for size in (len(case.reference), len(case.candidate))))
    lattice = lcm if all(_is_binary(case) for case in cases) else lcm * SCORE_STEPS
    exact = len({case.weight for case in cases}) == 1 and 2 * lattice * len(cases) <= MAX_STEPS
    return heaviest / (lattice if exact else max(2, MAX_STEPS // (2 * max(1, len(cases)))))


def _is_binary(case: CaseAnswers) -> bool:
    return all(value in (0.0, 1.0) for value in (*case.reference, *case.candidate))


def _outcomes(case: CaseAnswers, unit: float) -> tuple[int, Outcomes]:
    """Return the contribution seen, and those that re-labelling could give with their chances, in steps of `unit`."""
    steps = 1 if _is_binary(case) else SCORE_STEPS
    reference, candidate = (tuple(round(value * steps) for value in side) for side in (case.reference, case.candidate))
    scale = case.weight / (unit * steps)
    m, k = len(reference), len(candidate)

    def contribution(total: int, chosen: int) -> int:
        return round(scale * (chosen / k - (total - chosen) / m))

    total = sum(reference) + sum(candidate)
    if case.initial is None:
        sums = _subset_sums(tuple(sorted((*reference, *candidate))), k)
    else:
        first = tuple(sorted((*reference[: case.initial], *candidate[: case.initial])))
        later = tuple(sorted((*reference[case.initial :], *candidate[case.initial :])))
        sums = _two_blocks(first, case.initial, later, k - case.initial)
    chances: dict[int, float] = {}
    for chosen, chance in sums:
        step = contribution(total, chosen)
        chances[step] = chances.get(step, 0.0) + chance
    return contribution(total, sum(candidate)), tuple(sorted(chances.items()))


@lru_cache(maxsize=4096)  # thousands of cases share a few
def _subset_sums(values: tuple[int, ...], size: int) -> Outcomes:
    """Return each sum that a random subset of this size can have, with its chance."""
    if values[0] == values[-1]:
        return ((size * values[0], 1.0),)

    low = values[0]
    shifted = [value - low for value in values]
    ways = np.zeros((size + 1, sum(shifted[-size:]) + 1))
    ways[0, 0] = 1.0
    for value in shifted:
        ways[1:, value:] += ways[:-1, : ways.shape[1] - value].copy()
    chances = ways[size] / math.comb(len(values), size)
    return tuple((int(total) + size * low, float(chances[total])) for total in np.flatnonzero(chances))


@lru_cache(maxsize=4096)
def _two_blocks(first: tuple[int, ...], initial: int, later: tuple[int, ...], size: int) -> Outcomes:
    """Return the candidate's sums where first and later answers are re-labelled apart.

    Whether there are later answers depends on the first ones, so these are re-labelled among themselves, and only to
    what would have called for later answers as well (or for none, where there are none).
    """
    blocks = [
        (total, chance) for total, chance in _subset_sums(first, initial) if (2 * total != sum(first)) == bool(later)
    ]
    rest = _subset_sums(later, size) if later else ((0, 1.0),)
    whole = math.fsum(chance for _, chance in blocks)
    chances: dict[int, float] = {}
    for first_sum, chance in blocks:
        for later_sum, later_chance in rest:
            chances[first_sum + later_sum] = chances.get(first_sum + later_sum, 0.0) + chance * later_chance / whole
    return tuple(sorted(chances.items()))
