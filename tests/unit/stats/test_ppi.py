"""Prediction-powered inference agrees with its authors' own program, and never does worse than it can know."""

from itertools import starmap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.stats.estimates import ppi
from promptci.stats.estimates.intervals import wilson

bits = st.booleans().map(float)
labelled = st.lists(st.tuples(bits, bits), min_size=1, max_size=40)
marks = st.lists(bits, max_size=60)

ORACLE = [
    (70, 1, 7, 22, 745, 1000, 0.7954448205778788, 0.027030824293942338),
    (17, 0, 0, 3, 30, 40, 0.8007528641571194, 0.05271580986821803),
    (11, 10, 12, 16, 17, 24, 0.4778654257467909, 0.07117978829282297),
    (21, 1, 1, 7, 258, 300, 0.86, 0.05122065555569894),
    (99, 17, 25, 59, 32, 50, 0.626700039745628, 0.03315795955201896),
]
"""tp, fp, fn, tn of the labels; judged passes of the unlabelled; estimate and standard error (half the normal 95 %
interval over 1.96) by `ppi_mean_pointestimate` and `ppi_mean_ci` of ppi-python 0.2.3, the authors' own package."""


def pairs(tp: int, fp: int, fn: int, tn: int) -> tuple[list[float], list[float]]:
    return [1.0] * tp + [0.0] * fp + [1.0] * fn + [0.0] * tn, [1.0] * (tp + fp) + [0.0] * (fn + tn)


@pytest.mark.parametrize(("tp", "fp", "fn", "tn", "passes", "n", "estimate", "se"), ORACLE)
def test_the_authors_program_gives_the_same(  # noqa: PLR0917 - a row of the table
    tp: int, fp: int, fn: int, tn: int, passes: int, n: int, estimate: float, se: float
) -> None:
    result = ppi.corrected(*pairs(tp, fp, fn, tn), [1.0] * passes + [0.0] * (n - passes))
    assert result is not None
    assert (result.estimate, result.se) == pytest.approx((estimate, se), abs=1e-12)


@given(labelled, marks)
def test_without_the_judge_it_is_the_labels_own_rate_and_interval(
    both: list[tuple[float, float]], unlabelled: list[float]
) -> None:
    people, judge = zip(*both, strict=True)
    result = ppi.corrected(people, judge, unlabelled, lambda_=0.0)
    own = wilson(int(sum(people)), len(people))
    assert result is not None
    assert own is not None
    assert (result.estimate, result.effective_n) == pytest.approx((sum(people) / len(people), len(people)))
    assert (result.interval.lo, result.interval.hi) == pytest.approx((own.lo, own.hi))


@given(labelled, marks)
def test_everything_lies_within_its_bounds(both: list[tuple[float, float]], unlabelled: list[float]) -> None:
    people, judge = zip(*both, strict=True)
    result = ppi.corrected(people, judge, unlabelled)
    assert result is not None
    assert 0 <= result.interval.lo <= result.estimate <= result.interval.hi <= 1
    assert 0 <= result.lambda_ <= 1
    assert 0 < result.effective_n <= len(people) + len(unlabelled)
    assert result.interval.hi > result.interval.lo


def test_nothing_labelled_is_nothing_known() -> None:
    assert ppi.corrected([], [], [1.0, 0.0]) is None


def test_nothing_judged_leaves_the_labels() -> None:
    result = ppi.corrected([1, 0, 1, 1], [1, 0, 1, 1], [])
    assert result is not None
    assert (result.estimate, result.lambda_, result.effective_n) == (0.75, 0.0, 4.0)


def test_a_judge_who_says_the_same_of_everything_is_not_used() -> None:
    result = ppi.corrected([1, 0, 1, 1], [1, 1, 1, 1], [1, 1, 1])
    assert result is not None
    assert (result.estimate, result.lambda_) == (0.75, 0.0)


def test_a_judge_who_says_the_opposite_is_not_used() -> None:
    result = ppi.corrected([1, 0, 1, 0], [0, 1, 0, 1], [1, 0, 1])
    assert result is not None
    assert result.lambda_ == 0.0


def test_labels_that_all_pass_are_no_certainty() -> None:
    result = ppi.corrected([1.0] * 20, [1.0] * 20, [1.0] * 100)
    assert result is not None
    assert (result.estimate, result.effective_n) == (1.0, 20.0)
    assert result.interval.lo < 0.9


def test_marks_that_explain_people_without_rest_count_for_no_more_than_there_is() -> None:
    result = ppi.corrected([1.0, 0.0, 0.5], [0.5, 0.0, 0.25], [0.25] * 5, lambda_=2.0)
    assert result is not None
    assert (result.se, result.effective_n) == (0.0, 3.0)


@pytest.mark.parametrize(
    ("people", "judge", "unlabelled", "message"),
    [([1.0], [1.0, 0.0], [], "as many marks"), ([2.0], [1.0], [], "between 0 and 1"), ([1.0], [1.0], [-1.0], "0 and")],
)
def test_what_cannot_be_marks_is_refused(
    people: list[float], judge: list[float], unlabelled: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        ppi.corrected(people, judge, unlabelled)


@pytest.mark.parametrize(
    ("first", "second", "unlike"),
    [
        ((30, 50), (31, 50), False),
        ((30, 50), (10, 50), True),
        ((5, 5), (24, 24), False),
        ((0, 20), (20, 20), True),
        ((0, 0), (20, 20), True),
        ((20, 20), (0, 0), True),
    ],
)
def test_marks_of_other_things_are_told_apart(first: tuple[int, int], second: tuple[int, int], unlike: bool) -> None:
    lists = list(starmap(lambda passes, n: [1.0] * passes + [0.0] * (n - passes), (first, second)))
    assert ppi.unlike(*lists) is unlike
