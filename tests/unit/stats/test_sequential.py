"""The always-valid test: no stake can be expected to grow where the null is true, worked out exactly."""

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from promptci.stats.significance import sequential
from promptci.stats.significance.sequential import Blocks, EvidenceProcess, anytime_p, log_evidence, share_p

MEANS = (0.02, 0.3, 0.5, 0.77, 0.96)


def blocks(*rows: tuple[float, float, float, float]) -> Blocks:
    """Rows of control's count and sum, canary's count and sum."""
    table = np.array(rows, dtype=float).reshape(-1, 4)
    return Blocks(control_n=table[:, 0], control_sum=table[:, 1], canary_n=table[:, 2], canary_sum=table[:, 3])


def chance(k: int, n: int, mean: float) -> float:
    return math.comb(n, k) * mean**k * (1 - mean) ** (n - k)


def grown(past: tuple[float, float, float, float], drop: float, null: float, n: tuple[int, int]) -> NDArray[np.float64]:
    """The factor by which the stake grows in the block after `past`, for each outcome of it."""
    result = np.zeros((n[0] + 1, n[1] + 1))
    for i, j in product(range(n[0] + 1), range(n[1] + 1)):
        before, after = log_evidence(blocks(past, (n[0], i, n[1], j)), [drop], null)
        result[i, j] = math.exp(after - before)
    return result


@pytest.mark.parametrize(("drop", "null"), [(0.02, 0.0), (0.3, 0.0), (0.0, 0.05), (-0.2, 0.05), (0.1, 0.2), (0.5, 0.2)])
@pytest.mark.parametrize("n", [(1, 1), (6, 1), (2, 3)])
@pytest.mark.parametrize("good", [1, 15, 19, 20])
def test_a_stake_is_not_expected_to_grow_wherever_the_null_is_true(
    drop: float, null: float, n: tuple[int, int], good: int
) -> None:
    factor = grown((20, good, 3, 1), drop, null, n)
    for control, canary in product(MEANS, MEANS):
        if (control - canary <= null) if drop > null else (control - canary >= null):
            expected = sum(
                factor[i, j] * chance(i, n[0], control) * chance(j, n[1], canary)
                for i, j in product(range(n[0] + 1), range(n[1] + 1))
            )
            assert expected <= 1 + 1e-9, (control, canary)


def test_a_stake_grows_where_the_supposed_drop_is_true() -> None:
    factor = grown((1999, 1919.5, 1, 1), 0.14, 0.0, (1, 1))  # the control's mean is (1919.5 + 0.5) / 2000 = 0.96
    expected = sum(math.log(factor[i, j]) * chance(i, 1, 0.96) * chance(j, 1, 0.82) for i, j in product((0, 1), (0, 1)))
    # KL to the common mean 0.89 on both sides, by hand.
    by_hand = sum(q * math.log(q / m) for q, m in ((0.96, 0.89), (0.04, 0.11), (0.82, 0.89), (0.18, 0.11)))
    assert expected == pytest.approx(by_hand, abs=1e-12)


def test_one_block_by_hand() -> None:
    """Before any request the control's mean is 1/2; a drop of .25 bets on 1/4, and the common mean is 3/8."""
    (result,) = log_evidence(blocks((1, 1, 1, 0)), [0.25], 0.0)
    assert math.exp(result) == pytest.approx((1 / 2) / (3 / 8) * (3 / 4) / (5 / 8))


def test_the_nearest_pair_of_a_null_with_a_margin_is_the_nearest() -> None:
    sums = blocks((7, 0, 2, 0))
    a, b = np.array([0.9]), np.array([0.88])
    (x,) = sequential._find_nearest_null(sums, a, b, 0.05)

    def distance(near: float) -> float:
        def kl(q: float, m: float) -> float:
            return q * math.log(q / m) + (1 - q) * math.log((1 - q) / (1 - m))

        return 7 * kl(0.9, near) + 2 * kl(0.88, near - 0.05)

    assert min(np.linspace(0.06, 0.99, 2000), key=distance) == pytest.approx(x, abs=5e-4)


