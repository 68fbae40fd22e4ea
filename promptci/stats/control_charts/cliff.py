"""The cliff test: whether one night alone is too far below the reference to be chance."""

from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import
from promptci.stats.control_charts.cusum import NIGHTS_PER_YEAR
from promptci.stats.control_charts.night_noise import MIN_FAILURES, NightNoise

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_import("numpy")


def find_cliff(noise: NightNoise, alarms_per_year: float) -> float:
    """Return the drop that a night exceeds by chance at most so often a year; it is at least two cases' worth."""
    level = alarms_per_year / NIGHTS_PER_YEAR
    low, high = 0.0, noise.sd
    while _tail(noise, high) > level:
        low, high = high, 2 * high
    while high - low > 0.001 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if _tail(noise, middle) > level else (low, middle)
    return max(high, MIN_FAILURES * noise.largest_share * (1 - 1e-9))


def _tail(noise: NightNoise, drop: float) -> float:
    """Return the probability that one night's drop is larger, the reference's own error included."""
    errors, weights = noise.reference_errors()
    return float(np.sum(weights * noise.exceed(drop - errors)))
