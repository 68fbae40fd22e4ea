"""Formulas written down a second time, slowly and plainly, and libraries as oracles, on random inputs to 1e-9."""

import hashlib
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from promptci.stats.estimates import agreement, intervals, power, seed
from promptci.stats.significance import paired

grades = st.sampled_from([-1.0, -0.75, -0.5, -0.25, 0.0, 0.0, 0.25, 0.5, 1.0])
weighted = st.lists(st.tuples(grades, st.sampled_from([0.0, 1.0, 1.0, 2.0, 0.5])), min_size=3, max_size=25)
varied = weighted.filter(lambda rows: len({v for v, w in rows if w > 0}) > 1)
NORMAL = NormalDist()


def plain_bca(rows: list[tuple[float, float]], confidence: float, number: int, resamples: int) -> tuple[float, float]:
    """The BCa interval, word by word; weights of 0 are left out, cases stand in order of value and weight."""
    kept = sorted((v, w) for v, w in rows if w > 0)
    n = len(kept)

    def mean(some: list[tuple[float, float]]) -> float:
        return math.fsum(v * w for v, w in some) / math.fsum(w for _, w in some)

    centre = mean(kept)
    drawn = np.random.default_rng(number).integers(0, n, size=(resamples, n))
    means = [mean([kept[i] for i in row]) for row in drawn.tolist()]
    below = sum(1.0 if m < centre - 1e-12 else 0.5 if abs(m - centre) <= 1e-12 else 0.0 for m in means) / resamples
    bias = NORMAL.inv_cdf(min(max(below, 0.5 / resamples), 1 - 0.5 / resamples))
    left_out = [mean(kept[:i] + kept[i + 1 :]) for i in range(n)]
    spread = [math.fsum(left_out) / n - jackknifed for jackknifed in left_out]
    acceleration = math.fsum(s**3 for s in spread) / (6 * math.fsum(s**2 for s in spread) ** 1.5)
    wide = stats.t.ppf(0.5 + confidence / 2, n - 1) * math.sqrt(n / (n - 1))
    ends = []
    for z in (-wide, wide):
        moved = bias + (bias + z) / (1 - acceleration * (bias + z))
        ends.append(float(np.quantile(means, NORMAL.cdf(moved))))
    return max(-1.0, ends[0]), min(1.0, ends[1])


def expected_bca(
    rows: list[tuple[float, float]], confidence: float, number: int, resamples: int
) -> tuple[float, float]:
    """The same in the orientation that is resampled, and never narrower than what was not seen."""
    kept = [(v, w) for v, w in rows if w > 0]
    mirrored = [(-v, w) for v, w in kept]
    flip = sorted(mirrored) < sorted(kept)
    lo, hi = plain_bca(mirrored if flip else kept, confidence, number, resamples)
    lo, hi = (-hi, -lo) if flip else (lo, hi)
    weights = [w for _, w in kept]
    centre = math.fsum(v * w for v, w in kept) / math.fsum(weights)
    z2 = NORMAL.inv_cdf(0.5 + confidence / 2) ** 2
    unseen = z2 / (math.fsum(weights) ** 2 / math.fsum(w * w for w in weights) + z2)
    return max(-1.0, min(lo, centre - unseen)), min(1.0, max(hi, centre + unseen))


@settings(max_examples=25, deadline=None)
@given(
    weighted.filter(lambda rows: len({v for v, w in rows if w > 0}) > 1),
    st.sampled_from([0.8, 0.9, 0.95]),
    st.integers(0, 9),
)
def test_bca_is_the_formula_written_plainly(rows: list[tuple[float, float]], confidence: float, number: int) -> None:
    values, weights = zip(*rows, strict=True)
    interval = intervals.bca_mean(values, weights, confidence=confidence, seed=number, resamples=200)
    assert interval is not None
    assert (interval.lo, interval.hi) == pytest.approx(expected_bca(rows, confidence, number, 200), abs=1e-9)


