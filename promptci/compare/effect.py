"""Effect: how a candidate's sample differs from the reference's, by the method that the data call for."""

import math
from collections.abc import Sequence
from statistics import fmean

from promptci.compare.case_effect import CaseEffect, measure_cases
from promptci.compare.sample import Design, Sample, SamplePair
from promptci.lazy_dataclass import dataclass
from promptci.stats.estimates import intervals, power
from promptci.stats.estimates.intervals import Interval
from promptci.stats.estimates.seed import seed_from
from promptci.stats.significance import paired, signflip

POWER = 0.80


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """The difference between two samples of the same cases, which stand for inputs like them."""

    measure: str
    """`pass rate` or `mean score`."""
    reference: float
    candidate: float
    interval: Interval | None
    """Of candidate minus reference, at `confidence`; None where it cannot be estimated."""
    confidence: float
    """Two-sided level: 1 - 2 alpha."""
    p: float | None
    """One-sided, of `the candidate is worse`; None where it cannot be estimated."""
    detectable_drop: float | None
    """Smallest true drop that these cases show with 80 % power; None: none at all."""
    method: str
    seed: int | None = None
    pairs: int
    """Cases compared."""
    repeats: int = 1
    """Answers per case and sample that make the estimate."""
    weighted: bool = False
    """Some cases count for more than others."""
    clustered: bool = False
    """Some cases are not independent of each other."""
    worse: int
    """Cases in which the candidate did worse, by the answers that make the estimate."""
    better: int
    """Cases in which the candidate did better."""
    variance: float | None = None
    """Of one case's difference, including the effect of weights and clusters; None where it cannot be estimated."""
    on_these_cases: CaseEffect | None = None
    """What holds for these very cases; all other numbers are about inputs like them. None of identical versions."""

    @property
    def delta(self) -> float:
        """Candidate minus reference."""
        return self.candidate - self.reference


def identical(sample: Sample, design: Design) -> Effect:
    """Return the effect of a candidate that sends the same requests as the reference: one sample serves both."""
    value = fmean(sample.means())
    return Effect(
        measure=design.measure,
        reference=value,
        candidate=value,
        interval=Interval(lo=0.0, hi=0.0),
        confidence=1 - 2 * design.alpha,
        p=1.0,
        detectable_drop=0.0,
        method="both versions ask the model the same thing: one answer serves both",
        pairs=len(sample.ids),
        worse=0,
        better=0,
    )


def compare_samples(pair: SamplePair) -> Effect:
    """Measure candidate minus reference; every case needs at least one (initial) answer in each sample.

    Pass/fail: one-sided mid-p McNemar with Tango's score interval where each case has one answer, the sign-flip test
    with a BCa interval where it has several. Weights, clusters or scores: the sign-flip test over clusters with a BCa
    interval (or the cluster-robust one).

    Where cases were asked again because the samples disagreed (`design.adaptive`), all answers make the test, which is
    symmetric in the samples and so stays valid. Estimate and interval come from the initial answers alone: the others
    are of cases chosen by their outcome, and a mean over them would be biased towards no difference.
    """
    if pair.is_plain:
        return _compare_pass_fail(pair)
    return _compare_scores(pair)


def _repeats(sample: Sample, initial: int | None) -> int:
    return max((len(values[:initial]) for values in sample.values), default=1)


