"""Paired tests agree with scipy and statsmodels, and keep their symmetries."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from promptci.stats.significance import corrections, paired

counts = st.integers(0, 200)
scores = st.floats(-1, 1, allow_nan=False).map(lambda x: round(x, 6))


@given(counts, counts)
def test_mid_p_is_the_exact_test_less_half_the_outcome_seen(broken: int, fixed: int) -> None:
    n = broken + fixed
    if n == 0:
        assert paired.mcnemar_midp(0, 0) == 1.0
        return
    exact = stats.binomtest(broken, n, 0.5, alternative="greater").pvalue
    expected = exact - stats.binom.pmf(broken, n, 0.5) / 2
    assert math.isclose(paired.mcnemar_midp(broken, fixed), expected, abs_tol=1e-9)


@given(st.integers(1, 100), st.integers(0, 100))
def test_the_smaller_tail_doubled_plus_the_outcome_is_statsmodels_exact_test(broken: int, fixed: int) -> None:
    n = broken + fixed
    from statsmodels.stats.contingency_tables import mcnemar

    two_sided = mcnemar([[0, broken], [fixed, 0]], exact=True).pvalue
    smaller = min(paired.mcnemar_midp(broken, fixed), paired.mcnemar_midp(fixed, broken))
    seen = stats.binom.pmf(broken, n, 0.5)
    assert math.isclose(two_sided, min(1.0, 2 * smaller + seen), abs_tol=1e-9)


@given(st.integers(0, 200), st.integers(1, 200))
def test_swapping_the_versions_mirrors_the_mid_p(broken: int, fixed: int) -> None:
    assert math.isclose(paired.mcnemar_midp(broken, fixed) + paired.mcnemar_midp(fixed, broken), 1.0, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("broken", "fixed", "p"),
    [(0, 0, 1.0), (3, 0, 0.0625), (4, 0, 0.03125), (5, 0, 0.015625), (8, 0, 0.001953125), (3, 3, 0.5)],
)
def test_known_mid_p_values(broken: int, fixed: int, p: float) -> None:
    assert paired.mcnemar_midp(broken, fixed) == pytest.approx(p, abs=1e-12)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        paired.mcnemar_midp(-1, 0)


@given(st.lists(scores, min_size=3, max_size=40).filter(lambda v: np.ptp(v) > 1e-3))
def test_without_weights_and_clusters_it_is_scipy_s_one_sample_t(values: list[float]) -> None:
    paired_t = paired.paired_t(values)
    oracle = stats.ttest_1samp(values, 0.0, alternative="less")
    assert paired_t.p_worse is not None
    assert math.isclose(paired_t.p_worse, oracle.pvalue, abs_tol=1e-9)
    assert paired_t.df == len(values) - 1


@settings(deadline=None)
@given(
    st.lists(st.tuples(scores, st.sampled_from([0.5, 1.0, 2.0]), st.integers(0, 5)), min_size=8, max_size=40).filter(
        lambda rows: len({c for _, _, c in rows}) > 2 and np.ptp([v for v, _, _ in rows]) > 1e-3
    )
)
def test_the_cluster_robust_error_is_statsmodels(rows: list[tuple[float, float, int]]) -> None:
    from statsmodels.regression.linear_model import WLS

    values, weights, clusters = (list(column) for column in zip(*rows, strict=True))
    paired_t = paired.paired_t(values, weights, clusters)
    fit = WLS(values, np.ones(len(values)), weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": clusters, "use_correction": False}
    )
    groups = len(set(clusters))
    oracle = float(fit.bse[0]) * math.sqrt(groups / (groups - 1))
    assert paired_t.mean == pytest.approx(float(fit.params[0]), abs=1e-9)
    assert paired_t.se == pytest.approx(oracle, abs=1e-9)
    assert paired_t.df == groups - 1


@given(st.lists(scores, min_size=2, max_size=30).filter(lambda v: np.ptp(v) > 1e-3))
def test_swapping_the_versions_flips_the_sign_exactly(values: list[float]) -> None:
    first, other = paired.paired_t(values), paired.paired_t([-v for v in values])
    assert (first.mean, first.se) == (-other.mean, other.se)
    assert first.p_worse is not None
    assert other.p_worse is not None
    assert math.isclose(first.p_worse + other.p_worse, 1.0, abs_tol=1e-12)


@given(st.lists(scores, min_size=2, max_size=30))
def test_the_order_of_the_cases_changes_nothing(values: list[float]) -> None:
    shuffled = sorted(values)
    first, other = paired.paired_t(values), paired.paired_t(shuffled)
    assert math.isclose(first.mean, other.mean, abs_tol=1e-12)
    assert math.isclose(first.p_worse or 0.0, other.p_worse or 0.0, abs_tol=1e-9)


@given(st.lists(scores, min_size=2, max_size=20).filter(lambda v: np.ptp(v) > 1e-3), st.integers(2, 5))
def test_copies_of_a_case_in_its_cluster_gain_nothing(values: list[float], copies: int) -> None:
    names = [f"c{i}" for i in range(len(values))]
    once = paired.paired_t(values, None, names)
    often = paired.paired_t(values * copies, None, names * copies)
    assert often.se == pytest.approx(once.se, rel=1e-9)
    assert often.df == once.df


def test_one_cluster_cannot_be_estimated() -> None:
    assert paired.paired_t([0.1, -0.2], None, ["a", "a"]).se is None
    assert paired.paired_t([0.1, -0.2], None, ["a", "a"]).p_worse is None


def test_differences_all_the_same_give_no_certainty_from_nothing() -> None:
    assert paired.paired_t([0.0] * 5).p_worse == 1.0
    assert paired.paired_t([0.2] * 5).p_worse == 1.0
    assert paired.paired_t([-0.2] * 3).p_worse == 0.125


@pytest.mark.parametrize(
    ("values", "weights", "message"),
    [
        ([1.0], [-1.0], "not negative"),
        ([1.0], [math.inf], "finite"),
        ([1.0, 2.0], [0.0, 0.0], "more than 0"),
        ([1.0], [1.0, 1.0], "as many"),
        ([math.nan], None, "finite"),
        ([], None, "no values"),
    ],
)
def test_what_cannot_be_weighed_is_refused(values: list[float], weights: list[float] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired.weighted_mean(values, weights)


def test_holm_leaves_unknown_p_values_out() -> None:
    assert corrections.holm([None, 0.03, None, 0.02]) == [None, 0.04, None, 0.04]
    assert corrections.holm([]) == []


def test_a_case_of_weight_0_says_nothing_and_makes_no_cluster() -> None:
    with_it = paired.paired_t([0.1, -0.3, 0.2, 9.0], [1.0, 1.0, 1.0, 0.0])
    assert with_it == paired.paired_t([0.1, -0.3, 0.2])
