"""CUSUM: sums up drops against a frozen reference, so that a small one that lasts is found.

Page, Biometrika 41 (1954). The threshold is set by the rate of false alarms, by the Markov chain of Brook and Evans,
Biometrika 59 (1972). The reference's own error is averaged over: a reference that is a point too high by chance is a
point too high every night.
"""

from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import
from promptci.stats.control_charts.night_noise import MIN_FAILURES, NightNoise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy_import("numpy")

SLACK = 0.02
"""A drop of so much a night is not summed up."""
NIGHTS_PER_YEAR = 365
MAX_LENGTH = 1e12
"""Nights until an alarm that is never."""
STATES = 25
"""Cells between 0 and the threshold."""


def step(total: float, drop: float) -> float:
    """Return the sum after one more night; `drop` is the reference's quality minus the night's."""
    return max(0.0, total + drop - SLACK)


def alarm_rate(noise: NightNoise, threshold: float) -> float:
    """Return the false alarms a year of a chart that starts again at 0 after each."""
    biases, weights = noise.reference_errors()
    return float(np.sum(weights * NIGHTS_PER_YEAR / _run_lengths(noise, threshold, biases)))


def find_threshold(noise: NightNoise, alarms_per_year: float) -> float:
    """Return the smallest threshold with at most so many false alarms a year.

    Raises
    ------
    ValueError
        For a rate that is not between 0 and one alarm a night.
    """
    if not 0 < alarms_per_year < NIGHTS_PER_YEAR:
        raise ValueError("alarms_per_year must be more than 0 and less than 365")
    least = max(noise.sd / STATES, MIN_FAILURES * noise.largest_share - SLACK)
    low, high = least, max(2 * least, noise.sd)
    if alarm_rate(noise, low) <= alarms_per_year:
        return low
    while alarm_rate(noise, high) > alarms_per_year:
        low, high = high, 2 * high
    while high - low > 0.01 * high:
        middle = (low + high) / 2
        low, high = (middle, high) if alarm_rate(noise, middle) > alarms_per_year else (low, middle)
    return high


def _run_lengths(noise: NightNoise, threshold: float, biases: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the mean number of nights until an alarm, for each error of the reference.

    States are the sum's cells: 0 and the middles of equal cells up to the threshold.
    """
    width = 2 * threshold / (2 * STATES - 1)
    # The drop with which a night ends at the upper end of a cell depends on the number of cells that lie between.
    needed = width * (np.arange(1 - STATES, STATES) + 0.5) + SLACK
    states = np.arange(STATES)
    cells_up = states[None, :] - states[:, None] + STATES - 1
    at_most = (1 - noise.exceed(needed[None, :] - biases[:, None]))[:, cells_up]
    moves = np.diff(at_most, axis=2, prepend=0.0)
    # Where no drop is large enough, nothing would ever leave the states, and the equations have no solution.
    systems = np.eye(STATES)[None] - (1 - 1 / MAX_LENGTH) * moves
    lengths = np.linalg.solve(systems, np.ones((len(biases), STATES, 1)))[:, 0, 0]
    bounded: NDArray[np.float64] = np.clip(np.nan_to_num(lengths, nan=MAX_LENGTH), 1.0, MAX_LENGTH)
    return bounded


def expected_delay(noise: NightNoise, threshold: float, drop: float) -> float:
    """Return the mean number of nights in which a lasting drop is found, from a sum of 0."""
    biases, weights = noise.reference_errors()
    return float(np.sum(weights * _run_lengths(noise, threshold, drop + biases)))