def _compare_pass_fail(pair: SamplePair) -> Effect:
    reference, candidate, design, once = pair.reference, pair.candidate, pair.design, pair.has_single_answers
    n, level = len(reference.ids), 1 - 2 * design.alpha
    before, after = ([float(rate) for rate in s.pass_rates(design.initial)] for s in (reference, candidate))
    worse = sum(b > a for b, a in zip(before, after, strict=True))
    better = sum(b < a for b, a in zip(before, after, strict=True))
    seed = None
    if once:
        interval: Interval | None = intervals.paired_difference(worse, better, n, level)
        variance: float | None = (worse + better) / n
        detectable = power.smallest_drop(n, (worse + better) / n, alpha=design.alpha, power=POWER)
    else:
        differences = [a - b for b, a in zip(before, after, strict=True)]
        seed = _seed(differences)
        interval = intervals.bca_mean(differences, confidence=level, seed=seed)
        variance = _variance(paired.paired_t(differences), n)
        detectable = _detectable(variance, n, alpha=design.alpha)
    return Effect(
        measure=design.measure,
        reference=fmean(before),
        candidate=fmean(after),
        interval=interval,
        confidence=level,
        p=paired.mcnemar_midp(worse, better)
        if once and not design.adaptive
        else signflip.sign_flip_midp(pair.test_differences()),
        detectable_drop=detectable,
        method=_pass_fail_method(once=once, adaptive=design.adaptive),
        seed=seed,
        pairs=n,
        repeats=_repeats(reference, design.initial),
        worse=worse,
        better=better,
        variance=variance,
        on_these_cases=measure_cases(pair),
    )


def _pass_fail_method(*, once: bool, adaptive: bool) -> str:
    interval = "Tango's score interval" if once else "BCa bootstrap interval"
    if adaptive:
        return f"one-sided mid-p sign-flip test over all answers, {interval} over the first"
    return f"one-sided mid-p {'McNemar' if once else 'sign-flip test over cases'}, {interval}"


def _compare_scores(pair: SamplePair) -> Effect:
    reference, candidate, design = pair.reference, pair.candidate, pair.design
    before, after = (sample.means(design.initial) for sample in (reference, candidate))
    differences = [a - b for b, a in zip(before, after, strict=True)]
    weights, clusters = reference.weights or None, reference.clusters or None
    test, tested = paired.paired_t(differences, weights, clusters), differences
    if design.adaptive:
        whole = zip(reference.means(), candidate.means(), strict=True)
        tested = [a - b for b, a in whole]
    clustered = any(reference.clusters)
    level, seed = 1 - 2 * design.alpha, _seed(differences)
    variance = _variance(test, len(differences))
    return Effect(
        measure=design.measure,
        reference=paired.weighted_mean(before, weights),
        candidate=paired.weighted_mean(after, weights),
        interval=intervals.clustered_difference(differences, weights, clusters, level)
        if clustered
        else intervals.bca_mean(differences, weights, confidence=level, seed=seed),
        confidence=level,
        p=_cluster_p(tested, pair),
        detectable_drop=_detectable(variance, len(differences), alpha=design.alpha),
        method="one-sided mid-p sign-flip test over"
        f" {'clusters' if clustered else 'cases'}{', all answers' if design.adaptive else ''},"
        f" {'cluster-robust' if clustered else 'BCa bootstrap'} interval{' over the first' if design.adaptive else ''}",
        seed=None if clustered else seed,
        pairs=len(differences),
        repeats=_repeats(reference, design.initial),
        weighted=len(set(pair.weights)) > 1,
        clustered=clustered,
        worse=sum(b > a for b, a in zip(before, after, strict=True)),
        better=sum(b < a for b, a in zip(before, after, strict=True)),
        variance=variance,
        on_these_cases=measure_cases(pair),
    )


def _cluster_p(differences: Sequence[float], pair: SamplePair) -> float | None:
    """Return the p over clusters; None for one, which shows nothing about inputs like its own."""
    sums = paired.cluster_sums(differences, pair.weights, pair.reference.clusters or None)
    return signflip.sign_flip_sums_midp([total for total, _ in sums]) if len(sums) > 1 else None


def _seed(differences: Sequence[float]) -> int:
    """Return a seed that neither order nor names of the cases change, nor an exchange of the samples."""
    return seed_from("\n".join(sorted(repr(abs(difference)) for difference in differences)))


def _variance(test: paired.PairedT, n: int) -> float | None:
    return None if test.se is None else n * test.se**2


def _detectable(variance: float | None, n: int, *, alpha: float) -> float | None:
    """Return the smallest drop shown.

    Where nothing differs, it is that of cases asked once which the drop alone makes flip.
    """
    if variance is None:
        return None
    if variance == 0:
        return power.smallest_drop(n, 0.0, alpha=alpha, power=POWER)
    return power.detectable_drop_scores(n, math.sqrt(variance), alpha=alpha, power=POWER)
