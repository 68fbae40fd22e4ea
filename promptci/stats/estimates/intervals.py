"""Intervals: Wilson for a rate, Tango for paired rates, BCa bootstrap and cluster-robust t for paired scores."""

import math
from collections.abc import Callable, Hashable, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.stats import distributions
from promptci.stats.significance import paired

if TYPE_CHECKING:
    import numpy as np
else:
    np = lazy_import("numpy")

NORMAL = NormalDist()


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """From `lo` to `hi`."""

    lo: float
    hi: float

    @property
    def ends(self) -> tuple[float, float]:
        """Both ends, the lower first."""
        return self.lo, self.hi


def _z(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, not {confidence}")
    return NORMAL.inv_cdf(0.5 + confidence / 2)


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval | None:
    """Return Wilson's score interval of a rate, or None for n = 0. Source: Wilson, JASA 22 (1927)."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} cannot be")
    return None if n == 0 else wilson_of(successes / n, n, confidence)


def wilson_of(rate: float, n: float, confidence: float = 0.95) -> Interval:
    """Return Wilson's interval of a rate that was seen with the certainty of `n` independent things; n > 0."""
    z2 = _z(confidence) ** 2
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2) / (1 + z2 / n) * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    lo = 0.0 if rate == 0 else max(0.0, centre - half)
    return Interval(lo=lo, hi=1.0 if rate == 1 else min(1.0, centre + half))


def paired_difference(broken: int, fixed: int, n: int, confidence: float = 0.95) -> Interval:
    """Return Tango's score interval of head's rate minus base's, (fixed - broken)/n over n pairs.

    Has width even where no pair is discordant. Source: Tango, Statistics in Medicine 17 (1998), eq. 12.
    """
    if broken < 0 or fixed < 0 or n < 1 or broken + fixed > n:
        raise ValueError(f"{broken} broken and {fixed} fixed of {n} pairs cannot be")
    z = _z(confidence)
    return Interval(
        lo=_root(lambda delta: _tango(delta, broken, fixed, n) - z, -1.0, (fixed - broken) / n),
        hi=_root(lambda delta: _tango(delta, broken, fixed, n) + z, (fixed - broken) / n, 1.0),
    )


def _tango(delta: float, broken: int, fixed: int, n: int) -> float:
    """Score statistic for `the true difference is delta`; falls as delta rises, 0 at the estimate."""
    a = 2 * n
    b = -fixed - broken + (2 * n - fixed + broken) * delta
    c = -broken * delta * (1 - delta)
    nuisance = (math.sqrt(max(b * b - 4 * a * c, 0.0)) - b) / (2 * a)
    variance = n * (2 * nuisance + delta * (1 - delta))
    distance = fixed - broken - n * delta
    if variance <= 0:
        return math.copysign(math.inf, distance) if distance else 0.0
    return distance / math.sqrt(variance)


def _root(function: Callable[[float], float], lo: float, hi: float) -> float:
    """Bisect a falling function; where its sign does not change, the result is an end."""
    for _ in range(60):  # to the last bit of a number near 1
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if function(middle) > 0 else (lo, middle)
    return (lo + hi) / 2


def _clip(lo: float, hi: float) -> Interval:
    return Interval(lo=max(-1.0, lo), hi=min(1.0, hi))


def _with_unseen(interval: Interval, mean: float, effective: float, confidence: float) -> Interval:
    """Widen an interval by what was not seen: cases unlike all others may exist, few enough to be missing here.

    Their share is bounded as Wilson's interval bounds 0 of n, and one of them could move the score by at most 1.
    Without this, an interval of a few nearly equal differences would be certainty from nothing.
    """
    z2 = _z(confidence) ** 2
    share = z2 / (effective + z2)
    return _clip(min(interval.lo, mean - share), max(interval.hi, mean + share))


def _effective(weights: Sequence[float]) -> float:
    """Kish's effective number of units."""
    return math.fsum(weights) ** 2 / math.fsum(w * w for w in weights)


def clustered_difference(
    differences: Sequence[float],
    weights: Sequence[float] | None = None,
    clusters: Sequence[Hashable | None] | None = None,
    confidence: float = 0.95,
) -> Interval | None:
    """Return the cluster-robust t interval of the weighted mean difference (in -1..1); None with one cluster."""
    test = paired.paired_t(differences, weights, clusters)
    if test.se is None:
        return None

    half = distributions.student_quantile(0.5 + confidence / 2, test.df) * test.se
    sums = paired.cluster_sums(differences, paired.check_weights(weights, len(differences)), clusters)
    effective = _effective([weight for _, weight in sums])
    return _with_unseen(Interval(lo=test.mean - half, hi=test.mean + half), test.mean, effective, confidence)


def bca_mean(
    values: Sequence[float],
    weights: Sequence[float] | None = None,
    *,
    confidence: float = 0.95,
    seed: int,
    resamples: int = 4000,
) -> Interval | None:
    """Return the BCa bootstrap interval of the weighted mean of differences in -1..1; None for fewer than two values.

    Source: Efron, JASA 82 (1987), acceleration from the jackknife; expanded for small samples as Hesterberg, The
    American Statistician 69 (2015), section 3.4. Never narrower than what was not seen (`_with_unseen`).
    """
    mean = paired.weighted_mean(values, weights)
    w = np.asarray(paired.check_weights(weights, len(values)))
    v = np.asarray(values, dtype=float)[w > 0]
    w = w[w > 0]
    if len(v) < 2:
        return None
    if np.ptp(v) <= 1e-12:
        return _with_unseen(Interval(lo=mean, hi=mean), mean, _effective(w.tolist()), confidence)
    order = np.lexsort((w, v))  # so that the order of the cases changes nothing
    mirrored = np.lexsort((w, -v))
    # Exchanging the versions mirrors the interval exactly: one of the two orientations is always the one resampled.
    forward, backward = (list(zip(sign * v[o], w[o], strict=True)) for sign, o in ((1, order), (-1, mirrored)))
    if backward < forward:
        flipped = bca_mean((-v).tolist(), w.tolist(), confidence=confidence, seed=seed, resamples=resamples)
        return None if flipped is None else Interval(lo=-flipped.hi, hi=-flipped.lo)
    v, w = v[order], w[order]
    rows = np.random.default_rng(seed).integers(0, len(v), size=(resamples, len(v)))
    means = (v[rows] * w[rows]).sum(axis=1) / w[rows].sum(axis=1)
    below = float((means < mean - 1e-12).mean() + (np.abs(means - mean) <= 1e-12).mean() / 2)
    bias = NORMAL.inv_cdf(min(max(below, 0.5 / resamples), 1 - 0.5 / resamples))
    left_out = ((v * w).sum() - v * w) / (w.sum() - w)
    spread = left_out.mean() - left_out
    acceleration = float((spread**3).sum() / (6 * (spread**2).sum() ** 1.5))
    # The plain bootstrap is too narrow by what the t distribution adds to the normal one: widened by just that.
    wide = distributions.student_quantile(0.5 + confidence / 2, len(v) - 1) * math.sqrt(len(v) / (len(v) - 1))
    ends = [bias - wide, bias + wide]
    shares = [NORMAL.cdf(bias + e / (1 - acceleration * e)) for e in ends]
    lo, hi = np.quantile(means, shares)
    return _with_unseen(Interval(lo=float(lo), hi=float(hi)), mean, _effective(w.tolist()), confidence)
