"""What flips by itself is found; how often is estimated without bias, however few the answers."""

import random
from fractions import Fraction
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.memory_records import case

from promptci.memory.flaky import FlakyCase, find_flaky_cases, measure_discordance
from promptci.memory.model import CaseRecord


def test_a_case_that_was_right_and_wrong_is_flaky() -> None:
    records = [case(1, 0), case(0, 1), case(3, 0), case(1, 0, "steady"), case(0, 2, "always wrong")]
    assert find_flaky_cases(records, "order") == (FlakyCase(case="c1", digest="d1", passes=4, fails=1),)
    assert find_flaky_cases(records, "order")[0].share == 0.2


def test_replicates_of_one_run_count() -> None:
    assert [flaky_case.case for flaky_case in find_flaky_cases([case(2, 1)], "order")] == ["c1"]


@pytest.mark.parametrize(
    "change", [{"fingerprint": "f2"}, {"digest": "d2"}, {"model": "fake-2"}, {"model": None}, {"prompt": "other"}]
)
def test_what_differs_in_anything_but_chance_has_not_flipped(change: dict[str, str]) -> None:
    assert find_flaky_cases([case(1, 0), case(0, 1, **change)], "order") == ()


def test_only_the_versions_that_flipped_are_counted() -> None:
    records = [case(1, 1), case(2, 2, fingerprint="f2"), case(9, 0, fingerprint="f3")]
    assert find_flaky_cases(records, "order") == (FlakyCase(case="c1", digest="d1", passes=3, fails=3),)


def test_the_most_like_a_coin_comes_first() -> None:
    records = [case(9, 1, "rare"), case(5, 5, "coin"), case(3, 1, "some")]
    assert [flaky_case.case for flaky_case in find_flaky_cases(records, "order")] == ["coin", "some", "rare"]


def test_without_two_answers_to_a_case_nothing_is_known() -> None:
    assert measure_discordance([], "order") is None
    assert measure_discordance([case(1, 0), case(0, 1, "c2"), case(1, 0, fingerprint="f2")], "order") is None
    assert measure_discordance([case(2, 0)], "other") is None


def test_the_estimate_is_the_mean_over_cases() -> None:
    discordance = measure_discordance([case(2, 2), case(3, 0, "steady")], "order")
    assert discordance is not None
    assert (discordance.cases, discordance.answers) == (2, 7)
    assert discordance.rate == pytest.approx((4 / 6 + 0) / 2)


@pytest.mark.parametrize("n", [2, 3, 5])
@pytest.mark.parametrize("p", [Fraction(1, 10), Fraction(1, 2), Fraction(9, 10)])
def test_the_estimate_is_unbiased_exactly(n: int, p: Fraction) -> None:
    """Summed over every sequence of n answers, each with its chance, it is 2p(1-p)."""
    expected = Fraction(0)
    for answers in product([True, False], repeat=n):
        chance = p ** sum(answers) * (1 - p) ** (n - sum(answers))
        discordance = measure_discordance([case(sum(answers), n - sum(answers))], "order")
        assert discordance is not None
        expected += chance * Fraction(discordance.rate).limit_denominator(10**6)
    assert expected == 2 * p * (1 - p)


@pytest.mark.parametrize("runs", [2, 3, 8])
def test_the_estimate_is_unbiased_on_simulated_coins(runs: int) -> None:
    """Of 400 cases with chances of their own; the share of cases on which two runs disagree is what it estimates."""
    chance = random.Random(7)  # noqa: S311 - the same coins every time
    chances = [chance.betavariate(4.5, 0.5) for _ in range(400)]
    truth = sum(2 * p * (1 - p) for p in chances) / len(chances)
    estimates = []
    for _ in range(60):
        records = []
        for i, p in enumerate(chances):
            right = sum(chance.random() < p for _ in range(runs))
            records.append(case(right, runs - right, str(i)))
        discordance = measure_discordance(records, "order")
        assert discordance is not None
        estimates.append(discordance.rate)
    mean = sum(estimates) / len(estimates)
    error = (sum((estimate - mean) ** 2 for estimate in estimates) / len(estimates) / (len(estimates) - 1)) ** 0.5
    assert abs(mean - truth) < 4 * error + 1e-12
    assert error < 0.01


def test_answers_asked_because_versions_disagreed_are_left_out_of_the_rate_but_show_a_flip() -> None:
    """Asked again are mostly coins: with them the rate would be that of the coins."""
    records = [case(1, 0), case(0, 2, chosen=True), case(2, 0, "steady")]
    discordance = measure_discordance(records, "order")
    assert discordance is not None
    assert (discordance.cases, discordance.rate) == (1, 0.0)
    assert [flaky_case.case for flaky_case in find_flaky_cases(records, "order")] == ["c1"]


records_ = st.lists(
    st.builds(
        case,
        st.integers(0, 5),
        st.integers(0, 5),
        st.sampled_from("abc"),
        fingerprint=st.sampled_from("xy"),
        model=st.sampled_from(["m", None]),
    ),
    max_size=12,
)


@given(records_, st.randoms())
def test_neither_order_nor_the_split_into_runs_changes_anything(
    records: list[CaseRecord], chance: random.Random
) -> None:
    split = [
        case_record
        for record in records
        for case_record in (
            *[case(1, 0, record.case, fingerprint=record.fingerprint, model=record.model)] * record.passes,
            *[case(0, 1, record.case, fingerprint=record.fingerprint, model=record.model)] * record.fails,
        )
    ]
    chance.shuffle(split)
    assert find_flaky_cases(split, "order") == find_flaky_cases(records, "order")
    result, again = measure_discordance(records, "order"), measure_discordance(split, "order")
    assert (result is None) == (again is None)
    if result is not None and again is not None:
        assert (result.cases, result.answers) == (again.cases, again.answers)
        assert result.rate == pytest.approx(again.rate)
        assert 0 <= result.rate <= 1
