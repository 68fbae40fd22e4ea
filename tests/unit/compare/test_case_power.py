"""What golden cases show about themselves, by hand and against the definition of each number."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from promptci.compare.case_power import Asking, cases_to_exclude, is_enough, smallest_drop
from promptci.compare.sample import Design
from promptci.stats.significance import group_sequential

DESIGN = Design(alpha=0.05)
NARROW = replace(DESIGN, margin=0.001)
Z_ALPHA, Z_POWER = (float(stats.norm.ppf(share)) for share in (0.95, 0.8))


def drop(cases: int, variance: float, asking: Asking, design: Design = DESIGN) -> float:
    """The smallest drop, which there is."""
    result = smallest_drop(cases, variance, asking, design)
    assert result is not None
    return result


@given(st.integers(1, 400), st.one_of(st.builds(Asking, repeats=st.integers(1, 9)), st.just(Asking(max_calls=640))))
def test_the_fewest_cases_are_asked_so_often_together_and_one_fewer_is_not(answers: int, asking: Asking) -> None:
    cases = asking.cases_for(answers)
    assert asking.count_answers(cases) >= answers
    assert all(asking.count_answers(fewer) < answers for fewer in range(1, cases))


def test_answers_of_one_version_are_counted() -> None:
    assert Asking(repeats=3).plan(7) == (3,)
    assert Asking(repeats=3).count_answers(7) == 21
    assert Asking(max_calls=640).count_answers(10) == 320


def test_a_drop_must_also_be_estimated_at_the_margin_with_80_percent_power() -> None:
    spread = math.sqrt((0.2 + 0.05 * 0.95) / 1000)
    expected = pytest.approx(0.05 + Z_POWER * spread)
    assert drop(1000, 0.2, Asking()) == drop(250, 0.2, Asking(repeats=4)) == expected
    assert drop(250, 0.2, Asking(repeats=4), replace(DESIGN, graded=True)) == expected


def test_a_drop_of_scores_is_shown_by_their_variance() -> None:
    graded = replace(NARROW, graded=True)
    expected = pytest.approx((Z_ALPHA + Z_POWER) * math.sqrt(0.2 / 1000))
    assert drop(1000, 0.2, Asking(), graded) == drop(500, 0.2, Asking(repeats=2), graded) == expected


@pytest.mark.parametrize("asking", [Asking(repeats=32), Asking(max_calls=640)])
@pytest.mark.parametrize("graded", [False, True])
def test_where_nothing_differs_enough_answers_must_break(asking: Asking, graded: bool) -> None:
    """At the level of each look: so many broken answers and none fixed, with 80 % power."""
    level = group_sequential.nominal_level(0.05, asking.plan(20))
    enough = next(broken for broken in range(20) if 0.5 ** (broken + 1) <= level)
    answers = asking.count_answers(20)
    result = drop(20, 0.0, asking, replace(NARROW, graded=graded))
    assert float(stats.binom.sf(enough - 1, answers, result)) == pytest.approx(0.8, abs=1e-6)


def test_no_drop_is_larger_than_all() -> None:
    assert drop(4, 1.2, Asking(), replace(DESIGN, margin=0.7)) == 1.0
    assert drop(20, 0.9, Asking(), replace(DESIGN, margin=0.9, graded=True)) == 1.0


def test_too_few_cases_show_no_drop() -> None:
    graded = replace(DESIGN, graded=True)
    assert smallest_drop(0, 0.1, Asking(), DESIGN) is None
    assert smallest_drop(19, 0.1, Asking(), graded) is None
    assert smallest_drop(20, 0.1, Asking(), graded) is not None
    assert smallest_drop(3, 0.0, Asking(), DESIGN) is None
    assert smallest_drop(1, 0.0, Asking(repeats=10), DESIGN) is not None


@pytest.mark.parametrize(("variance", "margin"), [(0.0, 0.05), (0.1, 0.05), (0.3, 0.12)])
def test_answers_that_exclude_the_margin_are_those_of_the_normal_distribution(variance: float, margin: float) -> None:
    """Where z sqrt((v + m (1 - m))/n), the bound beyond the estimate, and its own noise leave the margin."""
    deviation = Z_ALPHA * math.sqrt(variance + margin * (1 - margin)) + Z_POWER * math.sqrt(variance)
    answers = math.ceil((deviation / margin) ** 2)
    design = replace(DESIGN, margin=margin)
    assert cases_to_exclude(variance, Asking(), design) == answers
    assert cases_to_exclude(variance, Asking(repeats=4), design) == math.ceil(answers / 4)
    assert cases_to_exclude(variance, Asking(), design, more_than=answers + 7) == answers + 8
    assert is_enough(answers, variance, Asking(), design)
    assert not is_enough(answers - 1, variance, Asking(), design)
    assert not is_enough(0, variance, Asking(), design)
    assert cases_to_exclude(variance, Asking(repeats=answers), design) == 1


@pytest.mark.parametrize(("variance", "more_than"), [(0.0, 0), (0.02, 5), (0.1, 0), (0.1, 30)])
def test_cases_asked_in_rounds_are_the_first_that_are_enough(variance: float, more_than: int) -> None:
    asking, design = Asking(max_calls=80), replace(DESIGN, margin=0.1)
    cases = cases_to_exclude(variance, asking, design, more_than=more_than)
    first = next((n for n in range(more_than + 1, 41) if is_enough(n, variance, asking, design)), None)
    assert cases == (first or cases_to_exclude(variance, Asking(), design))


def test_more_cases_than_the_rounds_reach_are_asked_once() -> None:
    assert cases_to_exclude(0.1, Asking(max_calls=20), DESIGN) == cases_to_exclude(0.1, Asking(), DESIGN)
    assert cases_to_exclude(0.1, Asking(max_calls=20), DESIGN, more_than=5000) == 5001
    last = cases_to_exclude(0.1, Asking(), DESIGN)
    assert cases_to_exclude(0.1, Asking(max_calls=2 * last), DESIGN, more_than=last - 1) == last


def test_a_look_that_could_exclude_the_margin_widens_the_bound() -> None:
    """Pocock's constant of two looks, the second at twice the answers, is 1.875 one-sided at 5 %."""
    asking = Asking(max_calls=520)
    assert asking.plan(130) == (1, 2)

    def bound(variance: float) -> float:
        return 1.8754 * math.sqrt((variance + 0.0475) / 260) + Z_POWER * math.sqrt(variance / 260)

    assert bound(0.056) < 0.05 < bound(0.058)
    assert is_enough(130, 0.056, asking, DESIGN)
    assert not is_enough(130, 0.058, asking, DESIGN)
    assert is_enough(130, 0.058, Asking(repeats=2), DESIGN)
