"""The sign-flip test: mid-p of repeated pass/fail answers. Asked once, it is the mid-p McNemar test."""

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_import("numpy")

STEPS = 100_000
"""Steps of the sum of the differences' sizes above which the differences are rounded."""
COARSEST = 60
"""Parts of 1 to which differences are rounded at worst; repeats up to 6 are exact at any number of cases."""


def sign_flip_sums_midp(sums: Sequence[float]) -> float:
    """Return the same test's mid-p of any numbers, such as weighted sums over clusters, rounded to a lattice.

    The units whose signs are flipped must be independent of each other; what happens within one does not matter.
    """
    total = math.fsum(abs(value) for value in sums)
    if not total > 0:
        return 1.0
    scale = STEPS / total
    return _midp([round(value * scale) for value in sums])


def sign_flip_midp(differences: Sequence[Fraction]) -> float:
    """Return the one-sided mid-p of `the candidate is worse` from each case's difference (in -1..1).

    Where nothing changed, the answers of a case could as well have come from the other version, so each difference is
    as likely with the other sign: P(S < s) + P(S = s)/2, S the sum of the differences with signs drawn at random, s the
    sum seen. That holds however often a case was asked, and also where how often it was asked depends on what its
    answers were, as long as that treats the versions alike. The distribution of S is exact. With no difference: 1.
    Source: Fisher's randomization test; Pitman, Suppl. J. R. Statist. Soc. 4 (1937).
    """
    scale = math.lcm(*(d.denominator for d in differences))
    if scale * len(differences) > STEPS:
        scale = min(scale, max(COARSEST, STEPS // len(differences)))
    # Rounding treats both signs alike, so the test stays exact; it is of the rounded differences then.
    return _midp([round(d * scale) for d in differences])


def _midp(steps: Sequence[int]) -> float:
    common = math.gcd(*steps)
    if not common:
        return 1.0
    steps = [step // common for step in steps]
    sizes = Counter(abs(step) for step in steps if step)

    total = sum(size * count for size, count in sizes.items())
    sums = 2 * total + 1  # from -total to total
    # S is a sum of independent signs, so its characteristic function is a product of cosines.
    angles = 2 * math.pi * np.arange(total + 1) / sums
    transformed = np.ones(total + 1)
    for size, count in sorted(sizes.items()):  # in one order, so that the last bit is always the same
        transformed *= np.cos(size * angles) ** count
    chances = np.roll(np.fft.irfft(transformed, sums), total)
    seen = total + sum(steps)
    return min(1.0, max(0.0, float(chances[:seen].sum() + chances[seen] / 2)))
