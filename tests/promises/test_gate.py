"""What the gate promises, kept over many thousand simulated pull requests."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from promptci.stats import intervals, paired, power

pytestmark = pytest.mark.long
ALPHA, RUNS = 0.05, 20_000
Counts = NDArray[np.int64]


def simulated(n: int, discordance: float, drop: float, seed: int, runs: int = RUNS) -> tuple[Counts, Counts]:
    """Broken and fixed pairs of `runs` pull requests."""
    rng = np.random.default_rng(seed)
    shares = [(discordance + drop) / 2, (discordance - drop) / 2, 1 - discordance]
    drawn = rng.multinomial(n, shares, size=runs)
    return drawn[:, 0], drawn[:, 1]


def midp(broken: Counts, fixed: Counts) -> NDArray[np.float64]:
    known = {(b, f): paired.mcnemar_midp(int(b), int(f)) for b, f in set(zip(broken, fixed, strict=True))}
    return np.array([known[pair] for pair in zip(broken, fixed, strict=True)])


@pytest.mark.parametrize(("n", "discordance"), list(product((50, 100, 200), (0.05, 0.10, 0.20))))
def test_a_harmless_change_is_blocked_no_more_often_than_stated(n: int, discordance: float) -> None:
    """False blocks under no change: at most alpha, and 3 standard errors and .002 for the mid-p's own excess."""
    rate = float((midp(*simulated(n, discordance, 0.0, seed=n)) <= ALPHA).mean())
    assert rate <= ALPHA + 3 * (ALPHA * (1 - ALPHA) / RUNS) ** 0.5 + 0.002


@pytest.mark.parametrize(("n", "discordance"), list(product((75, 100, 200, 500), (0.10, 0.20))))
def test_the_detectable_drop_is_detected_with_the_power_stated(n: int, discordance: float) -> None:
    """Power at the drop that is called detectable: 80 %, within 2 points."""
    drop = power.detectable_drop(n, discordance)
    assert drop is not None
    rate = float((midp(*simulated(n, discordance, drop, seed=n + 1)) <= ALPHA).mean())
    assert rate == pytest.approx(0.80, abs=0.02)


@pytest.mark.parametrize(
    ("n", "discordance", "drop"), [(50, 0.1, 0.0), (100, 0.1, 0.05), (100, 0.2, 0.1), (300, 0.05, 0.0)]
)
def test_tango_s_interval_covers(n: int, discordance: float, drop: float) -> None:
    """A 90 % interval holds the true difference in about 90 % of the runs; never below 88 %."""
    broken, fixed = simulated(n, discordance, drop, seed=7, runs=4000)
    known = {
        (b, f): intervals.paired_difference(int(b), int(f), n, 0.9) for b, f in set(zip(broken, fixed, strict=True))
    }
    found = [known[pair] for pair in zip(broken, fixed, strict=True)]
    assert np.mean([i.lo <= -drop <= i.hi for i in found]) >= 0.88


@pytest.mark.parametrize(("n", "rate"), [(50, 0.98), (100, 0.95), (100, 0.5), (200, 0.9)])
def test_wilson_s_interval_covers(n: int, rate: float) -> None:
    """A 95 % interval holds the true rate in at least 91 % of the runs, where Wald's falls to 64 %."""
    hits = np.random.default_rng(3).binomial(n, rate, size=20_000)
    known = {int(h): intervals.wilson(int(h), n) for h in set(hits)}
    covered = [(i := known[int(h)]) is not None and i.lo <= rate <= i.hi for h in hits]
    assert np.mean(covered) >= 0.91


@pytest.mark.parametrize("n", [30, 100])
def test_the_paired_t_test_on_skewed_scores_keeps_its_size_and_its_bca_interval_covers(n: int) -> None:
    """Scores from five grades, heavily skewed, no true difference: size within .03-.07, coverage of 90 % above 85 %."""
    rng = np.random.default_rng(n)
    runs, blocked, covered = 1500, 0, 0
    for run in range(runs):
        base, head = (rng.choice([0, 0.25, 0.5, 0.75, 1], p=[0.02, 0.03, 0.05, 0.2, 0.7], size=n) for _ in range(2))
        differences = (head - base).tolist()
        blocked += (paired.paired_t(differences).p_worse or 1.0) <= ALPHA
        found = intervals.bca_mean(differences, confidence=0.9, seed=run, resamples=1000)
        covered += found is not None and found.lo <= 0 <= found.hi
    assert 0.03 <= blocked / runs <= 0.07
    assert covered / runs >= 0.85


def test_clusters_are_not_taken_for_independent_cases() -> None:
    """Five paraphrases that agree fully: the naive test blocks far too often, the clustered one does not."""
    rng = np.random.default_rng(5)
    names = [f"c{i // 5}" for i in range(100)]
    naive = clustered = 0
    runs = 2000
    for _ in range(runs):
        flips = rng.choice([-1.0, 0.0, 1.0], p=[0.15, 0.7, 0.15], size=20)
        differences = np.repeat(flips, 5).tolist()
        naive += (paired.paired_t(differences).p_worse or 1.0) <= ALPHA
        clustered += (paired.paired_t(differences, None, names).p_worse or 1.0) <= ALPHA
    assert naive / runs > 0.15
    assert clustered / runs <= 0.075
