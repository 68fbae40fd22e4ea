"""Levels over several looks, against simulation and published constants."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.stats.significance import group_sequential


def simulated(nominal: float, looks: tuple[int, ...], runs: int = 400_000) -> float:
    rng = np.random.default_rng(looks)
    total, answered, crossed = np.zeros(runs), 0, np.zeros(runs, dtype=bool)
    for answers in looks:
        total += rng.normal(0, (answers - answered) ** 0.5, runs)
        answered = answers
        crossed |= total / answers**0.5 > -group_sequential.NORMAL.inv_cdf(nominal)
    return float(crossed.mean())


@pytest.mark.parametrize(
    ("nominal", "looks"),
    [(0.05, (1, 2)), (0.02, (1, 2, 4)), (0.0138, (1, 2, 4, 8, 16)), (0.1, (1, 2, 4, 6)), (0.3, (1, 2, 4, 8, 10))],
)
def test_the_level_over_all_looks_is_that_of_a_simulation(nominal: float, looks: tuple[int, ...]) -> None:
    assert group_sequential.overall_level(nominal, looks) == pytest.approx(simulated(nominal, looks), abs=0.0025)


def test_pocock_s_constant_of_two_looks() -> None:
    """Two looks, the second at twice the answers: 1.875 one-sided at 5 %. One look: the normal quantile."""
    assert group_sequential.boundary(0.05, (5, 10)) == pytest.approx(1.875, abs=0.001)
    assert group_sequential.boundary(0.05, (3,)) == pytest.approx(1.6449, abs=0.0001)


def test_the_ends() -> None:
    assert group_sequential.overall_level(0.2, (1,)) == 0.2
    assert group_sequential.overall_level(1.0, (1, 2, 3, 4, 5)) == 1.0
    assert group_sequential.overall_level(0.6, (1, 2)) == 1.0
    assert group_sequential.overall_level(1e-12, (1, 2, 4, 8, 16)) == pytest.approx(5e-12)


@settings(deadline=None, max_examples=20)
@given(st.floats(0.002, 0.1), st.sets(st.integers(1, 64), min_size=1, max_size=7))
def test_the_nominal_level_gives_the_overall_one(overall: float, answers: set[int]) -> None:
    looks = tuple(sorted(answers))
    nominal = group_sequential.nominal_level(overall, looks)
    assert overall / len(looks) <= nominal <= overall
    assert group_sequential.overall_level(nominal, looks) == pytest.approx(overall, rel=1e-6)
