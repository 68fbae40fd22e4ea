"""What a golden set can see, against the published tables and by counting."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from promptci.stats.estimates import power
from promptci.stats.significance import paired

TABLE = {  # n -> smallest detectable drop in points at a discordance of 5, 10, 15, 20, 30 %; None: cannot
    30: (None, None, None, 18.8, 23.5),
    50: (None, None, 12.8, 15.0, 18.4),
    75: (None, 8.6, 10.7, 12.3, 15.2),
    100: (None, 7.5, 9.2, 10.7, 13.3),
    150: (4.3, 6.2, 7.6, 8.9, 11.0),
    200: (3.8, 5.4, 6.7, 7.7, 9.5),
    500: (2.4, 3.5, 4.3, 5.0, 6.1),
}


@pytest.mark.parametrize(("n", "row"), TABLE.items())
def test_the_table_of_detectable_drops(n: int, row: tuple[float | None, ...]) -> None:
    for discordance, expected in zip((0.05, 0.10, 0.15, 0.20, 0.30), row, strict=True):
        result = power.detectable_drop(n, discordance)
        if expected is None:
            assert result is None
        else:
            assert result == pytest.approx(expected / 100, abs=0.001)


def test_without_discordance_nothing_is_detectable_but_a_drop_brings_its_own() -> None:
    assert power.detectable_drop(50, 0.0) is None
    result = power.smallest_drop(50, 0.0)
    assert result is not None
    assert power.power_of(50, result, result) == pytest.approx(0.8, abs=1e-4)


@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("n", [3, 20, 300])
def test_where_all_discordant_pairs_are_broken_power_is_the_chance_of_enough_of_them(n: int, alpha: float) -> None:
    enough = next(broken for broken in range(n + 20) if paired.mcnemar_midp(broken, 0) <= alpha)
    for share in (0.01, 0.3, 1.0):
        chance = float(stats.binom.sf(enough - 1, n, share))
        assert power.power_of(n, share, share, alpha=alpha) == pytest.approx(chance, abs=1e-12)


def test_where_the_table_has_a_value_the_smallest_drop_is_that() -> None:
    assert power.smallest_drop(100, 0.2) == power.detectable_drop(100, 0.2)


@pytest.mark.parametrize("n", [0, 1, 3])
def test_too_few_cases_show_nothing(n: int) -> None:
    assert power.smallest_drop(n, 0.5) is None


def test_impossible_drops_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be"):
        power.power_of(50, 0.1, 0.2)
    with pytest.raises(ValueError, match="cannot be"):
        power.power_of(50, 0.0, 0.0)


@settings(deadline=None, max_examples=30)
@given(st.integers(20, 300), st.floats(0.05, 0.5))
def test_the_drop_found_has_the_power_promised(n: int, discordance: float) -> None:
    result = power.smallest_drop(n, discordance)
    if result is not None:
        assert power.power_of(n, max(discordance, result), result) == pytest.approx(0.8, abs=1e-3)


@pytest.mark.parametrize(
    ("margin", "discordance", "n"),
    [(0.10, 0.05, 31), (0.10, 0.10, 62), (0.10, 0.20, 124), (0.05, 0.05, 124), (0.05, 0.20, 495), (0.02, 0.10, 1546)],
)
def test_cases_needed_for_a_margin(margin: float, discordance: float, n: int) -> None:
    assert power.cases_needed(margin, discordance) == n


def test_detectable_drop_of_scores() -> None:
    assert power.detectable_drop_scores(100, 0.2) == pytest.approx(0.0497, abs=1e-4)
    assert power.detectable_drop_scores(400, 0.2) == pytest.approx(power.detectable_drop_scores(100, 0.2) / 2)
    assert math.isfinite(power.detectable_drop_scores(1, 0.1))
