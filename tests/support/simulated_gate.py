"""Simulated pull requests put to the deciding code itself; the tests and docs/promises.md use the same ones."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from support.shared_results import simulated_once

from promptci.stats.estimates import intervals, power
from promptci.stats.significance import corrections, paired, signflip

ALPHA = 0.05
MARGIN = 0.05
Counts = NDArray[np.int64]
Rates = NDArray[np.float64]


@lru_cache(maxsize=200_000)
def midp(broken: int, fixed: int) -> float:
    return paired.mcnemar_midp(broken, fixed)


def discordant(n: int, discordance: float, drop: float, *, seed: int, runs: int) -> tuple[Counts, Counts]:
    """Broken and fixed pairs of `runs` pull requests."""
    shares = [(discordance + drop) / 2, (discordance - drop) / 2, 1 - discordance]
    drawn = np.random.default_rng(seed).multinomial(n, shares, size=runs)
    return drawn[:, 0], drawn[:, 1]


def _share(decide: Callable[[int, int], bool], broken: Counts, fixed: Counts) -> float:
    """Share of the pull requests of which `decide` says yes."""
    pairs, counts = np.unique(np.stack([broken, fixed]), axis=1, return_counts=True)
    yes = np.array([decide(int(b), int(f)) for b, f in pairs.T])
    return float(counts[yes].sum() / counts.sum())


def significant(n: int, discordance: float, drop: float, *, seed: int, runs: int = 20_000) -> float:
    """How often the mid-p test is significant at alpha."""
    counts = discordant(n, discordance, drop, seed=seed, runs=runs)
    return _share(lambda b, f: midp(b, f) <= ALPHA, *counts)


def blocked(n: int, discordance: float, drop: float, *, seed: int, runs: int = 20_000) -> float:
    """How often the gate blocks: significant, and a drop of the margin."""
    counts = discordant(n, discordance, drop, seed=seed, runs=runs)
    return _share(lambda b, f: midp(b, f) <= ALPHA and (b - f) / n >= MARGIN - 1e-12, *counts)


def naive(n: int, discordance: float, drop: float, limit: float, *, seed: int, runs: int = 20_000) -> float:
    """How often `block if the pass rate fell by more than limit` blocks."""
    broken, fixed = discordant(n, discordance, drop, seed=seed, runs=runs)
    return float(((broken - fixed) / n > limit + 1e-12).mean())


@simulated_once
def tango_covers(n: int, discordance: float, drop: float, *, seed: int, runs: int = 4000) -> float:
    """How often Tango's 90 % interval holds the true difference."""

    def holds(broken: int, fixed: int) -> bool:
        interval = intervals.paired_difference(broken, fixed, n, 0.9)
        return interval.lo <= -drop <= interval.hi

    return _share(holds, *discordant(n, discordance, drop, seed=seed, runs=runs))


