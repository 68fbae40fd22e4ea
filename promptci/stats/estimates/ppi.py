"""Power-tuned prediction-powered inference of a rate: few marks by people, many by a judge, one estimate of both.

Source: Angelopoulos, Duchi, Zrnic, PPI++, arXiv 2311.01453 (2023), for a mean. It holds where the labelled things were
drawn from the same source as the unlabelled ones.
"""

import math
from collections.abc import Sequence
from statistics import fmean, pvariance, variance

from promptci.lazy_dataclass import dataclass
from promptci.stats.estimates.intervals import Interval, wilson_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """A rate estimated from people's marks with the help of a judge's."""

    estimate: float
    interval: Interval
    confidence: float
    lambda_: float
    """Lambda, 0 to 1: how far the judge's marks were used. 0: not at all, this is the labels' own rate."""
    se: float
    """Asymptotic standard error of `estimate`."""
    labels: int
    effective_n: float
    """Labels that would tell as much by themselves."""


def corrected(
    people: Sequence[float],
    judge: Sequence[float],
    unlabelled: Sequence[float],
    *,
    lambda_: float | None = None,
    confidence: float = 0.95,
) -> Corrected | None:
    """Estimate the rate at which people would pass; None without labels.

    Parameters
    ----------
    people, judge
        Marks from 0 to 1 of the same labelled things, in the same order.
    unlabelled
        The judge's marks of the things whose rate is estimated.
    lambda_
        Lambda; None: the value in 0..1 that gives the smallest variance.
    confidence
        Of the interval: Wilson's at the effective number of labels, for near 0 and 1 the normal one covers too little.
    """
    if len(people) != len(judge):
        raise ValueError(f"{len(people)} labels need as many marks by the judge, not {len(judge)}")
    if any(not 0 <= value <= 1 for value in (*people, *judge, *unlabelled)):
        raise ValueError("marks lie between 0 and 1")
    n, unlabelled_n = len(people), len(unlabelled)
    if n == 0:
        return None
    lam = (_tune_lambda(people, judge, unlabelled) if lambda_ is None else lambda_) if unlabelled_n else 0.0
    rest = [y - lam * f for y, f in zip(people, judge, strict=True)]
    raw_estimate = fmean(rest) + (lam * fmean(unlabelled) if unlabelled_n else 0.0)
    spread = pvariance(rest) / n + (lam**2 * pvariance(unlabelled) / unlabelled_n if unlabelled_n else 0.0)
    estimate = min(1.0, max(0.0, raw_estimate))
    effective = _effective_labels(pvariance(people), spread, n, unlabelled_n)
    return Corrected(
        estimate=estimate,
        interval=wilson_of(estimate, effective, confidence),
        confidence=confidence,
        lambda_=lam,
        se=math.sqrt(spread),
        labels=n,
        effective_n=effective,
    )


def _tune_lambda(people: Sequence[float], judge: Sequence[float], unlabelled: Sequence[float]) -> float:
    """Return the lambda with the smallest variance: cov(y, f) / ((1 + n/N) var(f)), kept within 0 and 1."""
    n = len(people)
    mean_y, mean_f = fmean(people), fmean(judge)
    together = math.fsum((y - mean_y) * (f - mean_f) for y, f in zip(people, judge, strict=True)) / n
    spread = variance((*judge, *unlabelled))
    return min(1.0, max(0.0, together / ((1 + n / len(unlabelled)) * spread))) if spread > 0 else 0.0


def _effective_labels(of_people: float, spread: float, n: int, unlabelled_n: int) -> float:
    """Return how many labels alone would have this variance, at most the number of all things."""
    if of_people == 0 or spread <= 0:
        return float(n)
    return min(of_people / spread, float(n + unlabelled_n))


def unlike(first: Sequence[float], second: Sequence[float], *, z: float = 1.96) -> bool:
    """Return whether two lists of scores differ in their mean by more than chance: one cannot replace the other."""
    if not first or not second:
        return True
    n, m = len(first), len(second)
    spread = pvariance((*first, *second)) * (1 / n + 1 / m)
    return abs(fmean(first) - fmean(second)) > z * math.sqrt(spread)
