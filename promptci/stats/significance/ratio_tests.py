"""Has a cost or a latency risen by more than a limit? Tests of what is shown, not of what happened to be measured."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from fractions import Fraction

from promptci.stats.significance import paired, signflip

TAIL = 0.1
"""Share of all answers, the slowest ones, in which the candidate's are counted: twice the tail beyond a p95."""
MIN_COST_PAIRS = 20
"""Pairs below which the paired t test is not trusted with skewed costs."""
MIN_RANKED_PAIRS = 8
"""Pairs below which the signed-rank test cannot show anything at the level of cost, a tenth of `gate.alpha`."""
RATIO_DIGITS = 12
"""Decimals of a logarithm: equal rises of unequal costs differ beyond them, and are ties."""


def tail_latency_p(reference: Sequence[float], candidate: Sequence[float], max_increase: float) -> float:
    """Return the one-sided mid-p of `the candidate's tail is slower by more than the limit`.

    The reference's latencies are multiplied by 1 + limit. Of all answers the slowest tenth is taken: were the
    candidate at most as slow, its count among them would be hypergeometric. Ties count for the reference. Without
    answers: 1.
    Source: Mathisen, Ann. Math. Stat. 14 (1943), the control quantile test; Rosenbaum, Ann. Math. Stat. 25 (1954).
    """
    if not reference or not candidate:
        return 1.0
    latencies = sorted(
        [(value * (1 + max_increase), False) for value in reference] + [(value, True) for value in candidate],
        key=lambda pair: (-pair[0], pair[1]),
    )
    drawn = math.ceil(TAIL * len(latencies))
    seen = sum(is_candidate for _, is_candidate in latencies[:drawn])
    chances = hypergeometric_chances(len(candidate), len(reference), drawn)
    return min(1.0, sum(chances[seen + 1 :]) + chances[seen] / 2)


def hypergeometric_chances(marked: int, others: int, drawn: int) -> list[float]:
    """Return the chance of 0, 1, … marked ones among so many that are drawn without putting any back."""
    whole = math.comb(marked + others, drawn)
    return [math.comb(marked, count) * math.comb(others, drawn - count) / whole for count in range(drawn + 1)]


def cost_p(reference: Sequence[float], candidate: Sequence[float], max_increase: float) -> float | None:
    """Return the one-sided p of `cost rose by more than the limit`, from the mean cost of each case and version.

    Twice the smaller p-value of two tests of candidate against (1 + limit) x reference (Bonferroni): the paired t test
    of the differences, from `MIN_COST_PAIRS` cases on, which sees a rise of few cases; and the exact signed-rank test
    of their logarithms, which one case cannot spoil, however dear it got. None for fewer than `MIN_RANKED_PAIRS` cases.
    Source: Wilcoxon, Biometrics Bulletin 1 (1945), with mid-ranks for ties (Pratt, JASA 54, 1959).
    """
    if len(reference) < MIN_RANKED_PAIRS:
        return None
    limit = 1 + max_increase
    ratios = [_log_ratio(limit * before, after) for before, after in zip(reference, candidate, strict=True)]
    chances = [_signed_rank_p(ratios)]
    if len(reference) >= MIN_COST_PAIRS:
        excess = [limit * before - after for before, after in zip(reference, candidate, strict=True)]
        p_mean = paired.paired_t(excess).p_worse
        chances += [] if p_mean is None else [p_mean]
    return min(1.0, 2 * min(chances))


def _log_ratio(reference: float, candidate: float) -> float:
    if candidate == reference:
        return 0.0
    if min(reference, candidate) <= 0:
        return math.copysign(math.inf, reference - candidate)
    return round(math.log(reference / candidate), RATIO_DIGITS)


def _signed_rank_p(differences: Sequence[float]) -> float:
    """Return the exact mid-p of `the differences lie below zero`; equal sizes share the mean of their ranks."""
    sizes = sorted(abs(difference) for difference in differences)
    ranks: dict[float, Fraction] = {}
    for size in sizes:
        first = bisect_left(sizes, size) + 1
        ranks[size] = Fraction(first + bisect_right(sizes, size), 2 * len(sizes))
    signed = [ranks[abs(d)] * (1 if d > 0 else -1) if d else Fraction() for d in differences]
    return signflip.sign_flip_midp(signed)
