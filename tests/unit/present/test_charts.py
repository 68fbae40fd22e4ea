"""Scales have round values."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.present import charts


@given(st.floats(-1e6, 1e6), st.floats(0.01, 1e6), st.integers(2, 10))
def test_ticks_are_round_few_and_within(lo: float, width: float, most: int) -> None:
    hi = lo + width
    result = charts.axis_ticks(lo, hi, most)
    assert len(result) <= most + 1
    assert all(lo - 1e-6 * width <= value <= hi + 1e-6 * width for value in result)
    assert {f"{b - a:.0e}"[0] for a, b in pairwise(result)} <= {"1", "2", "5"}


@pytest.mark.parametrize(
    ("lo", "hi", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 1830, [0, 500, 1000, 1500]),
        (0.41, 1.0, [0.6, 0.8, 1.0]),
        (0.02, 0.1, [0.02, 0.04, 0.06, 0.08, 0.1]),
        (1, 1, []),
        (0, float("inf"), []),
    ],
)
def test_ticks_of_known_scales(lo: float, hi: float, expected: list[float]) -> None:
    assert charts.axis_ticks(lo, hi) == pytest.approx(expected)