def test_bca_s_own_numbers() -> None:
    values = [0.1, -0.4, 0.2, 0.0, -0.9]
    assert intervals.bca_mean(values, seed=3) == intervals.bca_mean(values, confidence=0.95, seed=3, resamples=4000)
    assert intervals.bca_mean([0.5, 0.1], seed=1) is not None
    assert intervals.bca_mean([1, 0, 0, -1], seed=1) == intervals.bca_mean([1.0, 0.0, 0.0, -1.0], seed=1)
    steep = intervals.bca_mean([0.0] * 30 + [1.0], seed=1, resamples=50)  # few resamples lie below the mean
    assert steep is not None
    assert (steep.lo, steep.hi) == pytest.approx(expected_bca([(0.0, 1.0)] * 30 + [(1.0, 1.0)], 0.95, 1, 50), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 70), st.floats(0.02, 1.0), st.floats(0, 1), st.sampled_from([0.01, 0.05, 0.2]))
def test_power_is_the_sum_over_every_count(n: int, discordance: float, part: float, alpha: float) -> None:
    drop = part * discordance
    share = (discordance + drop) / (2 * discordance)
    total = 0.0
    for m in range(n + 1):
        needed = next((b for b in range(m + 1) if paired.mcnemar_midp(b, m - b) <= alpha), m + 1)
        total += stats.binom.pmf(m, n, discordance) * (stats.binom.sf(needed - 1, m, share) if needed <= m else 0.0)
    assert power.power_of(n, discordance, drop, alpha=alpha) == pytest.approx(total, abs=1e-9)


def test_the_ends_of_power() -> None:
    assert power.power_of(30, 1.0, 1.0) == pytest.approx(1.0)
    assert power.power_of(30, 0.4, 0.4) == power.power_of(30, 0.4, 0.4 + 1e-13)
    assert power.power_of(200, 0.3, 0.0) == pytest.approx(0.048, abs=0.004)
    for discordance, drop in ((1.5, 0.1), (0.0, 0.0), (0.3, -0.1), (0.3, 0.31)):
        with pytest.raises(ValueError, match="cannot be"):
            power.power_of(10, discordance, drop)
    strict, lax = (power.detectable_drop(100, 0.2, alpha=alpha) for alpha in (0.01, 0.2))
    assert strict is not None
    assert lax is not None
    assert power.power_of(100, 0.2, strict, alpha=0.01) == pytest.approx(0.8, abs=1e-6)
    assert power.power_of(100, 0.2, lax, alpha=0.2) == pytest.approx(0.8, abs=1e-6)
    assert power.smallest_drop(100, 0.0, alpha=0.01) != power.smallest_drop(100, 0.0)
    assert power.detectable_drop(50, 0.1, alpha=0.2) is not None


@pytest.mark.parametrize(("drop", "discordance"), [(0.05, 0.1), (0.1, 0.05), (0.2, 0.2), (0.5, 0.0), (0.02, 0.3)])
def test_cases_to_show_is_the_first_number_from_which_power_is_enough(drop: float, discordance: float) -> None:
    result = power.cases_to_show(drop, discordance)
    together = max(drop, discordance)
    assert power.power_of(result, together, drop) >= 0.8
    assert power.power_of(result - 1, together, drop) < 0.8


def test_cases_to_show_depends_on_alpha_and_power() -> None:
    usual = power.cases_to_show(0.1, 0.1)
    assert usual == power.cases_to_show(0.1, 0.1, alpha=0.05, power=0.8)
    assert power.cases_to_show(0.1, 0.1, alpha=0.01) > usual
    assert power.cases_to_show(0.1, 0.1, power=0.95) > usual
    assert power.cases_to_show(1.0, 0.0) == 4  # four unanimous ones are significant, and none fewer
    assert power.cases_to_show(1.0, 0.0, alpha=0.26) == 1


def test_defaults_are_95_percent() -> None:
    assert intervals.paired_difference(3, 1, 40) == intervals.paired_difference(3, 1, 40, 0.95)
    assert intervals.wilson(3, 40) == intervals.wilson(3, 40, 0.95) == intervals.wilson_of(3 / 40, 40)
    differences = [0.1, -0.2, 0.0, 0.3]
    assert intervals.clustered_difference(differences) == intervals.clustered_difference(differences, confidence=0.95)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 1.5, -0.1])
def test_a_confidence_that_is_none_is_refused(confidence: float) -> None:
    with pytest.raises(ValueError, match=r"^confidence lies between 0 and 1, not "):
        intervals.wilson(1, 2, confidence)


