"""Agreement beyond chance is what statsmodels says it is, and is never made up where there is nothing to say."""

import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.stats.estimates import raters
from promptci.stats.estimates.intervals import wilson
from promptci.stats.estimates.raters import Confusion

counts = st.integers(0, 80)
tables = st.builds(Confusion, tp=counts, fp=counts, fn=counts, tn=counts)
mixed = tables.filter(lambda t: t.tp + t.fn and t.fp + t.tn and t.tp + t.fp and t.fn + t.tn)


@given(mixed)
def test_kappa_and_its_interval_are_those_of_statsmodels(table: Confusion) -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    oracle = cohens_kappa([[table.tp, table.fp], [table.fn, table.tn]])
    result = table.kappa_interval()
    assert table.kappa == pytest.approx(oracle.kappa, abs=1e-9)
    assert result is not None
    if table.agreement not in (0, 1):
        ends = (max(-1.0, oracle.kappa_low), min(1.0, oracle.kappa_upp))
        assert (result.lo, result.hi) == pytest.approx(ends, abs=1e-9)


@given(tables)
def test_sensitivity_and_specificity_have_wilson_s_intervals(table: Confusion) -> None:
    from statsmodels.stats.proportion import proportion_confint

    for rate, interval, hits, n in (
        (table.sensitivity, table.sensitivity_interval, table.tp, table.tp + table.fn),
        (table.specificity, table.specificity_interval, table.tn, table.fp + table.tn),
    ):
        if n == 0:
            assert (rate, interval) == (None, None)
        else:
            assert interval is not None
            lo, hi = proportion_confint(hits, n, method="wilson")
            assert (rate, interval.lo, interval.hi) == pytest.approx((hits / n, max(0, lo), min(1, hi)), abs=1e-9)


@given(tables)
def test_what_is_given_is_a_number_within_its_bounds(table: Confusion) -> None:
    shares = [table.agreement, table.sensitivity, table.specificity]
    assert all(share is None or 0 <= share <= 1 for share in shares)
    assert all(k is None or (math.isfinite(k) and -1 - 1e-9 <= k <= 1 + 1e-9) for k in (table.kappa, table.ac1))
    interval = table.kappa_interval()
    assert (interval is None) == (table.kappa is None)
    if interval is not None:
        assert table.kappa is not None
        assert interval.lo - 1e-9 <= table.kappa <= interval.hi + 1e-9


@given(tables)
def test_swapping_the_raters_changes_neither_kappa_nor_ac1(table: Confusion) -> None:
    swapped = Confusion(tp=table.tp, fp=table.fn, fn=table.fp, tn=table.tn)
    assert (swapped.kappa, swapped.ac1) == (table.kappa, table.ac1)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_every_pair_is_counted_once(pairs: list[tuple[bool, bool]]) -> None:
    table = raters.confusion(pairs)
    assert table.n == len(pairs)
    assert table.agreement == (sum(a == b for a, b in pairs) / len(pairs) if pairs else None)


@pytest.mark.parametrize(
    "table",
    [Confusion(), Confusion(tp=30), Confusion(tn=30)],
    ids=["nothing", "all pass", "all fail"],
)
def test_there_is_no_kappa_where_both_say_one_thing_only(table: Confusion) -> None:
    assert table.kappa is None
    assert table.kappa_interval() is None


def test_a_judge_that_passes_everything_has_kappa_0() -> None:
    assert Confusion(tp=40, fp=9).kappa == 0


def test_full_agreement_on_few_labels_is_no_certainty() -> None:
    few, many = Confusion(tp=5, tn=5).kappa_interval(), Confusion(tp=100, tn=100).kappa_interval()
    assert few is not None
    assert many is not None
    assert (few.hi, many.hi) == pytest.approx((1.0, 1.0))
    assert few.lo < 0.5
    assert many.lo > 0.95


def test_full_disagreement_on_few_labels_is_no_certainty_either() -> None:
    table = Confusion(fp=5, fn=5)
    interval = table.kappa_interval()
    assert table.kappa == -1
    assert interval is not None
    assert interval.lo == -1 < -0.5 < interval.hi


def test_the_interval_of_kappa_ends_at_full_agreement_and_at_full_disagreement() -> None:
    good, bad = Confusion(tp=9, tn=9, fp=1).kappa_interval(), Confusion(fp=9, fn=9, tp=1).kappa_interval()
    assert good is not None
    assert bad is not None
    assert (good.hi, bad.lo) == (1.0, -1.0)


@pytest.mark.parametrize(
    ("passing", "agreement", "kappa"), [(0.9, 0.85, 0.17), (0.5, 0.85, 0.70), (0.9, 0.90, 0.44), (0.9, 0.95, 0.72)]
)
def test_agreement_is_not_kappa(passing: float, agreement: float, kappa: float) -> None:
    """A judge with the same pass rate as people: 85 % agreement on a 90 %-pass set is hardly above chance."""
    wrong = round(1000 * (1 - agreement) / 2)
    table = Confusion(tp=round(1000 * passing) - wrong, fp=wrong, fn=wrong, tn=round(1000 * (1 - passing)) - wrong)
    assert table.agreement == pytest.approx(agreement)
    assert round(table.kappa or 0, 2) == kappa


def test_gwet_s_ac1_keeps_what_kappa_loses() -> None:
    """The table that started AC1: 118 and 0 on the diagonal, 5 and 2 beside it (Gwet 2002; Wongpakaran et al. 2013)."""
    table = Confusion(tp=118, fp=5, fn=2, tn=0)
    assert (round(table.kappa or 0, 4), round(table.ac1 or 0, 4)) == (-0.0234, 0.9408)


def test_there_is_no_ac1_of_nothing() -> None:
    assert Confusion().ac1 is None


@pytest.mark.parametrize(("se", "sp", "points"), [(0.85, 0.85, 7.0), (0.9, 0.8, 7.0), (0.95, 0.6, 5.5)])
def test_an_imperfect_judge_shrinks_a_drop_of_10_points_by_youden_s_j(se: float, sp: float, points: float) -> None:
    table = Confusion(tp=round(1000 * se), fn=round(1000 * (1 - se)), tn=round(1000 * sp), fp=round(1000 * (1 - sp)))
    assert table.sensitivity is not None
    assert table.specificity is not None
    assert 10 * (table.sensitivity + table.specificity - 1) == pytest.approx(points)


@pytest.mark.parametrize(("labels", "points"), [(100, 7.0), (200, 4.9), (400, 3.5)])
def test_so_many_labels_give_the_agreement_so_exactly(labels: int, points: float) -> None:
    interval = wilson(round(0.85 * labels), labels)
    assert interval is not None
    assert 50 * (interval.hi - interval.lo) == pytest.approx(points, abs=0.15)
    assert raters.half_width_with(interval, labels, 4 * labels) == pytest.approx((interval.hi - interval.lo) / 4)


@pytest.mark.parametrize("place", range(4))
def test_a_negative_count_is_refused(place: int) -> None:
    values = [-1 if i == place else 3 for i in range(4)]
    with pytest.raises(ValueError, match="negative"):
        Confusion(**dict(zip(("tp", "fp", "fn", "tn"), values, strict=True)))


def test_the_asymptotic_error_is_0_only_where_all_or_nothing_agrees() -> None:
    """So that the other way to an interval is taken nowhere else."""
    for tp, fp, fn, tn in product(range(4), repeat=4):
        table = Confusion(tp=tp, fp=fp, fn=fn, tn=tn)
        interval = table.kappa_interval()
        if interval is not None:
            assert interval.hi > interval.lo
