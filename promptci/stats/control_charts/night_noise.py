"""NightNoise: how far the quality of one night lies from that of a reference by chance alone."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.stats import distributions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = lazy_import("numpy")

MIN_SKEW = 0.02
"""Below it, the distribution is taken as normal."""
ERROR_POINTS = 13
"""Points at which the reference's error is integrated."""
MIN_FAILURES = 2
"""One failing case of a small set is never an alarm on its first night."""
PRIOR_FAILURE = 0.5
"""Added to the failures of the whole reference: that none was seen does not make them impossible."""
CAUTION = 0.5
"""Standard errors of the variance that are added to it. Too small a variance costs more than too large a one saves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceCase:
    """The answers to one case in the reference."""

    passed: float
    """Sum of their marks, each from 0 to 1."""
    answers: int
    weight: float = 1.0

    @property
    def mean(self) -> float:
        """Mean mark."""
        return self.passed / self.answers


@dataclass(frozen=True, kw_only=True, slots=True)
class NightNoise:
    """Distribution of the drop of one night, reference minus night, while nothing has changed.

    Each answer passes with a probability of its case's own, so a night's quality is a mean of independent marks. Its
    variance and skewness are estimated without bias from the reference; a shifted gamma distribution has both.
    Where failures are rare, their number is skewed, and a normal distribution would call too many nights unusual.
    """

    sd: float
    skew: float
    """Of the drop; positive where failures are rare."""
    reference_sd: float
    """Standard error of the reference's own mean, which stays in every comparison with it."""
    largest_share: float
    """Of one case in the quality."""

    def reference_errors(self) -> "tuple[NDArray[np.float64], NDArray[np.float64]]":
        """Return errors that the reference's mean may have, and the weight of each."""
        nodes, weights = np.polynomial.hermite_e.hermegauss(ERROR_POINTS)
        return self.reference_sd * nodes, weights / weights.sum()

    def exceed(self, drop: "NDArray[np.float64]") -> "NDArray[np.float64]":
        """Return the probability that one night's drop is larger, the reference's mean being exact."""
        z = np.asarray(drop, dtype=float) / self.sd
        size = abs(self.skew)
        if size < MIN_SKEW:
            return distributions.normal_cdf(-z)
        shape = 4 / size**2
        # A gamma variable of this shape has this skewness; it is centred and scaled to a standard deviation of 1.
        if self.skew > 0:
            return distributions.gamma_sf(shape, np.maximum(shape + z * math.sqrt(shape), 0.0))
        return distributions.gamma_cdf(shape, np.maximum(shape - z * math.sqrt(shape), 0.0))


def estimate_noise(cases: Sequence[ReferenceCase]) -> NightNoise:
    """Estimate the noise of a night from a reference.

    Raises
    ------
    ValueError
        For no case, or a case with fewer than two answers.
    """
    if not cases or any(case.answers < 2 for case in cases):
        raise ValueError("a reference needs cases, and at least two answers to each")
    total = math.fsum(case.weight for case in cases)
    shares = [case.weight / total for case in cases]
    variance = third = reference = error = 0.0
    floor = PRIOR_FAILURE / sum(case.answers for case in cases)
    for case, share in zip(cases, shares, strict=True):
        p, m = case.mean, case.answers
        spread = p * (1 - p) * m / (m - 1) + floor
        variance += share**2 * spread
        third += share**3 * spread * (2 * p - 1)
        reference += share**2 * spread / m
        error += share**4 * (1 - 2 * p) ** 2 * spread / m
    factor = 1 + CAUTION * math.sqrt(error) / variance
    return NightNoise(
        sd=math.sqrt(variance * factor),
        skew=third / variance**1.5,
        reference_sd=math.sqrt(reference * factor),
        largest_share=max(shares),
    )
