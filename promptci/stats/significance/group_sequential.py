"""Group-sequential tests: looks at growing numbers of answers, each at one constant level (Pocock's boundary).

Source: Pocock, Biometrika 64 (1977); the recursion is that of Armitage, McPherson, Rowe, J. R. Statist. Soc. A 132
(1969). The statistics of successive looks are those of a Brownian motion whose time is the number of answers.
"""

import math
from functools import lru_cache
from itertools import pairwise
from statistics import NormalDist
from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import
from promptci.stats import distributions

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_import("numpy")

NORMAL = NormalDist()
POINTS = 241
"""Points of the grid on which the density between two looks is integrated (Simpson's rule)."""
LOWEST = -8.5
"""Standard deviations below which the density is taken for 0."""


@lru_cache(maxsize=4096)
def overall_level(nominal: float, answers: tuple[int, ...]) -> float:
    """Return the chance that one of the looks is significant at the one-sided `nominal` level, nothing having changed.

    With a nominal p in place of a level it is the p-value of the whole procedure. `answers` holds the answers so far at
    each look, in rising order.
    """
    looks = len(answers)
    if looks == 1 or nominal >= 0.5:
        return nominal if looks == 1 else min(1.0, looks * nominal)
    if nominal <= 1e-9:
        return looks * nominal

    z = -NORMAL.inv_cdf(nominal)
    grid = np.linspace(LOWEST, z, POINTS)
    weights = np.full(POINTS, 2.0)
    weights[1::2], weights[0], weights[-1] = 4.0, 1.0, 1.0
    weights *= (z - LOWEST) / (POINTS - 1) / 3
    density = np.exp(-(grid**2) / 2) / math.sqrt(2 * math.pi)
    crossed = nominal
    for look, (before, after) in enumerate(pairwise(answers), start=1):
        kept, new = math.sqrt(before / after), math.sqrt(1 - before / after)  # the next statistic: kept z + new normal
        crossed += float((weights * density * distributions.normal_cdf((kept * grid - z) / new)).sum())
        if look < looks - 1:
            steps = (grid[:, None] - kept * grid[None, :]) / new
            kernel = np.exp(-(steps**2) / 2) / (new * math.sqrt(2 * math.pi))
            density = kernel @ (weights * density)
    return min(1.0, crossed)


@lru_cache(maxsize=1024)
def nominal_level(overall: float, answers: tuple[int, ...]) -> float:
    """Return the level of each look at which the whole procedure has the `overall` one-sided level."""
    looks = len(answers)
    if looks == 1:
        return overall
    lo, hi = overall / looks, overall
    for _ in range(40):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if overall_level(middle, answers) < overall else (lo, middle)
    return lo


def boundary(overall: float, answers: tuple[int, ...]) -> float:
    """Return the normal quantile of `nominal_level`: Pocock's constant, one-sided."""
    return -NORMAL.inv_cdf(nominal_level(overall, answers))
