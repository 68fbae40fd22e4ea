"""Cost and tail latency: what is shown to have risen by more than a limit."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from promptci.compare.error_budget import ErrorBudget
from promptci.stats.significance import ratio_tests


def test_the_count_among_the_slowest_is_hypergeometric() -> None:
    reference, candidate = [100.0] * 30, [10.0] * 25 + [500.0] * 5
    # Of 60 answers the 6 slowest: 5 of the candidate, 1 of the reference.
    above, at = stats.hypergeom.sf(5, 60, 30, 6), stats.hypergeom.pmf(5, 60, 30, 6)
    assert ratio_tests.tail_latency_p(reference, candidate, 0.3) == pytest.approx(above + at / 2)


def test_the_limit_is_taken_off_and_ties_count_for_the_reference() -> None:
    assert ratio_tests.tail_latency_p([100.0] * 50, [129.0] * 50, 0.3) > 0.99
    assert ratio_tests.tail_latency_p([100.0] * 50, [130.0] * 50, 0.3) > 0.99
    assert ratio_tests.tail_latency_p([100.0] * 50, [131.0] * 50, 0.3) < 0.001


def test_without_answers_nothing_is_shown() -> None:
    assert ratio_tests.tail_latency_p([], [1.0], 0.3) == 1.0
    assert ratio_tests.tail_latency_p([1.0], [], 0.3) == 1.0


@given(st.lists(st.floats(1, 1e4), min_size=1, max_size=80), st.floats(0, 1))
def test_the_same_latencies_show_nothing(latencies: list[float], limit: float) -> None:
    assert ratio_tests.tail_latency_p(latencies, latencies, limit) >= 0.25


def enumerated_rank_p(before: list[float], after: list[float], limit: float) -> float:
    """Mid-p of the signed-rank test of the log ratios, over every assignment of signs."""
    ratios = np.round(np.log(np.array(after) / (np.array(before) * (1 + limit))), ratio_tests.RATIO_DIGITS)
    ranks = stats.rankdata(np.abs(ratios))[ratios != 0]
    seen = float((ranks * np.sign(ratios[ratios != 0])).sum())
    sums = np.array([np.dot(ranks, signs) for signs in itertools.product((-1, 1), repeat=len(ranks))])
    return float((sums > seen + 1e-9).mean() + (np.abs(sums - seen) <= 1e-9).mean() / 2)


@given(st.lists(st.tuples(st.sampled_from([1.0, 2.0, 3.0]), st.floats(0.5, 8)), min_size=8, max_size=11))
def test_few_pairs_are_ranked(pairs: list[tuple[float, float]]) -> None:
    before, after = [b for b, _ in pairs], [a for _, a in pairs]
    expected = min(1.0, 2 * enumerated_rank_p(before, after, 0.25))
    assert ratio_tests.cost_p(before, after, 0.25) == pytest.approx(expected)


def test_many_pairs_are_also_put_to_a_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    before = rng.lognormal(0, 0.1, 40)
    after = before * np.where(np.arange(40) < 15, 4.0, 1.2)  # most cases rose by less than the limit, the mean by more
    oracle = stats.ttest_1samp(after - 1.25 * before, 0, alternative="greater").pvalue
    assert ratio_tests.cost_p(before.tolist(), after.tolist(), 0.25) == pytest.approx(2 * oracle)


def test_one_dear_case_does_not_hide_that_all_got_dearer() -> None:
    before = [10.0] * 24
    assert (ratio_tests.cost_p(before, [40.0] * 23 + [8000.0], 0.25) or 1) < 1e-5
    assert (ratio_tests.cost_p(before, [11.0] * 23 + [8000.0], 0.25) or 0) > 0.1


def test_from_eight_pairs_on_a_rise_can_be_shown() -> None:
    for pairs in range(8):
        assert ratio_tests.cost_p([1.0] * pairs, [9.0] * pairs, 0.25) is None
    level = ErrorBudget(alpha=0.05).cost
    assert (ratio_tests.cost_p([1.0] * 8, [9.0] * 8, 0.25) or 1) < level


def test_a_case_that_was_free_counts_as_dearer_and_one_that_becomes_free_as_cheaper() -> None:
    assert (ratio_tests.cost_p([0.0] * 9, [1.0] * 9, 0.25) or 1) < 0.005
    assert ratio_tests.cost_p([1.0] * 9, [0.0] * 9, 0.25) == 1.0
    assert ratio_tests.cost_p([0.0] * 9, [0.0] * 9, 0.25) == 1.0


@given(st.lists(st.floats(0.001, 1e4), min_size=8, max_size=60), st.floats(0, 1))
def test_the_same_costs_show_nothing(costs: list[float], limit: float) -> None:
    assert (ratio_tests.cost_p(costs, costs, limit) or 0) >= 0.9


def test_a_version_that_changes_nothing_is_rarely_found_dearer() -> None:
    rng = np.random.default_rng(7)
    result = 0
    for _ in range(2000):
        before, after = rng.lognormal(0, 1, 12), rng.lognormal(0, 1, 12)
        result += (ratio_tests.cost_p(before.tolist(), after.tolist(), 0.0) or 0) <= 0.05
    assert result / 2000 < 0.06
