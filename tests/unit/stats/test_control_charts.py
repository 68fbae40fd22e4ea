"""CUSUM, cliff and the noise behind both: against textbooks, and against what a reference is made of."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from promptci.stats.control_charts import cusum
from promptci.stats.control_charts.cliff import find_cliff
from promptci.stats.control_charts.night_noise import NightNoise, ReferenceCase, estimate_noise


def normal(sd: float, reference_sd: float = 0.0) -> NightNoise:
    return NightNoise(sd=sd, skew=0.0, reference_sd=reference_sd, largest_share=0.001)


def mixed(flipping: int, steady: int, answers: int = 20) -> list[ReferenceCase]:
    half = [ReferenceCase(passed=answers / 2, answers=answers)] * flipping
    return half + [ReferenceCase(passed=answers, answers=answers)] * steady


@pytest.mark.parametrize(("threshold", "nights"), [(4, 336), (5, 930)])
def test_the_rate_of_alarms_is_that_of_the_textbook(threshold: int, nights: int) -> None:
    """Montgomery, Statistical Quality Control, table 9.3: two-sided 168 and 465 with a slack of half a deviation."""
    noise = normal(2 * cusum.SLACK)
    assert cusum.alarm_rate(noise, threshold * noise.sd) == pytest.approx(cusum.NIGHTS_PER_YEAR / nights, rel=0.03)


def test_a_shift_of_one_deviation_is_found_as_soon_as_in_the_textbook() -> None:
    noise = normal(2 * cusum.SLACK)
    assert cusum.expected_delay(noise, 4 * noise.sd, noise.sd) == pytest.approx(8.38, rel=0.02)


def test_the_threshold_keeps_the_budget_and_is_no_higher_than_it_must_be() -> None:
    noise = estimate_noise(mixed(20, 80))
    threshold = cusum.find_threshold(noise, 1.0)
    assert 0.9 <= cusum.alarm_rate(noise, threshold) <= 1.0
    assert threshold == pytest.approx(0.066, abs=0.004)


def test_a_reference_of_few_answers_needs_a_higher_threshold() -> None:
    few, many = (cusum.find_threshold(estimate_noise(mixed(20, 80, answers)), 1.0) for answers in (4, 20))
    assert few > 1.5 * many


def test_one_failing_case_of_a_small_set_is_not_an_alarm() -> None:
    noise = estimate_noise(mixed(0, 10))
    assert cusum.step(0.0, 0.1) <= cusum.find_threshold(noise, 1.0)
    assert find_cliff(noise, 0.1) > 0.1


def test_a_limit_that_nothing_reaches_never_alarms() -> None:
    for noise in (normal(0.02), estimate_noise(mixed(2, 200))):
        assert cusum.alarm_rate(noise, 5.0) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("budget", [0.0, -1.0, 365.0])
def test_a_budget_that_no_threshold_can_keep_is_refused(budget: float) -> None:
    with pytest.raises(ValueError, match="alarms_per_year"):
        cusum.find_threshold(normal(0.02), budget)


def test_a_cliff_is_exceeded_as_often_as_stated() -> None:
    noise = normal(0.03, reference_sd=0.04)
    z = find_cliff(noise, 365 * 0.01) / 0.05
    assert z == pytest.approx(2.326, abs=0.005)


def test_noise_is_that_of_the_answers_that_differ() -> None:
    noise = estimate_noise(mixed(20, 80))
    assert noise.sd == pytest.approx(math.sqrt(20 * 0.25 * 20 / 19) / 100, rel=0.02)
    assert noise.reference_sd == pytest.approx(noise.sd / math.sqrt(20), rel=1e-6)
    assert noise.skew == pytest.approx(0.0, abs=0.01)


def test_weights_count_in_the_noise() -> None:
    heavy = ReferenceCase(passed=10, answers=20, weight=9)
    noise = estimate_noise([heavy, ReferenceCase(passed=20, answers=20)])
    assert noise.largest_share == pytest.approx(0.9)
    assert noise.sd == pytest.approx(0.9 * math.sqrt(0.25 * 20 / 19), rel=0.05)


@pytest.mark.parametrize("cases", [[], [ReferenceCase(passed=1, answers=1)]])
def test_too_little_for_an_estimate_is_refused(cases: list[ReferenceCase]) -> None:
    with pytest.raises(ValueError, match="two answers"):
        estimate_noise(cases)


def test_rare_failures_come_like_raindrops() -> None:
    """Of 100 cases that each fail once in fifty, seven or more fail in one night of 200; a normal night in 1,000."""
    rng = np.random.default_rng(3)
    cases = [ReferenceCase(passed=float(k), answers=400) for k in [392] * 100]
    noise = estimate_noise(cases)
    drops = 0.98 - rng.binomial(100, 0.98, 200_000) / 100
    for limit in (0.025, 0.045):
        assert noise.exceed(np.array([limit]))[0] == pytest.approx(np.mean(drops > limit), rel=0.4)


@pytest.mark.parametrize("skew", [-1.5, -0.3, -0.021, 0.0, 0.021, 0.3, 1.5])
def test_a_skewed_night_is_pearson_s_third_type(skew: float) -> None:
    noise = NightNoise(sd=0.03, skew=skew, reference_sd=0.0, largest_share=0.01)
    z = np.linspace(-4, 6, 41)
    assert noise.exceed(0.03 * z) == pytest.approx(stats.pearson3.sf(z, skew), abs=1e-12)


def test_noise_by_hand() -> None:
    """Two cases with 7 of 8 and 4 of 4 answers right, of which the second counts three times.

    Each variance has half a failure in twelve answers added to it, and then half a standard error of the sum.
    """
    noise = estimate_noise([ReferenceCase(passed=7, answers=8), ReferenceCase(passed=4, answers=4, weight=3)])
    floor = 0.5 / 12
    first, second = 7 / 8 * 1 / 8 * 8 / 7 + floor, floor
    variance = first / 16 + second * 9 / 16
    error = first / 256 * (1 - 14 / 8) ** 2 / 8 + second * 81 / 256 / 4
    factor = 1 + math.sqrt(error) / 2 / variance
    assert noise.sd**2 == pytest.approx(variance * factor)
    assert noise.skew == pytest.approx((first / 64 * 6 / 8 + second * 27 / 64) / variance**1.5)
    assert noise.reference_sd**2 == pytest.approx((first / 16 / 8 + second * 9 / 16 / 4) * factor)
    assert noise.largest_share == 0.75


def test_a_reference_s_error_is_normal() -> None:
    """Its integral gives the moments of the normal distribution, which thirteen points do up to the 25th."""
    errors, weights = normal(0.03, reference_sd=0.5).reference_errors()
    moments = [float((weights * (errors / 0.5) ** power).sum()) for power in (0, 1, 2, 3, 4, 6, 8)]
    assert moments == pytest.approx([1, 0, 1, 0, 3, 15, 105])


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=1, max_size=30), st.floats(-1, 1), st.floats(0, 0.5))
def test_a_larger_drop_is_never_more_likely(passes: list[int], drop: float, added: float) -> None:
    noise = estimate_noise([ReferenceCase(passed=k, answers=20) for k in passes])
    small, large = noise.exceed(np.array([drop, drop + added]))
    assert 0 <= large <= small + 1e-12  # the last digits are rounding
    assert small <= 1
