"""What a golden set can see: the smallest drop shown with given power, and the number of cases a margin needs."""

import math
from collections.abc import Callable
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import
from promptci.stats import distributions
from promptci.stats.significance.paired import mcnemar_midp

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy_import("numpy")

NORMAL = NormalDist()


@lru_cache(maxsize=4096)
def _broken_needed(discordant: int, alpha: float) -> int:
    """Smallest number of broken pairs among so many discordant ones that is significant; discordant + 1: none is."""
    # Near the normal quantile; mid-p falls as `broken` grows.
    guess = discordant / 2 - NORMAL.inv_cdf(alpha) * math.sqrt(discordant) / 2
    needed = min(max(0, round(guess)), discordant + 1)
    while needed <= discordant and mcnemar_midp(needed, discordant - needed) > alpha:
        needed += 1
    while needed > 0 and mcnemar_midp(needed - 1, discordant - needed + 1) <= alpha:
        needed -= 1
    return needed


def power_of(n: int, discordance: float, drop: float, *, alpha: float = 0.05) -> float:
    """Return the probability that the one-sided mid-p McNemar test shows this drop.

    Each of n pairs is discordant with probability `discordance`: broken with (discordance + drop)/2, fixed with
    (discordance - drop)/2. Exact: summed over the number of discordant pairs.
    """
    if not 0 < discordance <= 1 or not 0 <= drop <= discordance + 1e-12:
        raise ValueError(f"a drop of {drop} cannot be with a discordance of {discordance}")
    share = min(1.0, (discordance + drop) / (2 * discordance))
    if share == 1.0:
        return _power_all_broken(n, discordance, alpha)
    counts, weight, needed = _discordant_counts(n, discordance, alpha)
    return float((weight * _chances_of_enough(counts, needed, share)).sum())


@lru_cache(maxsize=16)
def _discordant_counts(
    n: int, discordance: float, alpha: float
) -> "tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]":
    """Return the numbers of discordant pairs that can be, the chance of each, and the broken ones it needs."""
    far = 9 * math.sqrt(n * discordance * (1 - discordance)) + 9  # what lies further out has no weight
    counts = np.arange(max(0, int(n * discordance - far)), min(n, int(n * discordance + far)) + 1)
    weight = distributions.binomial_probabilities(counts, np.full(len(counts), n), discordance)
    return counts, weight, np.array([_broken_needed(m, alpha) for m in counts.tolist()])


def _chances_of_enough(counts: "NDArray[np.int64]", needed: "NDArray[np.int64]", share: float) -> "NDArray[np.float64]":
    """Return P(X >= needed), X ~ Bin(count, share), for successive counts; `needed` rises by 0 or 1 with each.

    One pair more adds the chance that it is the last one needed; one needed more takes away the chance that this pair
    is fixed while exactly as many as were needed are broken. Only the first one is summed up.
    """
    before, stays = counts[:-1], np.diff(needed) == 0
    short = distributions.binomial_probabilities(needed[:-1] - stays, before, share)
    changes = np.where(stays, share * short, -(1 - share) * short)
    possible = np.arange(needed[0], counts[0] + 1)
    first = distributions.binomial_probabilities(possible, np.full(len(possible), counts[0]), share).sum()
    return np.cumsum(np.concatenate(([first], changes)))


def _power_all_broken(n: int, discordance: float, alpha: float) -> float:
    """Return the power where each discordant pair is broken: the chance of enough of them. Needs no numpy."""
    needed = 0
    while mcnemar_midp(needed, 0) > alpha:
        needed += 1
    return 1.0 - math.fsum(_chance(broken, n, discordance) for broken in range(min(needed, n + 1)))


def _chance(count: int, n: int, share: float) -> float:
    """Return the probability of exactly so many among n."""
    if share == 1.0:
        return float(count == n)
    return math.exp(math.log(math.comb(n, count)) + count * math.log(share) + (n - count) * math.log1p(-share))


def detectable_drop(n: int, discordance: float, *, alpha: float = 0.05, power: float = 0.80) -> float | None:
    """Return the smallest true drop (0..1) shown with this power at this discordance.

    None: even if every discordant pair were broken, the power would not be reached.
    """
    if n < 1 or discordance <= 0 or power_of(n, discordance, discordance, alpha=alpha) < power:
        return None
    return _smallest(lambda drop: power_of(n, discordance, drop, alpha=alpha) >= power, 0.0, discordance)


@lru_cache(maxsize=4096)
def smallest_drop(n: int, discordance: float, *, alpha: float = 0.05, power: float = 0.80) -> float | None:
    """Return the smallest true drop these n pairs show, where a drop may bring discordance of its own.

    A drop of x makes at least x of the pairs discordant, however few are now; so where the present discordance is
    too low to show anything, the answer is the drop that is all of its own discordance.
    """
    drop = detectable_drop(n, discordance, alpha=alpha, power=power)
    if drop is not None:
        return drop
    if n < 1 or power_of(n, 1.0, 1.0, alpha=alpha) < power:
        return None
    return _smallest(lambda x: power_of(n, x, x, alpha=alpha) >= power, max(discordance, 1e-6), 1.0)


def _smallest(enough: Callable[[float], bool], lo: float, hi: float) -> float:
    """Bisect to the smallest value that is enough; `hi` is known to be."""
    for _ in range(30):
        middle = (lo + hi) / 2
        lo, hi = (lo, middle) if enough(middle) else (middle, hi)
    return hi


def _z_sum(alpha: float, power: float) -> float:
    return NORMAL.inv_cdf(1 - alpha) + NORMAL.inv_cdf(power)


def detectable_drop_scores(n: int, sd: float, *, alpha: float = 0.05, power: float = 0.80) -> float:
    """Return the smallest mean drop shown over n pairs whose differences have the standard deviation `sd`."""
    return _z_sum(alpha, power) * sd / math.sqrt(n)


def cases_needed(margin: float, variance: float, *, alpha: float = 0.05, power: float = 0.80) -> int:
    """Return the pairs with which `not worse by the margin` can be shown when nothing changed.

    (z_alpha + z_beta)^2 variance / margin^2; of cases that pass or fail, the variance of one pair's difference is the
    discordance.
    """
    return math.ceil(_z_sum(alpha, power) ** 2 * variance / margin**2)


def answers_needed(margin: float, variance: float, *, alpha: float = 0.05, power: float = 0.80) -> int:
    """Return the answers of each version with which a drop of these very cases by the margin can be excluded.

    For `within_case.drop_bound`, when nothing changed: (z_alpha sqrt(v + margin (1 - margin)) + z_beta sqrt(v))^2 /
    margin^2, with v the variance of the difference of two answers to one case. The second term under the root is the
    bound's allowance for failures too rare to be seen. It does not matter how the answers are spread over cases.
    """
    allowance = margin * (1 - margin)
    shown = NORMAL.inv_cdf(1 - alpha) * math.sqrt(variance + allowance)
    deviation = shown + NORMAL.inv_cdf(power) * math.sqrt(variance)
    return math.ceil((deviation / margin) ** 2)


def cases_to_show(drop: float, discordance: float, *, alpha: float = 0.05, power: float = 0.80) -> int:
    """Return the pairs with which a true drop (0..1) is shown; a drop may bring discordance of its own."""
    together = max(drop, discordance)
    few, many = 1, 8
    while power_of(many, together, drop, alpha=alpha) < power:
        few, many = many, 2 * many
    while few < many:  # power rises with n but for small steps back, where one more pair needs one more broken one
        middle = (few + many) // 2
        few, many = (few, middle) if power_of(middle, together, drop, alpha=alpha) >= power else (middle + 1, many)
    return many
