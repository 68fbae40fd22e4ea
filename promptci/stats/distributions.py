"""The few distributions that promptci needs: binomial, Student's t, gamma and normal (docs/adr/0014).

All are sums of positive terms, or continued fractions, times a density whose exponent is computed as Loader's `bd0`, so
that small tails keep their digits. Relative errors are below `RELATIVE_ERROR` wherever the result is above 1e-290; the
tests compare with scipy, and with the proven enclosures of Arb.

Sources: Loader, Fast and accurate computation of binomial probabilities (2000); NIST Digital Library of Mathematical
Functions, https://dlmf.nist.gov, by number of formula; Lentz's method as in Thompson and Barnett, J. Comput. Phys. 64
(1986).
"""

import math
from functools import lru_cache
from itertools import count
from statistics import NormalDist
from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy_import("numpy")

RELATIVE_ERROR = 2e-12
"""What callers may rely on."""
MOST_WHOLE = 200
"""Tosses of a coin whose outcomes are counted in whole numbers, without rounding."""
_EPSILON = 2.0**-53
_TINY = 1e-300
"""In place of 0 in Lentz's method."""
_HALF_LOG_2PI = math.log(2 * math.pi) / 2
_SQRT_HALF = math.sqrt(0.5)
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156)
_STIRLING_FROM = 15.0


def _stirling_error(z: float) -> float:
    """Return log Gamma(z + 1) less Stirling's (z + 1/2) log z - z + log(2 pi)/2, for z > 0 (DLMF 5.11.1)."""
    if z < _STIRLING_FROM:
        return math.lgamma(z + 1) - (z + 0.5) * math.log(z) + z - _HALF_LOG_2PI
    power, total = 1 / z, 0.0
    for coefficient in _STIRLING:
        total += coefficient * power
        power /= z * z
    return total


def _deviance(x: float, mean: float) -> float:
    """Return x log(x / mean) + mean - x without cancellation (Loader's bd0)."""
    distance = x - mean
    if abs(distance) >= 0.1 * (x + mean):
        return x * math.log(x / mean) - distance
    ratio = distance / (x + mean)
    total, term, square = distance * ratio, 2 * x * ratio, ratio * ratio
    for odd in count(3, 2):
        term *= square
        if (following := total + term / odd) == total:
            return total
        total = following
    raise AssertionError


def binomial_probability(successes: int, n: int, share: float) -> float:
    """Return the probability of exactly so many successes of n (Loader's saddle-point form)."""
    if successes == 0:
        return math.exp(n * math.log1p(-share))
    if successes == n:
        return math.exp(n * math.log(share))
    failures = n - successes
    exponent = _stirling_error(n) - _stirling_error(successes) - _stirling_error(failures)
    exponent -= _deviance(successes, n * share) + _deviance(failures, n * (1 - share))
    return math.exp(exponent) * math.sqrt(n / (2 * math.pi * successes * failures))


def binomial_probabilities(
    successes: "NDArray[np.int64]", n: "NDArray[np.int64]", share: float
) -> "NDArray[np.float64]":
    """Return the probability of exactly so many successes, for pairs of numbers; 0 for more of them than n.

    By logarithms of factorials, whose rounding is of the order of n times 1e-16: for sums over many of them.
    """
    table = _log_factorials(1 << int(max(n.max(initial=0), 1)).bit_length())
    failures = n - successes
    possible = (successes >= 0) & (failures >= 0)
    k, rest = np.where(possible, successes, 0), np.where(possible, failures, 0)
    no = math.log1p(-share) if share < 1 else -1e300  # not infinite: none of a thing that is impossible is certain
    exponent = table[k + rest] - table[k] - table[rest] + k * math.log(share) + rest * no
    return np.where(possible, np.exp(exponent), 0.0)


@lru_cache(maxsize=8)
def _log_factorials(size: int) -> "NDArray[np.float64]":
    """Return log n! for each n below `size`."""
    return np.array([math.lgamma(n + 1) for n in range(size)])


@lru_cache(maxsize=4096)
def fair_coin_midp(successes: int, failures: int) -> float:
    """Return P(X > successes) + P(X = successes)/2, with X the heads among so many tosses of a fair coin.

    The smaller tail is summed from its largest term on, up to `MOST_WHOLE` tosses without any rounding but the last;
    the other tail is what it leaves, so the two add up to 1.
    """
    n = successes + failures
    if successes <= failures:
        return 1 - fair_coin_midp(failures, successes) if successes < failures else 0.5
    if n <= MOST_WHOLE:
        ways = counted = math.comb(n, successes)
        for heads in range(successes + 1, n + 1):
            ways = ways * (n - heads + 1) // heads
            counted += 2 * ways
        return counted / (1 << (n + 1))
    total = term = 1.0
    above, below = successes, failures
    while term > _EPSILON * total:
        above += 1
        term *= below / above
        below -= 1
        total += term
    return binomial_probability(successes, n, 0.5) * (total - 0.5)