def bisect_nearest(control: int, canary: int, a: float, b: float, null: float) -> Fraction:
    """The root of the slope of the distance, by bisection in whole numbers."""
    x_given, y_given, drop = Fraction(a), Fraction(b), Fraction(null)
    ends = sorted((x_given, y_given + drop))
    lo, hi = max(ends[0], drop, Fraction(0)), min(ends[1], 1 + drop, Fraction(1))
    for _ in range(90):
        x = (lo + hi) / 2
        y = x - drop
        slope = control * (x - x_given) * y * (1 - y) + canary * (y - y_given) * x * (1 - x)
        lo, hi = (lo, x) if slope > 0 else (x, hi)
    return lo


@pytest.mark.parametrize(
    ("control", "canary", "a", "b", "null"),
    [
        (7, 2, 0.9, 0.88, 0.05),
        (200, 10, 0.3, 0.6, -0.1),
        (1, 10_000, 0.9999, 0.9944, 0.01),
        (10_000, 1, 0.9912, 0.9999, -0.02),
        (10_000, 1, 0.0009, 0.0001, 0.01),
        (10, 10, 0.9999, 0.9999, 0.01),
        (10, 10, 0.9865, 0.9999, -0.02),
        (10_000, 100, 0.9009, 0.9999, -0.1),
        (1, 1, 0.9999, 0.5, 0.1),
        (1, 1, 0.5, 0.9999, -0.1),
    ],
)
def test_the_nearest_pair_is_right_to_its_distance_from_the_ends(
    control: int, canary: int, a: float, b: float, null: float
) -> None:
    """Relative to how near the rates come to 0 and 1, where the logarithms of the evidence are steep."""
    (x,) = sequential._find_nearest_null(blocks((control, 0, canary, 0)), np.array([a]), np.array([b]), null)
    exact = bisect_nearest(control, canary, a, b, null)
    room = min(exact, 1 - exact, abs(exact - Fraction(null)), abs(1 - exact + Fraction(null)))
    assert abs(Fraction(float(x)) - exact) < room / 10**8


@given(
    marks=st.lists(st.tuples(st.integers(1, 5), st.floats(0, 1), st.integers(1, 3), st.floats(0, 1)), max_size=12),
    null=st.sampled_from([0.0, 0.02, 0.3]),
)
def test_evidence_is_a_number_whatever_was_marked(marks: list[tuple[int, float, int, float]], null: float) -> None:
    given_ = blocks(*[(n, n * x, m, m * y) for n, x, m, y in marks])
    for drops in ([null + 0.01, null + 0.4], [null - 0.01, null - 0.4]):
        result = log_evidence(given_, drops, null)
        assert result.shape == (len(marks),)
        assert np.isfinite(result).all()
        assert 0 <= anytime_p(result) <= 1


@given(st.data())
def test_marks_between_0_and_1_are_no_advantage(data: st.DataObject) -> None:
    """A mark of .4 does no better than one that is 1 in four cases of ten."""
    past = (30, data.draw(st.integers(0, 30)), 2, 1)
    y, z = data.draw(st.floats(0, 1)), data.draw(st.floats(0, 1))
    before, between = log_evidence(blocks(past, (1, y, 1, z)), [0.1], 0.0)
    factor = grown(past, 0.1, 0.0, (1, 1))
    mixed = sum(factor[i, j] * chance(i, 1, y) * chance(j, 1, z) for i, j in product((0, 1), (0, 1)))
    assert math.exp(between - before) <= mixed + 1e-9


Row = tuple[int, float, int, float]


def plain_evidence(rows: list[Row], drops: list[float], null: float) -> list[float]:
    """The logarithm of the evidence after each block, one request of the definition after the other."""

    def gain(n: int, good: float, mean: float, near: float) -> float:
        return good * math.log(mean / near) + (n - good) * math.log((1 - mean) / (1 - near))

    def within(rate: float) -> float:
        return min(max(rate, sequential.EDGE), 1 - sequential.EDGE)

    seen, good, stakes, result = 0, 0.0, dict.fromkeys(drops, 0.0), []
    for n, x, m, y in rows:
        a = within((good + 0.5) / (seen + 1))
        for drop in drops:
            b = within(a - drop)
            if (a - b > null) if drop > null else (a - b < null):
                near = float(bisect_nearest(n, m, a, b, null))
                stakes[drop] += gain(n, x, a, near) + gain(m, y, b, near - null)
        seen, good = seen + n, good + x
        result.append(math.log(sum(map(math.exp, stakes.values())) / len(drops)))
    return result