@simulated_once
def wilson_covers(n: int, rate: float, *, seed: int, runs: int = 20_000) -> float:
    """How often Wilson's 95 % interval holds the true rate."""
    hits = np.random.default_rng(seed).binomial(n, rate, size=runs)
    known = {int(k): intervals.wilson(int(k), n) for k in set(hits.tolist())}
    return float(np.mean([(i := known[int(k)]) is not None and i.lo <= rate <= i.hi for k in hits]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Scores:
    """What the paired t test and the BCa interval do on marks."""

    blocked: float
    covered: float


@simulated_once
def scores(n: int, *, seed: int, runs: int = 1500) -> Scores:
    """Marks of five grades, heavily skewed, no true difference: size at alpha, coverage of the 90 % interval."""
    rng = np.random.default_rng(seed)
    worse = covered = 0
    for run in range(runs):
        base, head = (rng.choice([0, 0.25, 0.5, 0.75, 1], p=[0.02, 0.03, 0.05, 0.2, 0.7], size=n) for _ in range(2))
        differences = (head - base).tolist()
        worse += (paired.paired_t(differences).p_worse or 1.0) <= ALPHA
        interval = intervals.bca_mean(differences, confidence=0.9, seed=run, resamples=1000)
        covered += interval is not None and interval.lo <= 0 <= interval.hi
    return Scores(blocked=worse / runs, covered=covered / runs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Clustered:
    """What paraphrases do to the test with and without their `cluster`."""

    without: float
    within: float
    covered: float
    """Of the cluster-robust 90 % interval."""


@simulated_once
def clustered(clusters: int, size: int, *, seed: int, runs: int = 2000) -> Clustered:
    """Paraphrases that agree fully, nothing changed."""
    rng = np.random.default_rng(seed)
    names = [f"k{i // size}" for i in range(clusters * size)]
    without = within = covered = 0
    for _ in range(runs):
        flips = rng.choice([-1.0, 0.0, 1.0], p=[0.15, 0.7, 0.15], size=clusters)
        differences = np.repeat(flips, size).tolist()
        without += (paired.paired_t(differences).p_worse or 1.0) <= ALPHA
        within += (paired.paired_t(differences, None, names).p_worse or 1.0) <= ALPHA
        interval = intervals.clustered_difference(differences, None, names, 0.9)
        covered += interval is not None and interval.lo <= 0 <= interval.hi
    return Clustered(without=without / runs, within=within / runs, covered=covered / runs)


@simulated_once
def family(prompts: int, n: int, discordance: float, *, corrected: bool, seed: int, runs: int = 10_000) -> float:
    """How often at least one of several unchanged prompts is called worse."""
    broken, fixed = discordant(n, discordance, 0.0, seed=seed, runs=runs * prompts)
    p = np.array([midp(int(b), int(f)) for b, f in zip(broken, fixed, strict=True)]).reshape(runs, prompts)
    if not corrected:
        return float((p.min(axis=1) <= ALPHA).mean())
    # Holm's first step is what decides whether any is called worse.
    first = [min(q for q in corrections.holm(row.tolist()) if q is not None) for row in p[:2000]]
    assert np.allclose(first, np.minimum(1.0, prompts * p[:2000].min(axis=1)))
    return float((prompts * p.min(axis=1) <= ALPHA).mean())


@dataclass(frozen=True, kw_only=True, slots=True)
class Repeated:
    """What one way of asking does."""

    blocked: float
    """Called worse by the test, and a drop of the margin estimated."""
    calls: float
    """Answers per case, both versions together."""
    estimate: float
    """Mean of the estimated drop."""


@simulated_once
def repeated(method: str, n: int, drop: float, *, seed: int, runs: int = 3000) -> Repeated:
    """`once`, `thrice` (each case three times) or `adaptive` (three times where the first answers disagree).

    Cases pass with a probability of their own, from Beta(4.5, 0.5): on average 90 %, most of them always. A drop turns
    so many cases to wrong for good.
    """
    rng = np.random.default_rng(seed)
    called, asked, estimates = 0, 0, 0.0
    for _ in range(runs):
        rates = rng.beta(4.5, 0.5, size=n)
        after = np.where(rng.random(n) < drop / 0.9, 0.0, rates)
        base, head = (rng.random((3, n)) < side for side in (rates, after))
        result = _ways[method](base, head)
        called += result.p <= ALPHA and -result.delta >= MARGIN - 1e-12
        asked += result.calls
        estimates -= result.delta
    return Repeated(blocked=called / runs, calls=asked / runs / n, estimate=estimates / runs)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Comparison:
    p: float
    delta: float
    calls: int


Answers = NDArray[np.bool_]


def _once(base: Answers, head: Answers) -> _Comparison:
    difference = head[0].astype(int) - base[0].astype(int)
    p = midp(int((difference < 0).sum()), int((difference > 0).sum()))
    return _Comparison(p=p, delta=float(difference.mean()), calls=2 * len(difference))


def _thrice(base: Answers, head: Answers) -> _Comparison:
    difference = head.sum(axis=0) - base.sum(axis=0)
    p = signflip.sign_flip_midp([Fraction(int(d), 3) for d in difference])
    return _Comparison(p=p, delta=float(difference.mean() / 3), calls=6 * len(difference))


def _adaptive(base: Answers, head: Answers) -> _Comparison:
    first = head[0].astype(int) - base[0].astype(int)
    whole = np.where(first != 0, head.sum(axis=0) - base.sum(axis=0), 0)
    p = signflip.sign_flip_midp([Fraction(int(d), 3) for d in whole])
    calls = 2 * len(first) + 4 * int((first != 0).sum())
    return _Comparison(p=p, delta=float(first.mean()), calls=calls)


_ways: dict[str, Callable[[Answers, Answers], _Comparison]] = {"once": _once, "thrice": _thrice, "adaptive": _adaptive}


@simulated_once
def early_stop(n: int, discordance: float, drop: float, *, seed: int, runs: int = 1000) -> tuple[float, float]:
    """Return how often the gate fails, and the share of answers that early stopping saves in these runs."""
    rng = np.random.default_rng(seed)
    shares = [(discordance + drop) / 2, (discordance - drop) / 2, 1 - discordance]
    failed, saved = 0, 0.0
    for _ in range(runs):
        drawn = rng.choice([-1, 1, 0], p=shares, size=n)
        broken, fixed = np.cumsum(drawn < 0), np.cumsum(drawn > 0)
        if not _fails(int(broken[-1]), int(fixed[-1]), n):
            continue
        failed += 1
        # Whatever the rest would be: all of it fixed.
        stops = next(i for i in range(n) if _fails(int(broken[i]), int(fixed[i]) + n - 1 - i, n))
        saved += 1 - (stops + 1) / n
    return failed / runs, saved / failed if failed else 0.0


def _fails(broken: int, fixed: int, n: int) -> bool:
    return midp(broken, fixed) <= ALPHA and (broken - fixed) / n >= MARGIN - 1e-12


def exact_power(n: int, discordance: float, drop: float) -> float:
    """What the formula says of `significant`."""
    return power.power_of(n, discordance, drop)