def student_cdf(t: float, df: float) -> float:
    """Return the probability that a variable with Student's t distribution is at most `t`."""
    if t >= 0:
        return 1 - student_cdf(-t, df) if t else 0.5
    if math.isinf(t):
        return 0.0
    a, square = df / 2, t * t
    x, rest = df / (df + square), square / (df + square)
    # The factor in front of the incomplete beta function of x, a and 1/2.
    front = math.exp(_log_gamma_ratio(a) - a * math.log1p(square / df)) * math.sqrt(rest / math.pi)
    if square * (a + 1) > 1.5 * df:  # x is below (a + 1)/(a + b + 2), where the fraction converges quickly
        return front / _beta_fraction(a, 0.5, x, rest) / 2
    total, term = 1.0, 1.0
    for n in count():  # DLMF 8.17.8
        term *= rest * (a + 0.5 + n) / (1.5 + n)
        total += term
        if term <= _EPSILON * total:
            return 0.5 - front * total
    raise AssertionError


def _log_gamma_ratio(a: float) -> float:
    """Return log Gamma(a + 1/2) - log Gamma(a)."""
    if a < _STIRLING_FROM:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    # log Gamma(z) = (z - 1/2) log z - z + log(2 pi)/2 + the Stirling error
    errors = _stirling_error(a + 0.5) - _stirling_error(a)
    return a * math.log1p(0.5 / a) + math.log(a) / 2 - 0.5 + errors


def _beta_fraction(a: float, b: float, x: float, rest: float) -> float:
    """Return the fraction by which x^a rest^b / B(a, b) is divided, rest = 1 - x.

    It is the even part of DLMF 8.17.22, in which x close to 1 loses no digits (Didonato and Morris, ACM TOMS 18, 1992).
    """
    result = numerator = a * (a * rest - b * x + 1) / (a + 1)
    denominator = 0.0
    for m in count(1):
        last = a + 2 * m - 1
        coefficient = (a + m - 1) * (a + b + m - 1) * m * (b - m) * (x / last) ** 2
        partial = m + m * (b - m) * x / last + (a + m) * (a * rest - b * x + 1 + m * (1 + rest)) / (last + 2)
        denominator = 1 / (partial + coefficient * denominator)
        numerator = partial + coefficient / numerator
        factor = numerator * denominator
        result *= factor
        if abs(factor - 1) <= 2 * _EPSILON:
            return result
    raise AssertionError


@lru_cache(maxsize=4096)
def student_quantile(share: float, df: float) -> float:
    """Return the value that a variable with Student's t distribution exceeds with probability 1 - `share`.

    Newton's method from the normal quantile, which is nearer to 0; as the tail is convex, no step passes the solution.
    """
    if share <= 0.5:
        return -student_quantile(1 - share, df) if share < 0.5 else 0.0
    scale = math.exp(_log_gamma_ratio(df / 2)) / math.sqrt(df * math.pi)
    t, step = NormalDist().inv_cdf(share), math.inf
    while step > 1e-9 * t:  # the next step would be of the order of its square
        density = scale * math.exp(-(df + 1) / 2 * math.log1p(t * t / df))
        step = (student_cdf(-t, df) - (1 - share)) / density
        t += step
    return t


def normal_cdf(z: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the probabilities that a standard normal variable is at most each value."""
    scaled = (np.asarray(z, dtype=float) * -_SQRT_HALF).ravel().tolist()
    return np.array([math.erfc(value) for value in scaled]).reshape(np.shape(z)) / 2


def gamma_cdf(shape: float, x: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the probabilities that a gamma variable of this shape and scale 1 is at most each x >= 0."""
    return _gamma_tails(shape, x)[0]


def gamma_sf(shape: float, x: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the probabilities that a gamma variable of this shape and scale 1 exceeds each x >= 0."""
    return _gamma_tails(shape, x)[1]


def _gamma_tails(shape: float, x: "NDArray[np.float64]") -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
    """Return the tail below and the one above: the one that is computed, and what it leaves of 1."""
    values = np.asarray(x, dtype=float)
    lower, upper = np.zeros(values.shape), np.zeros(values.shape)
    left = values < shape + 1
    some = left & (values > 0)
    lower[some] = _gamma_density(shape, values[some]) * _gamma_series(shape, values[some])
    upper[left] = 1 - lower[left]
    right = ~left & np.isfinite(values)
    upper[right] = _gamma_density(shape, values[right]) * shape * _gamma_fraction(shape, values[right])
    lower[~left] = 1 - upper[~left]
    return lower, upper


def _gamma_density(shape: float, x: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return x^shape e^-x / Gamma(shape + 1), as Loader's saddle-point form of a Poisson probability."""
    deviances = np.array([_deviance(shape, value) for value in x.tolist()])
    return np.exp(-_stirling_error(shape) - deviances) / math.sqrt(2 * math.pi * shape)


def _gamma_series(shape: float, x: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return the sum of x^n / ((shape + 1) ... (shape + n)) (DLMF 8.7.1)."""
    total, term = np.ones(x.shape), np.ones(x.shape)
    for n in count(1):
        term *= x / (shape + n)
        total += term
        if not (term > _EPSILON * total).any():
            return total
    raise AssertionError


def _gamma_fraction(shape: float, x: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Return Legendre's continued fraction of the upper tail (DLMF 8.9.2, contracted), by Lentz's method."""
    partial = x + 1 - shape
    numerator, denominator = np.full(x.shape, 1 / _TINY), 1 / partial
    result = denominator.copy()
    for n in count(1):
        coefficient = -n * (n - shape)
        partial = partial + 2
        denominator = 1 / (coefficient * denominator + partial)
        numerator = partial + coefficient / numerator
        factor = numerator * denominator
        result *= factor
        if not (abs(factor - 1) > 2 * _EPSILON).any():
            return result
    raise AssertionError