@pytest.mark.parametrize(
    ("drops", "null"),
    [([0.02, 0.3], 0.0), ([0.1, 0.6], 0.05), ([0.0, -0.3], 0.05), ([-0.05, 0.01], 0.02), ([0.2], 0.1)],
)
@pytest.mark.parametrize(
    "rows",
    [
        [(9, 8, 1, 0), (18, 17.5, 2, 0.5), (9, 9, 1, 1), (4, 1, 6, 6), (9, 0, 1, 0.25)],
        [(30, 30, 3, 3), (30, 30, 3, 0), (30, 29, 3, 2)],
        [(30, 0, 3, 0), (30, 1, 3, 3), (1, 0, 1, 0)],
    ],
)
def test_evidence_is_that_of_the_definition_in_one_piece_and_in_two(
    rows: list[Row], drops: list[float], null: float
) -> None:
    expected = plain_evidence(rows, drops, null)
    assert log_evidence(blocks(*rows), drops, null) == pytest.approx(expected, abs=1e-7)
    growing = EvidenceProcess(tuple(drops), null)
    pieces = [growing.extend(blocks(*piece)) for piece in (rows[:1], [], rows[1:])]
    assert np.concatenate(pieces) == pytest.approx(expected, abs=1e-7)


def test_several_rows_grow_each_by_itself_and_some_may_be_left() -> None:
    first: list[list[Row]] = [[(9, 8, 1, 0), (9, 9, 1, 1)], [(9, 2, 1, 1), (9, 9, 1, 0)]]
    later: list[list[Row]] = [[(9, 5, 1, 0)], [(9, 9, 1, 0.5)]]
    expected = [plain_evidence(row + rest, [0.1, 0.3], 0.0) for row, rest in zip(first, later, strict=True)]

    def together(*rows: list[Row]) -> Blocks:
        columns = np.moveaxis(np.array(rows, dtype=float), -1, 0)
        return Blocks(control_n=columns[0], control_sum=columns[1], canary_n=columns[2], canary_sum=columns[3])

    growing = EvidenceProcess((0.1, 0.3), 0.0)
    assert growing.extend(together(*first)) == pytest.approx(np.array(expected)[:, :2], abs=1e-9)
    growing.select(np.array([False, True]))
    assert growing.extend(together(later[1])) == pytest.approx(np.array(expected)[1:, 2:], abs=1e-9)


def test_the_p_value_counts_the_most_evidence_there_ever_was() -> None:
    assert anytime_p(np.array([0.0, math.log(40), -3.0])) == pytest.approx(1 / 40)
    assert anytime_p(np.array([-2.0])) == 1.0
    assert anytime_p(np.array([])) == 1.0


def test_several_stakes_are_their_mean() -> None:
    given_ = blocks((19, 18, 1, 0), (19, 19, 1, 0))
    first, two, both = (log_evidence(given_, drops, 0.0) for drops in ([0.1], [0.3], [0.1, 0.3]))
    assert np.exp(both) == pytest.approx((np.exp(first) + np.exp(two)) / 2)


def test_the_split_is_tested_by_chi_square() -> None:
    # 80 where 50 of 1,000 are expected: 30^2/50 + 30^2/950 = 18.947 with one degree of freedom.
    assert share_p(80, 920, 0.05) == pytest.approx(1.345e-5, rel=1e-3)
    assert share_p(50, 950, 0.05) == 1.0
    assert share_p(9, 0, 0.05) == 1.0  # too few to say
    assert share_p(0, 199, 0.05) == 1.0
    assert share_p(0, 200, 0.05) < 0.002
    for canary, control, share in ((80, 920, 0.05), (0, 199, 0.05), (0, 200, 0.05), (30, 12, 0.4)):
        assert share_p(control, canary, 1 - share) == pytest.approx(share_p(canary, control, share))
