"""The difference in quality between two versions over the same cases, with the method the data call for."""

import math
from collections.abc import Iterable, Sequence
from statistics import fmean

from promptci.compare.model import PairedCase, Quality
from promptci.goldens.model import Case
from promptci.runs.model import Arm, PromptPlan
from promptci.stats import intervals, paired, power, signflip
from promptci.stats.intervals import Interval
from promptci.stats.seed import seed_from

GRADED = frozenset({"llm", "judge"})
"""Assertions that give marks between 0 and 1; with one of them quality is the mean score, else the pass rate."""

POWER = 0.80


def is_graded(cases: Iterable[Case]) -> bool:
    """Whether any assertion that counts gives graded marks. Decided by the cases' text, not by the outcome."""
    return any(a.type in GRADED and a.weight > 0 for case in cases for a in case.assertions)


def measure(pairs: Sequence[PairedCase], plan: PromptPlan, *, graded: bool, alpha: float) -> Quality:
    """Measure head minus base over complete pairs.

    Pass/fail: one-sided mid-p McNemar with Tango's score interval where each case was asked once, the sign-flip test
    with a BCa interval where it was repeated. Weights, clusters or graded scores: paired t over cases with a BCa
    interval (or the cluster-robust one).

    Where cases were asked on because the versions disagreed (`plan.adaptive`), all answers make the test, which is
    symmetric in the versions and so stays valid; estimate and interval come from the first answers alone: those asked
    on were chosen by their outcome, and a mean over them would be too near to no difference.
    """
    if plan.same_fingerprint:
        return _identical(pairs, graded=graded, alpha=alpha)
    plain = len({pair.case.weight for pair in pairs}) == 1 and not any(pair.case.cluster for pair in pairs)
    if plain and not graded:
        return _pass_fail(pairs, plan, alpha=alpha)
    return _scores(pairs, plan, graded=graded, alpha=alpha)


def asked_once(pairs: Sequence[PairedCase], plan: PromptPlan) -> bool:
    """Whether every first question got one answer of each version."""
    # By how the cases were asked, never by how they came out: a method picked by its result has no error rate.
    return all(len(pair.first(arm, plan.first_repeats)) == 1 for pair in pairs for arm in Arm)


def _measure_name(*, graded: bool) -> str:
    return "mean score" if graded else "pass rate"


def _identical(pairs: Sequence[PairedCase], *, graded: bool, alpha: float) -> Quality:
    value = fmean(pair.value(Arm.BASE, graded=graded) for pair in pairs)
    return Quality(
        measure=_measure_name(graded=graded),
        base=value,
        head=value,
        interval=Interval(lo=0.0, hi=0.0),
        confidence=1 - 2 * alpha,
        p=1.0,
        detectable_drop=0.0,
        method="both versions ask the model the same thing: one answer serves both",
        broken=0,
        fixed=0,
    )


def _pass_fail(pairs: Sequence[PairedCase], plan: PromptPlan, *, alpha: float) -> Quality:
    n, first = len(pairs), plan.first_repeats
    base, head = ([pair.value(arm, graded=False, first=first) for pair in pairs] for arm in Arm)
    broken = sum(b > h for b, h in zip(base, head, strict=True))
    fixed = sum(b < h for b, h in zip(base, head, strict=True))
    level = 1 - 2 * alpha
    seed, once = None, asked_once(pairs, plan)
    if once:
        interval: Interval | None = intervals.paired_difference(broken, fixed, n, level)
        variance: float | None = (broken + fixed) / n
        detectable = power.smallest_drop(n, (broken + fixed) / n, alpha=alpha, power=POWER)
    else:
        differences = [h - b for b, h in zip(base, head, strict=True)]
        seed = _seed(pairs, differences)
        interval = intervals.bca_mean(differences, confidence=level, seed=seed)
        variance = _variance(paired.paired_t(differences), n)
        detectable = _detectable(variance, n, alpha=alpha)
    return Quality(
        measure="pass rate",
        base=fmean(base),
        head=fmean(head),
        interval=interval,
        confidence=level,
        p=_p(pairs, plan, once=once, counts=(broken, fixed)),
        detectable_drop=detectable,
        method=_pass_fail_method(once=once, adaptive=plan.adaptive),
        seed=seed,
        broken=broken,
        fixed=fixed,
        variance=variance,
    )


def _p(pairs: Sequence[PairedCase], plan: PromptPlan, *, once: bool, counts: tuple[int, int]) -> float:
    if once and not plan.adaptive:
        return paired.mcnemar_midp(*counts)
    first = None if plan.adaptive else plan.first_repeats
    return signflip.sign_flip_midp([p.share(Arm.HEAD, first) - p.share(Arm.BASE, first) for p in pairs])


def _pass_fail_method(*, once: bool, adaptive: bool) -> str:
    interval = "Tango's score interval" if once else "BCa bootstrap interval"
    if adaptive:
        return f"one-sided mid-p sign-flip test over all answers, {interval} over the first"
    return f"one-sided mid-p {'McNemar' if once else 'sign-flip test over cases'}, {interval}"


def _scores(pairs: Sequence[PairedCase], plan: PromptPlan, *, graded: bool, alpha: float) -> Quality:
    first = plan.first_repeats
    base, head = ([pair.value(arm, graded=graded, first=first) for pair in pairs] for arm in Arm)
    differences = [h - b for b, h in zip(base, head, strict=True)]
    weights = [pair.case.weight for pair in pairs]
    clusters = [pair.case.cluster for pair in pairs]
    test = paired.paired_t(differences, weights, clusters)
    everything = test
    if plan.adaptive:
        whole = [p.value(Arm.HEAD, graded=graded) - p.value(Arm.BASE, graded=graded) for p in pairs]
        everything = paired.paired_t(whole, weights, clusters)
    clustered = any(clusters)
    level, seed = 1 - 2 * alpha, _seed(pairs, differences)
    variance = _variance(test, len(pairs))
    return Quality(
        measure=_measure_name(graded=graded),
        base=paired.weighted_mean(base, weights),
        head=paired.weighted_mean(head, weights),
        interval=intervals.clustered_difference(differences, weights, clusters, level)
        if clustered
        else intervals.bca_mean(differences, weights, confidence=level, seed=seed),
        confidence=level,
        p=everything.p_worse,
        detectable_drop=_detectable(variance, len(pairs), alpha=alpha),
        method=f"one-sided paired t{' over all answers' if plan.adaptive else ''},"
        f" {'cluster-robust' if clustered else 'BCa bootstrap'} interval{' over the first' if plan.adaptive else ''}",
        seed=None if clustered else seed,
        broken=sum(b > h for b, h in zip(base, head, strict=True)),
        fixed=sum(b < h for b, h in zip(base, head, strict=True)),
        variance=variance,
    )


def _seed(pairs: Sequence[PairedCase], differences: Sequence[float]) -> int:
    return seed_from("\n".join(f"{p.case.id}:{d!r}" for p, d in zip(pairs, differences, strict=True)))


def _variance(test: paired.PairedT, n: int) -> float | None:
    return None if test.se is None else n * test.se**2


def _detectable(variance: float | None, n: int, *, alpha: float) -> float | None:
    """Give the smallest drop shown; where nothing differs, as if every case were asked once and the drop flipped it."""
    if variance is None:
        return None
    if variance == 0:
        return power.smallest_drop(n, 0.0, alpha=alpha, power=POWER)
    return power.detectable_drop_scores(n, math.sqrt(variance), alpha=alpha, power=POWER)
