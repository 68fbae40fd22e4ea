"""Cost and tail latency: what is shown to have risen by more than a limit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

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


def test_cost_is_a_paired_t_test_against_the_limit() -> None:
    rng = np.random.default_rng(1)
    before, after = rng.lognormal(0, 0.4, 30), rng.lognormal(0.4, 0.4, 30)
    oracle = stats.ttest_1samp(after - 1.25 * before, 0, alternative="greater").pvalue
    assert ratio_tests.cost_p(before.tolist(), after.tolist(), 0.25) == pytest.approx(oracle)


def test_few_pairs_show_nothing_about_cost() -> None:
    assert ratio_tests.cost_p([1.0] * 19, [9.0] * 19, 0.25) is None
    p = ratio_tests.cost_p([1.0] * 20, [9.0] * 20, 0.25)
    assert p is not None
    assert p < 0.001
