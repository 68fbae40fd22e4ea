"""Intervals agree with their definitions and oracles, and never give certainty from nothing."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from promptci.stats.estimates import intervals

tables = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 100)).filter(lambda t: sum(t) > 0)
scores = st.floats(-1, 1, allow_nan=False).map(lambda x: round(x, 6))


@given(st.integers(0, 300), st.integers(1, 300), st.sampled_from([0.9, 0.95, 0.99]))
def test_wilson_is_statsmodels(successes: int, extra: int, confidence: float) -> None:
    from statsmodels.stats.proportion import proportion_confint

    n = successes + extra
    interval = intervals.wilson(successes, n, confidence)
    lo, hi = proportion_confint(successes, n, alpha=1 - confidence, method="wilson")
    assert interval is not None
    assert (interval.lo, interval.hi) == pytest.approx((max(lo, 0), min(hi, 1)), abs=1e-9)


def test_wilson_at_the_ends() -> None:
    assert intervals.wilson(0, 0) is None
    nothing, everything = intervals.wilson(0, 50), intervals.wilson(50, 50)
    assert nothing is not None
    assert everything is not None
    assert (nothing.lo, everything.hi) == (0.0, 1.0)
    with pytest.raises(ValueError, match="cannot be"):
        intervals.wilson(3, 2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        intervals.wilson(1, 2, 95)


def score_statistic(delta: float, broken: int, fixed: int, n: int) -> float:
    """Tango's statistic with its nuisance parameter found by maximising the likelihood on a grid, not by formula."""
    q = np.linspace(max(0.0, -delta) + 1e-9, (1 - delta) / 2 - 1e-9, 20001)  # P(broken); P(fixed) = q + delta
    both = 1 - 2 * q - delta
    loglik = fixed * np.log(q + delta) + broken * np.log(q) + (n - broken - fixed) * np.log(np.maximum(both, 1e-300))
    best = q[int(np.argmax(loglik))]
    return float((fixed - broken - n * delta) / math.sqrt(n * (2 * best + delta - delta * delta)))


@pytest.mark.parametrize(("broken", "fixed", "n"), [(10, 3, 60), (4, 0, 50), (1, 7, 30), (20, 20, 100)])
def test_tango_s_ends_are_where_the_score_test_turns(broken: int, fixed: int, n: int) -> None:
    interval = intervals.paired_difference(broken, fixed, n, 0.9)
    z = stats.norm.ppf(0.95)
    assert score_statistic(interval.lo, broken, fixed, n) == pytest.approx(z, abs=5e-3)
    assert score_statistic(interval.hi, broken, fixed, n) == pytest.approx(-z, abs=5e-3)


@given(tables)
def test_tango_contains_the_estimate_within_bounds_and_has_width(table: tuple[int, int, int]) -> None:
    broken, fixed, rest = table
    n = broken + fixed + rest
    interval = intervals.paired_difference(broken, fixed, n, 0.9)
    assert -1 <= interval.lo <= (fixed - broken) / n <= interval.hi <= 1
    assert interval.hi > interval.lo


@given(tables)
def test_tango_mirrors_when_the_versions_swap(table: tuple[int, int, int]) -> None:
    broken, fixed, _ = table
    n = sum(table)
    first, other = (intervals.paired_difference(a, b, n, 0.9) for a, b in ((broken, fixed), (fixed, broken)))
    assert (first.lo, first.hi) == pytest.approx((-other.hi, -other.lo), abs=1e-9)


def test_no_discordant_pair_still_has_width() -> None:
    interval = intervals.paired_difference(0, 0, 50, 0.9)
    z2 = stats.norm.ppf(0.95) ** 2
    assert interval.hi == pytest.approx(z2 / (50 + z2), abs=1e-9)
    assert interval.lo == pytest.approx(-interval.hi, abs=1e-9)


def test_every_pair_broken_reaches_the_end() -> None:
    assert intervals.paired_difference(5, 0, 5, 0.9).lo == -1.0
    assert intervals.paired_difference(0, 5, 5, 0.9).hi == 1.0


@pytest.mark.parametrize("table", [(-1, 0, 5), (0, -1, 5), (3, 3, 5), (0, 0, 0)])
def test_impossible_tables_are_refused(table: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        intervals.paired_difference(*table)


@given(st.lists(scores, min_size=3, max_size=40).filter(lambda v: np.ptp(v) > 1e-2))
def test_own_clusters_give_the_t_interval(values: list[float]) -> None:
    interval = intervals.clustered_difference(values, confidence=0.9)
    lo, hi = stats.t.interval(0.9, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    unseen = stats.norm.ppf(0.95) ** 2 / (len(values) + stats.norm.ppf(0.95) ** 2)
    lo, hi = min(lo, np.mean(values) - unseen), max(hi, np.mean(values) + unseen)
    assert interval is not None
    assert (interval.lo, interval.hi) == pytest.approx((max(lo, -1), min(hi, 1)), abs=1e-9)


def test_one_cluster_has_no_interval_and_equal_clusters_have_width() -> None:
    assert intervals.clustered_difference([0.1, 0.2], None, ["a", "a"]) is None
    interval = intervals.clustered_difference([0.0] * 20, None, [f"c{i % 10}" for i in range(20)], 0.9)
    assert interval is not None
    z2 = stats.norm.ppf(0.95) ** 2
    assert interval.hi == pytest.approx(z2 / (10 + z2))


@settings(deadline=None, max_examples=25)
@given(st.lists(scores, min_size=8, max_size=40).filter(lambda v: np.ptp(v) > 1e-2), st.integers(0, 2**40))
def test_bca_contains_the_mean_and_ignores_the_order(values: list[float], seed: int) -> None:
    interval = intervals.bca_mean(values, confidence=0.9, seed=seed)
    again = intervals.bca_mean(sorted(values), confidence=0.9, seed=seed)
    assert interval is not None
    assert interval.lo <= float(np.mean(values)) <= interval.hi
    assert again is not None
    assert (interval.lo, interval.hi) == pytest.approx((again.lo, again.hi), abs=1e-12)


def test_bca_is_scipy_s_on_a_smooth_sample() -> None:
    values = 2 * stats.beta.rvs(2, 2, size=150, random_state=3) - 1
    interval = intervals.bca_mean(values.tolist(), confidence=0.9, seed=1, resamples=20000)
    oracle = stats.bootstrap(
        (values,), np.mean, confidence_level=0.9, n_resamples=20000, method="BCa", rng=np.random.default_rng(5)
    ).confidence_interval
    assert interval is not None
    assert (interval.lo, interval.hi) == pytest.approx((oracle.low, oracle.high), abs=4e-3)


def test_bca_of_equal_values_has_width_and_of_one_value_is_unknown() -> None:
    interval = intervals.bca_mean([0.0] * 50, confidence=0.9, seed=1)
    assert interval is not None
    assert interval.lo < 0 < interval.hi
    assert intervals.bca_mean([0.5], seed=1) is None
    assert intervals.bca_mean([0.5, 0.1], [1.0, 0.0], seed=1) is None
