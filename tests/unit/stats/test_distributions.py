"""Distributions are Arb's proven ones to `RELATIVE_ERROR`, extreme tails included, and agree with scipy."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import flint
import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special, stats

from promptci.stats import distributions

SMALLEST = 1e-290
BITS = 80
"""A ball with so many right bits is exact for a comparison of floats."""
PRECISIONS = (128, 192, 320, 1_000, 3_000)
exponents = st.floats(-8, 2.5)
arb: Any = flint.arb


def assert_close(value: float, enclose: Callable[[], Any]) -> None:
    """The value is within the promised relative error of the enclosure, computed ever closer until it is tight."""
    before = flint.ctx.prec
    try:
        for flint.ctx.prec in PRECISIONS:
            exact = enclose()
            if exact.rel_accuracy_bits() > BITS:
                break
        assert exact.rel_accuracy_bits() > BITS
        if exact > SMALLEST:
            assert abs((arb(float(value)) - exact) / exact) < distributions.RELATIVE_ERROR, (value, exact)
        else:
            assert 0 <= value <= 2 * SMALLEST
    finally:
        flint.ctx.prec = before


def student_tail(t: float, df: float) -> Any:
    """P(T > |t|), by the incomplete beta function."""
    return (arb(df) / (arb(df) + arb(t) ** 2)).beta_lower(arb(df) / 2, arb(0.5), regularized=1) / 2


@settings(deadline=None, max_examples=150)
@given(st.one_of(st.integers(1, 200), st.integers(1, 1_000_000), st.floats(0.1, 50)), exponents)
@example(1, -8.0)
@example(1_000_000, 0.26)
@example(216_437, 0.28)
@example(696, 0.2344)
def test_student_s_cdf_lies_within_arb_s_enclosure(df: float, exponent: float) -> None:
    t = 10**exponent
    assert_close(distributions.student_cdf(-t, df), lambda: student_tail(t, df))
    assert_close(distributions.student_cdf(t, df), lambda: 1 - student_tail(t, df))


@pytest.mark.parametrize("df", [1, 2, 3, 7, 30, 199, 4_999, 300_000])
def test_student_s_cdf_is_scipy_s_on_a_grid(df: int) -> None:
    grid = np.concatenate((-np.logspace(-3, 2, 60), np.logspace(-3, 2, 60)))
    values = [distributions.student_cdf(t, df) for t in grid.tolist()]
    np.testing.assert_allclose(values, special.stdtr(df, grid), rtol=2e-8, atol=1e-300)


def test_the_ends_of_student_s_cdf() -> None:
    assert distributions.student_cdf(0.0, 5) == 0.5
    assert (distributions.student_cdf(-math.inf, 5), distributions.student_cdf(math.inf, 5)) == (0.0, 1.0)
    assert distributions.student_cdf(1.0, 1) == pytest.approx(0.75, rel=1e-15)


@settings(deadline=None, max_examples=100)
@given(st.one_of(st.integers(1, 60), st.integers(1, 100_000)), st.floats(0.500001, 1 - 1e-9))
@example(1, 1 - 1e-9)
def test_a_quantile_leaves_its_tail(df: int, share: float) -> None:
    assert_close(1 - share, lambda: student_tail(distributions.student_quantile(share, df), df))
    assert distributions.student_quantile(1 - share, df) == -distributions.student_quantile(1 - (1 - share), df)


@pytest.mark.parametrize("share", [0.5, 0.6, 0.9, 0.95, 0.975, 0.995, 0.999999])
def test_quantiles_are_scipy_s(share: float) -> None:
    for df in (1, 2, 5, 19, 100, 10_000):
        assert distributions.student_quantile(share, df) == pytest.approx(float(stats.t.ppf(share, df)), rel=1e-10)


@settings(deadline=None, max_examples=60)
@given(st.floats(-2, 2.5), st.floats(-12, 20))
@example(4.0, 3.0)
@example(3.0, -2.0)
@example(-2.0, 0.0)
def test_gamma_tails_lie_within_arb_s_enclosures(exponent: float, deviations: float) -> None:
    shape = 10**exponent
    x = shape + deviations * math.sqrt(shape)
    assume(x > 0)
    lower, upper = (tail(shape, np.array([x]))[0] for tail in (distributions.gamma_cdf, distributions.gamma_sf))
    assert_close(lower, lambda: arb(x).gamma_lower(arb(shape), regularized=1))
    assert_close(upper, lambda: arb(x).gamma_upper(arb(shape), regularized=1))


@pytest.mark.parametrize("shape", [0.02, 0.5, 1.0, 4.0, 37.5, 400.0, 10_000.0])
def test_gamma_tails_are_scipy_s_on_a_grid(shape: float) -> None:
    grid = np.maximum(shape + math.sqrt(shape) * np.linspace(-10, 30, 400).reshape(20, 20), 0.0)
    np.testing.assert_allclose(distributions.gamma_cdf(shape, grid), special.gammainc(shape, grid), rtol=1e-11)
    np.testing.assert_allclose(
        distributions.gamma_sf(shape, grid), special.gammaincc(shape, grid), rtol=1e-11, atol=SMALLEST
    )


def test_the_ends_of_gamma_tails() -> None:
    ends = np.array([0.0, math.inf])
    assert distributions.gamma_cdf(3.0, ends).tolist() == [0.0, 1.0]
    assert distributions.gamma_sf(3.0, ends).tolist() == [1.0, 0.0]
    assert distributions.gamma_sf(3.0, np.array([])).tolist() == []


def fair_tail(successes: int, n: int) -> Fraction:
    """P(X > successes) + P(X = successes)/2, in whole numbers."""
    above = sum(math.comb(n, k) for k in range(successes + 1, n + 1))
    return Fraction(2 * above + math.comb(n, successes), 2 ** (n + 1))


def test_the_mid_p_of_a_fair_coin_is_the_nearest_float_for_every_small_table() -> None:
    for n in range(60):
        for successes in range((n + 1) // 2, n + 1):
            assert distributions.fair_coin_midp(successes, n - successes) == float(fair_tail(successes, n))


@settings(deadline=None, max_examples=30)
@given(st.integers(60, 2_000), st.floats(-1, 1))
def test_the_mid_p_of_a_fair_coin_keeps_its_digits_in_the_tails(n: int, place: float) -> None:
    successes = round(n * (1 + place) / 2)
    exact, value = fair_tail(successes, n), distributions.fair_coin_midp(successes, n - successes)
    if exact > SMALLEST:
        assert abs(Fraction(value) / exact - 1) < distributions.RELATIVE_ERROR
    assert value + distributions.fair_coin_midp(n - successes, successes) == pytest.approx(1.0, abs=1e-15)


def test_the_mid_p_of_a_large_table() -> None:
    value = distributions.fair_coin_midp(501_500, 498_500)

    def enclose() -> Any:
        above = arb(0.5).beta_lower(arb(501_501), arb(498_500), regularized=1)
        return above + arb.bin_uiui(1_000_000, 501_500) / arb(2) ** 1_000_001

    assert_close(value, enclose)


@settings(deadline=None, max_examples=80)
@given(st.integers(1, 100_000), st.floats(0, 1), st.sampled_from([0.001, 0.1, 0.5, 0.55, 0.999]))
def test_binomial_probabilities_lie_within_arb_s_enclosures(n: int, place: float, share: float) -> None:
    successes = round(n * place)
    assert_close(
        distributions.binomial_probability(successes, n, share),
        lambda: arb.bin_uiui(n, successes) * arb(share) ** successes * (1 - arb(share)) ** (n - successes),
    )


def probabilities(successes: list[int], n: list[int], share: float) -> "NDArray[np.float64]":
    return distributions.binomial_probabilities(np.array(successes, dtype=int), np.array(n, dtype=int), share)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.83, 1.0])
def test_arrays_of_binomial_probabilities_are_scipy_s(share: float) -> None:
    for n in (1, 2, 17, 400, 4_096):
        k = np.arange(-1, n + 2)
        np.testing.assert_allclose(
            distributions.binomial_probabilities(k, np.full(len(k), n), share), stats.binom.pmf(k, n, share), atol=1e-12
        )
    assert probabilities([], [], 0.3).tolist() == []


def test_the_normal_distribution_is_scipy_s() -> None:
    grid = np.linspace(-37, 9, 400).reshape(20, 20)
    np.testing.assert_allclose(distributions.normal_cdf(grid), special.ndtr(grid), rtol=1e-12)
    assert distributions.normal_cdf(np.array([-math.inf, 0.0, math.inf])).tolist() == [0.0, 0.5, 1.0]
