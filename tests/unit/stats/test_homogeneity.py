"""The test of equal distributions: its size, its power, and what says nothing."""

import numpy as np
from scipy import stats

from promptci.stats.significance.homogeneity import homogeneity_p


def test_equal_counts_differ_by_nothing() -> None:
    assert homogeneity_p([({"A": 10, "B": 10}, {"A": 5, "B": 5})]) > 0.9


def test_other_words_differ() -> None:
    assert homogeneity_p([({"A": 20}, {"B": 5})]) < 0.001


def test_p_is_that_of_the_exact_test_of_two_words() -> None:
    expected = stats.fisher_exact([[15, 5], [1, 4]]).pvalue
    assert abs(homogeneity_p([({"A": 15, "B": 5}, {"A": 1, "B": 4})]) - expected) < 0.01


def test_several_small_differences_add_up() -> None:
    pair = ({"A": 14, "B": 6}, {"A": 1, "B": 4})
    assert homogeneity_p([pair] * 4) < 0.1 * homogeneity_p([pair])


def test_nothing_to_compare_shows_nothing() -> None:
    assert homogeneity_p([]) == 1.0
    assert homogeneity_p([({}, {"A": 3}), ({"A": 3}, {"A": 2})]) == 1.0


def test_a_pair_with_an_empty_side_or_of_one_word_leaves_the_others_as_they_are() -> None:
    pair = ({"A": 14, "B": 6}, {"A": 1, "B": 4})
    for nothing in (({"A": 3, "B": 2}, {}), ({}, {"A": 3, "B": 2}), ({"A": 3}, {"A": 2})):
        assert homogeneity_p([nothing, pair]) == homogeneity_p([pair])


def test_equal_distributions_seldom_differ() -> None:
    rng = np.random.default_rng(1)
    p = [
        homogeneity_p([({"A": a, "B": 80 - a}, {"A": b, "B": 20 - b})])
        for a, b in zip(rng.binomial(80, 0.5, 100), rng.binomial(20, 0.5, 100), strict=True)
    ]
    assert np.mean(np.array(p) < 0.05) < 0.12
