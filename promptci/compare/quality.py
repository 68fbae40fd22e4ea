"""The difference in quality between two versions over the same cases, with the method the data call for."""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from promptci.compare.model import PairedCase, Quality
from promptci.goldens.model import Case
from promptci.runs.model import Arm
from promptci.stats import intervals, paired, power
from promptci.stats.intervals import Interval
from promptci.stats.seed import seed_from

GRADED = frozenset({"llm", "judge"})
"""Assertions that give marks between 0 and 1; with one of them quality is the mean score, else the pass rate."""

POWER = 0.80


def is_graded(cases: Iterable[Case]) -> bool:
    """Whether any assertion that counts gives graded marks. Decided by the cases' text, not by the outcome."""
    return any(a.type in GRADED and a.weight > 0 for case in cases for a in case.assertions)


def measure(pairs: Sequence[PairedCase], *, graded: bool, alpha: float, shared: bool) -> Quality:
    """Measure head minus base over complete pairs.

    Pass/fail asked once: one-sided mid-p McNemar with Tango's score interval. Repeats, weights or clusters, or
    graded scores: paired t over cases with a BCa interval (or the cluster-robust one). `shared` says that both
    versions ask the model the same thing, so that one answer served both and there is nothing to test.
    """
    base = [pair.value(Arm.BASE, graded=graded) for pair in pairs]
    head = [pair.value(Arm.HEAD, graded=graded) for pair in pairs]
    weights = [pair.case.weight for pair in pairs]
    plain = len(set(weights)) == 1 and not any(pair.case.cluster for pair in pairs)
    # By how the cases were asked, never by how they came out: a method picked by its result has no error rate.
    binary = not graded and all(len(pair.base) == len(pair.head) == 1 for pair in pairs)
    if shared:
        return _identical(base, graded=graded, alpha=alpha)
    if binary and plain:
        return _mcnemar(base, head, alpha=alpha)
    return _paired_t(pairs, base, head, graded=graded, alpha=alpha)


def _measure_name(*, graded: bool) -> str:
    return "mean score" if graded else "pass rate"


def _identical(base: Sequence[float], *, graded: bool, alpha: float) -> Quality:
    return Quality(
        measure=_measure_name(graded=graded),
        base=fmean(base),
        head=fmean(base),
        interval=Interval(lo=0.0, hi=0.0),
        confidence=1 - 2 * alpha,
        p=1.0,
        detectable_drop=0.0,
        method="both versions ask the model the same thing: one answer serves both",
    )


def _mcnemar(base: Sequence[float], head: Sequence[float], *, alpha: float) -> Quality:
    n = len(base)
    broken = sum(b > h for b, h in zip(base, head, strict=True))
    fixed = sum(b < h for b, h in zip(base, head, strict=True))
    discordance = (broken + fixed) / n
    return Quality(
        measure="pass rate",
        base=fmean(base),
        head=fmean(head),
        interval=intervals.paired_difference(broken, fixed, n, 1 - 2 * alpha),
        confidence=1 - 2 * alpha,
        p=paired.mcnemar_midp(broken, fixed),
        detectable_drop=power.smallest_drop(n, discordance, alpha=alpha, power=POWER),
        method="one-sided mid-p McNemar, Tango's score interval",
    )


def _paired_t(
    pairs: Sequence[PairedCase], base: Sequence[float], head: Sequence[float], *, graded: bool, alpha: float
) -> Quality:
    differences = [h - b for b, h in zip(base, head, strict=True)]
    weights = [pair.case.weight for pair in pairs]
    clusters = [pair.case.cluster for pair in pairs]
    clustered = any(clusters)
    test = paired.paired_t(differences, weights, clusters)
    seed = seed_from("\n".join(f"{p.case.id}:{d!r}" for p, d in zip(pairs, differences, strict=True)))
    level = 1 - 2 * alpha
    interval = (
        intervals.clustered_difference(differences, weights, clusters, level)
        if clustered
        else intervals.bca_mean(differences, weights, confidence=level, seed=seed)
    )
    total = math.fsum(weights)
    return Quality(
        measure=_measure_name(graded=graded),
        base=math.fsum(w * b for w, b in zip(weights, base, strict=True)) / total,
        head=math.fsum(w * h for w, h in zip(weights, head, strict=True)) / total,
        interval=interval,
        confidence=level,
        p=test.p_worse,
        detectable_drop=None
        if test.se is None
        else power.detectable_drop_scores(1, test.se, alpha=alpha, power=POWER) or None,
        method=("one-sided paired t, " + ("cluster-robust interval" if clustered else "BCa bootstrap interval")),
        seed=None if clustered else seed,
    )
