"""Tests of a paired difference: mid-p McNemar for pass/fail, paired t (cluster-robust) for scores."""

import math
from collections.abc import Hashable, Sequence

from promptci.lazy_dataclass import dataclass
from promptci.stats import distributions


def mcnemar_midp(broken: int, fixed: int) -> float:
    """Return the one-sided mid-p of `head is worse`, from the discordant pairs.

    Under no difference each discordant pair is broken or fixed with probability 1/2; the mid-p counts the outcome
    seen by half: P(X > broken) + P(X = broken)/2, X ~ Bin(broken + fixed, 1/2). No discordant pair shows nothing: 1.
    Source: Fagerland, Lydersen, Laake, BMC Med Res Methodol 13:91 (2013).
    """
    if broken < 0 or fixed < 0:
        raise ValueError(f"counts cannot be negative: {broken}, {fixed}")
    discordant = broken + fixed
    if discordant == 0:
        return 1.0
    return distributions.fair_coin_midp(broken, fixed)


@dataclass(frozen=True, kw_only=True, slots=True)
class PairedT:
    """Mean difference with its standard error."""

    mean: float
    se: float | None
    """None: cannot be estimated (fewer than two clusters)."""
    df: int
    """Clusters less one."""
    p_worse: float | None
    """One-sided, of `head is worse` (mean < 0); None: cannot be estimated."""


def check_weights(weights: Sequence[float] | None, n: int) -> list[float]:
    """Return one weight per value, all 1 by default; refuse negative, infinite and all-zero ones (ValueError)."""
    checked = [1.0] * n if weights is None else [float(w) for w in weights]
    if len(checked) != n:
        raise ValueError(f"{n} values need as many weights, not {len(checked)}")
    if any(not math.isfinite(w) or w < 0 for w in checked):
        raise ValueError("weights must be finite and not negative")
    if n and not math.fsum(checked) > 0:
        raise ValueError("at least one weight must be more than 0")
    return checked


def weighted_mean(values: Sequence[float], weights: Sequence[float] | None = None) -> float:
    """Return the weighted mean; ValueError for no values, or weights that cannot be used."""
    if not values:
        raise ValueError("no values, no mean")
    checked = check_weights(weights, len(values))
    if any(not math.isfinite(v) for v in values):
        raise ValueError("values must be finite")
    return math.fsum(w * v for w, v in zip(checked, values, strict=True)) / math.fsum(checked)


def cluster_sums(
    values: Sequence[float], weights: Sequence[float], clusters: Sequence[Hashable | None] | None
) -> list[tuple[float, float]]:
    """Return (sum of weight x value, sum of weight) of each cluster; a case without a cluster is its own.

    Cases of weight 0 say nothing and make no cluster.
    """
    names: Sequence[Hashable | None] = [None] * len(values) if clusters is None else clusters
    members: dict[Hashable, list[tuple[float, float]]] = {}
    for index, (value, weight, name) in enumerate(zip(values, weights, names, strict=True)):
        if weight > 0:
            members.setdefault(("alone", index) if name is None else ("cluster", name), []).append((value, weight))
    return [(math.fsum(w * v for v, w in rows), math.fsum(w for _, w in rows)) for rows in members.values()]


def paired_t(
    differences: Sequence[float],
    weights: Sequence[float] | None = None,
    clusters: Sequence[Hashable | None] | None = None,
) -> PairedT:
    """Test whether the weighted mean of `differences` (head - base, one per case) is below 0.

    The standard error is cluster-robust with the factor C/(C-1) (CR1); with every case its own cluster and equal
    weights it is the usual s/sqrt(n). Differences that are all the same leave nothing to estimate a spread from;
    then p is that of the sign test over clusters, so that certainty never comes from too little.
    """
    mean = weighted_mean(differences, weights)
    sums = cluster_sums(differences, check_weights(weights, len(differences)), clusters)
    count = len(sums)
    if count < 2:
        return PairedT(mean=mean, se=None, df=0, p_worse=None)
    total = math.fsum(w for _, w in sums)
    residuals = math.fsum((s - w * mean) ** 2 for s, w in sums)
    se = math.sqrt(count / (count - 1) * residuals) / total
    if se <= 1e-12 * max(1.0, abs(mean)):
        return PairedT(mean=mean, se=0.0, df=count - 1, p_worse=_sign_p(mean, count))

    return PairedT(mean=mean, se=se, df=count - 1, p_worse=distributions.student_cdf(mean / se, count - 1))


def _sign_p(mean: float, count: int) -> float:
    return 0.5**count if mean < 0 else 1.0
