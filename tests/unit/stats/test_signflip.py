"""The sign-flip test against counting every sign, against McNemar, and in its symmetries."""

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from promptci.stats.significance import paired, signflip
from promptci.stats.significance.signflip import sign_flip_midp

thirds = st.integers(-3, 3).map(lambda k: Fraction(k, 3))
uneven = st.tuples(st.integers(0, 3), st.integers(0, 2)).map(lambda t: Fraction(t[0], 3) - Fraction(t[1], 2))


def counted(differences: list[Fraction]) -> float:
    """The same by counting every assignment of signs; 1 where there is no difference."""
    if not any(differences):
        return 1.0
    seen = sum(differences)
    sums = [sum(s * d for s, d in zip(signs, differences, strict=True)) for signs in
            itertools.product((1, -1), repeat=len(differences))]  # fmt: skip
    return (sum(total < seen for total in sums) + sum(total == seen for total in sums) / 2) / len(sums)


@settings(max_examples=60)
@given(st.lists(thirds | uneven, max_size=9))
def test_it_counts_every_assignment_of_signs(differences: list[Fraction]) -> None:
    assert math.isclose(sign_flip_midp(differences), counted(differences), abs_tol=1e-9)


@given(st.integers(0, 60), st.integers(0, 60), st.integers(0, 20))
def test_asked_once_it_is_mcnemar(broken: int, fixed: int, same: int) -> None:
    differences = [Fraction(-1)] * broken + [Fraction(1)] * fixed + [Fraction(0)] * same
    assert math.isclose(sign_flip_midp(differences), paired.mcnemar_midp(broken, fixed), abs_tol=1e-9)


@given(st.lists(thirds, min_size=1, max_size=40).filter(any))
def test_swapping_the_versions_mirrors_it(differences: list[Fraction]) -> None:
    assert math.isclose(sign_flip_midp(differences) + sign_flip_midp([-d for d in differences]), 1.0, abs_tol=1e-9)


@given(st.lists(thirds, min_size=1, max_size=20), st.integers(0, 19), thirds)
def test_a_case_that_does_worse_never_makes_it_look_better(
    differences: list[Fraction], place: int, lower: Fraction
) -> None:
    """What early stopping rests on."""
    place %= len(differences)
    worse = [*differences]
    worse[place] = min(lower, differences[place])
    # With no difference at all p is 1 by convention, in place of the 1/2 of the formula: no alpha lies between.
    assert not any(worse) or sign_flip_midp(worse) <= sign_flip_midp(differences) + 1e-9


@given(st.lists(uneven, max_size=30))
def test_the_order_of_the_cases_changes_nothing(differences: list[Fraction]) -> None:
    assert sign_flip_midp(differences) == sign_flip_midp(sorted(differences))


def test_no_case_and_no_difference_show_nothing() -> None:
    assert sign_flip_midp([]) == sign_flip_midp([Fraction(0)] * 7) == 1.0


def test_many_cases_agree_with_the_normal_distribution() -> None:
    differences = [Fraction(k % 7 - 3, 3) for k in range(30_000)] + [Fraction(-1)] * 150
    spread = math.sqrt(sum(float(d) ** 2 for d in differences))
    assert sign_flip_midp(differences) == pytest.approx(stats.norm.cdf(float(sum(differences)) / spread), abs=1e-4)


def test_differences_on_too_fine_a_grid_are_rounded_alike_for_both_versions() -> None:
    fine = [Fraction(k, 97) - Fraction(k % 5, 89) for k in range(-40, 30)]
    assert math.lcm(97, 89) * len(fine) > signflip.STEPS
    spread = math.sqrt(sum(float(d) ** 2 for d in fine))
    assert sign_flip_midp(fine) == pytest.approx(stats.norm.cdf(float(sum(fine)) / spread), abs=0.01)
    assert sign_flip_midp(fine) + sign_flip_midp([-d for d in fine]) == pytest.approx(1.0, abs=1e-9)


def test_however_many_cases_repeats_up_to_six_stay_on_their_grid() -> None:
    halves = [Fraction(1, 2), Fraction(-1, 3)] * 40_000
    assert sign_flip_midp(halves) == pytest.approx(1.0)
    assert sign_flip_midp([Fraction(-1, 60)] * 3 + [Fraction(0)] * 80_000) == pytest.approx(1 / 16)