@given(st.integers(1, 60), st.data())
def test_tango_s_ends_are_where_the_score_test_turns(n: int, data: st.DataObject) -> None:
    """At each end the score statistic, with the constrained maximum likelihood estimate found by search, is z."""
    broken = data.draw(st.integers(0, n))
    fixed = data.draw(st.integers(0, n - broken))
    interval = intervals.paired_difference(broken, fixed, n, 0.9)
    z = NORMAL.inv_cdf(0.95)
    for end, sign in ((interval.lo, 1), (interval.hi, -1)):
        if abs(end) < 1 - 1e-9:
            assert score(broken, fixed, n, end) == pytest.approx(sign * z, abs=1e-5)


def score(broken: int, fixed: int, n: int, delta: float) -> float:
    """(fixed - broken - n delta) / sqrt(n (p_broken + p_fixed - delta^2)) at the likeliest p with that difference."""
    lo, hi = max(0.0, -delta), (1 - delta) / 2

    def likelihood(p_broken: float) -> float:
        terms = ((broken, p_broken), (fixed, p_broken + delta), (n - broken - fixed, 1 - 2 * p_broken - delta))
        return math.fsum(k * math.log(p) if p > 0 else -math.inf for k, p in terms if k)

    for _ in range(200):  # the logarithm of the likelihood is concave
        a, b = lo + (hi - lo) / 3, hi - (hi - lo) / 3
        lo, hi = (lo, b) if likelihood(a) > likelihood(b) else (a, hi)
    p = (lo + hi) / 2
    return (fixed - broken - n * delta) / math.sqrt(n * (2 * p + delta - delta**2))


def test_where_nothing_varies_a_weight_is_still_a_weight() -> None:
    same = [0.25] * 6
    even = intervals.clustered_difference(same, [1.0] * 6)
    uneven = intervals.clustered_difference(same, [5.0, 1, 1, 1, 1, 1])
    assert even is not None
    assert uneven is not None
    assert uneven.hi > even.hi  # fewer effective cases
    moving = intervals.clustered_difference([0.0, 1.0, 0.0, 0.0], [3.0, 1.0, 1.0, 1.0])
    assert moving is not None
    assert (moving.lo + moving.hi) / 2 == pytest.approx(1 / 6)


def test_the_numbers_beside_p_are_right_where_there_is_no_spread() -> None:
    paired_t = paired.paired_t([0.5, 0.3], None, ["k", "k"])
    assert (paired_t.mean, paired_t.se, paired_t.df, paired_t.p_worse) == (0.4, None, 0, None)
    same = paired.paired_t([-0.5] * 4)
    assert (same.mean, same.se, same.df, same.p_worse) == (-0.5, 0.0, 3, 1 / 16)


def test_lists_of_unequal_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^2 values need as many weights, not 1$"):
        paired.check_weights([1.0], 2)
    with pytest.raises(ValueError, match="shorter"):
        paired.cluster_sums([1.0, 2.0], [1.0, 1.0], ["k"])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([-1.0, 1.0], r"^weights must be finite and not negative$"),
        ([0.0, 0.0], r"^at least one weight must be more than 0$"),
    ],
)
def test_weights_that_cannot_be_used_are_refused_in_words(weights: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        paired.weighted_mean([0.1, 0.2], weights)


def test_what_has_no_mean_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match=r"^no values, no mean$"):
        paired.weighted_mean([])
    with pytest.raises(ValueError, match=r"^values must be finite$"):
        paired.weighted_mean([math.inf])


def test_a_seed_is_the_first_63_bits_of_the_digest() -> None:
    text = "café \udcff"
    digest = hashlib.sha256("café \\udcff".encode()).digest()
    assert seed.seed_from(text) == int.from_bytes(digest[:8], "big") // 2


def test_the_rows_of_a_confusion_carry_their_labels() -> None:
    label_confusion = agreement.label_confusion([("a", "b"), ("b", "b")])
    assert [row.label for row in label_confusion.rows] == ["a", "b"]


def test_a_root_outside_is_the_end_itself() -> None:
    assert intervals.paired_difference(5, 0, 5, 0.9).lo == -1.0
    assert intervals.paired_difference(0, 5, 5, 0.9).hi == 1.0
    none, every = intervals.wilson(0, 7), intervals.wilson(7, 7)
    assert none is not None
    assert every is not None
    assert (none.lo, every.hi) == (0.0, 1.0)
    assert (none.hi, every.lo) == pytest.approx((0.354, 0.646), abs=1e-3)
