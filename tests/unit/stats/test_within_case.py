"""The exact within-case test against enumeration, scipy and McNemar, and the bound of the drop."""

import math
from itertools import combinations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from promptci.stats.significance import paired, within_case
from promptci.stats.significance.within_case import CaseAnswers, drop_bound, permutation_test

passes = st.sampled_from([0.0, 1.0])
scores = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])


def case(reference: str, candidate: str, weight: float = 1.0, initial: int | None = None) -> CaseAnswers:
    """`+` is a pass, `-` a failure."""
    sides = (tuple(float(sign == "+") for sign in side) for side in (reference, candidate))
    return CaseAnswers(reference=next(sides), candidate=next(sides), weight=weight, initial=initial)


def enumerated(cases: list[CaseAnswers]) -> float:
    """Mid-p by listing every way in which the answers could have fallen to the versions."""
    seen = math.fsum(case_answers.weight * case_answers.difference for case_answers in cases)
    listed = []
    for case_answers in cases:
        answers = (*case_answers.reference, *case_answers.candidate)
        ways = list(combinations(range(len(answers)), len(case_answers.candidate)))
        outcomes = []
        for chosen in ways:
            after = math.fsum(answers[i] for i in chosen)
            before = math.fsum(answers) - after
            outcomes.append(
                case_answers.weight * (after / len(case_answers.candidate) - before / len(case_answers.reference))
            )
        listed.append(outcomes)
    below = equal = total = 0
    for outcome in product(*listed):
        value = math.fsum(outcome)
        total += 1
        below += value < seen - 1e-9
        equal += abs(value - seen) <= 1e-9
    return (below + equal / 2) / total


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.lists(passes, min_size=1, max_size=3), st.lists(passes, min_size=1, max_size=3)),
        min_size=1,
        max_size=4,
    )
)
def test_p_is_that_of_listing_every_way(table: list[tuple[list[float], list[float]]]) -> None:
    cases = [CaseAnswers(reference=tuple(b), candidate=tuple(h)) for b, h in table]
    if all(len({*case_answers.reference, *case_answers.candidate}) == 1 for case_answers in cases):
        assert permutation_test(cases).p == 1.0
    else:
        assert permutation_test(cases).p == pytest.approx(enumerated(cases), abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.tuples(st.lists(scores, min_size=2, max_size=2), st.lists(scores, min_size=2, max_size=2)),
        min_size=1,
        max_size=4,
    )
)
def test_of_scores_too(table: list[tuple[list[float], list[float]]]) -> None:
    cases = [CaseAnswers(reference=tuple(b), candidate=tuple(h)) for b, h in table]
    if any(len({*case_answers.reference, *case_answers.candidate}) > 1 for case_answers in cases):
        assert permutation_test(cases).p == pytest.approx(enumerated(cases), abs=1e-9)


def test_of_weighted_cases_too() -> None:
    cases = [case("++", "--", 1.0), case("+-", "++", 2.0), case("++", "+-", 4.0)]
    assert permutation_test(cases).p == pytest.approx(enumerated(cases), abs=1e-9)


@given(st.integers(0, 12), st.integers(0, 12), st.integers(0, 12))
def test_of_single_answers_it_is_mcnemar_s(broken: int, fixed: int, same: int) -> None:
    cases = [case("+", "-")] * broken + [case("-", "+")] * fixed + [case("+", "+")] * same
    assert permutation_test(cases).p == pytest.approx(paired.mcnemar_midp(broken, fixed), abs=1e-12)


def test_of_one_case_it_is_fisher_s() -> None:
    test = permutation_test([case("++++++++", "++-----+")])
    below, seen = (stats.hypergeom.cdf(k, 16, 11, 8) for k in (2, 3))
    assert test.p == pytest.approx((below + seen) / 2)
    assert test.p_min == pytest.approx(stats.hypergeom.pmf(3, 16, 11, 8) / 2)


@pytest.mark.parametrize("answers", [2, 4, 8])
def test_a_case_that_always_passed_and_never_does_now(answers: int) -> None:
    test = permutation_test([case("+" * answers, "-" * answers)])
    assert (test.p, test.p_min) == pytest.approx((1 / math.comb(2 * answers, answers) / 2,) * 2)


def test_cases_asked_again_are_relabelled_block_by_block() -> None:
    """First answers + and -; then one of each version: P(S < -1) = 1/12, P(S = -1) = 5/12."""
    disputed, settled = case("++-", "-+-", initial=1), case("+", "+", initial=1)
    test = permutation_test([disputed, settled])
    assert test.p == pytest.approx(1 / 12 + 5 / 24)
    assert test.p_min == pytest.approx(1 / 24)
    assert permutation_test([settled, case("-+", "+-", initial=2)]).p == 1.0


def test_exchanging_the_versions_mirrors_p() -> None:
    cases = [case("++-+", "+--+"), case("++++", "---+"), case("+-", "++")]
    mirrored = [CaseAnswers(reference=c.candidate, candidate=c.reference) for c in cases]
    assert permutation_test(cases).p == pytest.approx(1 - permutation_test(mirrored).p)


def test_a_great_many_cases_are_rounded_and_stay_close(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case("+++", "+-+")] * 40 + [case("++-", "+++")] * 25
    exact = permutation_test(cases).p
    monkeypatch.setattr(within_case, "MAX_STEPS", 300)
    assert permutation_test(cases).p == pytest.approx(exact, abs=0.02)


def test_the_bound_by_hand() -> None:
    cases = [case("++", "+-"), case("++++", "++++", 3.0)]
    spread = 3 / 16 / 3 * 4  # of three passes and a failure: sum of squares 3/4, over 3
    variance = (1 / 16) * (spread * 1 + 0.05 * 0.95 / 2) + (9 / 16) * 0.05 * 0.95 / 4
    assert drop_bound(cases, 0.05, 1.6) == pytest.approx(0.125 + 1.6 * math.sqrt(variance))
    assert drop_bound([case("+", "-")], 0.05, 3.0) == 1.0


@given(st.integers(1, 40), st.integers(1, 16))
def test_no_number_of_equal_answers_gives_certainty(cases: int, answers: int) -> None:
    bound = drop_bound([case("+" * answers, "+" * answers)] * cases, 0.05, 1.645)
    assert bound == pytest.approx(min(1, 1.645 * math.sqrt(0.0475 / cases / answers)))
