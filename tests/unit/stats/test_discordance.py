"""The discordance of a golden set, from repeated answers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.stats.estimates.discordance import discordance


@given(st.lists(st.booleans(), min_size=2, max_size=12))
def test_of_one_case_it_is_the_share_of_pairs_of_answers_that_differ(answers: list[bool]) -> None:
    pairs = [(a, b) for i, a in enumerate(answers) for b in answers[i + 1 :]]
    expected = sum(a != b for a, b in pairs) / len(pairs)
    assert discordance([[(sum(answers), len(answers))]]) == pytest.approx(expected)


def test_it_is_the_mean_over_the_cases_and_those_asked_once_say_nothing() -> None:
    assert discordance([[(1, 2)], [(2, 2)], [(0, 1)], [(1, 1)]]) == pytest.approx(0.5)
    assert discordance([[(1, 1), (0, 1)]]) is None
    assert discordance([]) is None


@pytest.mark.parametrize("p", [0.02, 0.3, 0.5])
def test_it_is_unbiased(p: float) -> None:
    passes = np.random.default_rng(1).binomial(3, p, size=200_000)
    assert discordance([(int(k), 3)] for k in passes) == pytest.approx(2 * p * (1 - p), abs=0.005)


def test_answers_under_several_circumstances_are_paired_within_each() -> None:
    """Always right before and always wrong now is no noise."""
    assert discordance([[(4, 4), (0, 4)]]) == 0
    assert discordance([[(1, 2), (3, 3)]]) == pytest.approx(1 / 4)
