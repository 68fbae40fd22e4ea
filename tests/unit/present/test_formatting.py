"""Numbers read as people write them, and are never rounded into a claim."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.present import formatting


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0%"),
        (1.0, "100%"),
        (0.5, "50%"),
        (0.9667, "96.7%"),
        (0.99999, "99.9%"),
        (0.00001, "0.1%"),
        (1.5, "150%"),
        (None, "unknown"),
    ],
)
def test_a_share_is_a_percentage_and_only_all_is_100(share: float | None, text: str) -> None:
    assert formatting.percent(share) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [(-0.45, "−45 points"), (0.033, "+3.3 points"), (0.01, "+1 point"), (0.0, "0 points"), (-0.0001, "0 points")],
)
def test_a_difference_of_shares_is_in_points_with_its_sign(share: float, text: str) -> None:
    assert formatting.signed_points(share) == text


def test_the_size_of_a_difference_has_no_sign() -> None:
    assert (formatting.points(-0.045), formatting.points(0.01), formatting.points(None)) == (
        "4.5 points",
        "1 point",
        "unknown",
    )


@pytest.mark.parametrize(
    ("usd", "text"),
    [
        (0.000123, "$0.000123"),
        (0.0312, "$0.0312"),
        (0.5, "$0.500"),
        (0.996, "$1.00"),
        (1.0, "$1.00"),
        (1234.5, "$1,234.50"),
        (-2.5, "−$2.50"),
        (0.0, "$0"),
        (1e-30, "$0.000000000000"),
        (None, "unknown"),
    ],
)
def test_money_keeps_three_digits_below_a_dollar_and_cents_above(usd: float | None, text: str) -> None:
    assert formatting.money(usd) == text


def test_a_difference_of_money_has_its_sign() -> None:
    results = [formatting.signed_money(usd) for usd in (28.5, -75.0, 0.0, None)]
    assert results == ["+$28.50", "−$75.00", "$0", "unknown"]


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0.0, "0 ms"),
        (812.4, "812 ms"),
        (999.7, "1 s"),
        (1100.0, "1.10 s"),
        (1240.0, "1.24 s"),
        (9_996.0, "10 s"),
        (12_340.0, "12.3 s"),
        (59_990.0, "1 min 0 s"),
        (125_000.0, "2 min 5 s"),
        (None, "unknown"),
    ],
)
def test_a_latency_is_in_the_unit_that_reads_best(ms: float | None, text: str) -> None:
    assert formatting.duration(ms) == text


def test_a_small_p_is_a_bound_not_zero() -> None:
    assert [formatting.p_value(p) for p in (0.0, 0.0312, 0.31249999999999994, None)] == [
        "p < 0.001",
        "p = 0.031",
        "p = 0.313",
        "p unknown",
    ]


def test_a_relative_change_has_its_sign() -> None:
    results = [formatting.change(ratio) for ratio in (0.58, -0.25, -0.005, 0.001, 0.0001, 12.0, None)]
    assert results == ["+58%", "−25%", "−0.5%", "+0.1%", "0%", "+1,200%", "unknown"]


def test_counts_agree_with_their_noun() -> None:
    results = [formatting.count(1, "case"), formatting.count(12_345, "case"), formatting.count(2, "entry", "entries")]
    assert results == ["1 case", "12,345 cases", "2 entries"]


def test_numbers_have_separators_and_no_needless_decimals() -> None:
    assert [formatting.number(n) for n in (50_000.0, 0.05, 7, None)] == ["50,000", "0.05", "7", "unknown"]


def test_a_commit_is_short_and_the_working_tree_is_named() -> None:
    assert (formatting.short_sha("1a2b3c4d5e6f"), formatting.short_sha(None)) == ("1a2b3c4", "working tree")


@given(st.floats(min_value=0, max_value=1))
def test_a_percentage_is_within_a_twentieth_of_a_point_of_the_share_or_kept_off_0_and_100(share: float) -> None:
    shown = float(formatting.percent(share).rstrip("%"))
    assert abs(shown - 100 * share) <= 0.0501 or shown in (0.1, 99.9)
    assert (shown == 100) == (share == 1)
    assert (shown == 0) == (share == 0)


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_money_is_right_to_half_a_percent(usd: float) -> None:
    shown = float(formatting.money(usd).replace("$", "").replace(",", ""))
    assert abs(shown - usd) <= 0.0051 * usd


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (None, "unknown"),
        (0, "0"),
        (9.66, "9.7"),
        (152.4, "152"),
        (9999, "9,999"),
        (12_340, "12.3k"),
        (999_999, "1,000k"),
        (2.561e8, "256M"),
        (1.25e9, "1.2B"),
    ],
)
def test_tokens_are_short(value: float | None, message: str) -> None:
    assert formatting.tokens(value) == message


@pytest.mark.parametrize(("share", "message"), [(-0.5561, "−55.6"), (0.0, "0"), (0.12, "+12")])
def test_the_ends_of_an_interval_are_points_without_the_word(share: float, message: str) -> None:
    assert formatting.bare_points(share) == message
