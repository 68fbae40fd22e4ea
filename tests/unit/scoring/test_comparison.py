"""Pairs, their outcomes, and the method each kind of data calls for."""

from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.comparison_notation import comparison, quality_rows

from promptci.compare.effect import Effect, compare_samples
from promptci.compare.sample import Design
from promptci.runs.prompt_plan import Status
from promptci.scoring.comparison import build_samples, compare_versions
from promptci.scoring.prompt_run import PromptRun


def quality(result: PromptRun) -> Effect:
    assert result.effect is not None
    return result.effect


def outcomes(result: PromptRun) -> dict[str, str]:
    return {case.case.id: case.outcome for case in result.cases}


def test_every_case_gets_its_outcome() -> None:
    run = comparison("a 1 1\nb 1 0\nc 0 1\nd 0 0\ne 1 !\nf ! 0\ng - 1")
    assert outcomes(run) == {
        "a": "same", "b": "broken", "c": "fixed", "d": "same", "e": "incomplete", "f": "incomplete", "g": "incomplete"
    }  # fmt: skip
    assert [c.case.id for c in run.pairs] == ["a", "b", "c", "d"]
    assert (run.answers_requested, run.errors) == (13, 2)


def test_a_case_whose_text_changed_is_never_compared() -> None:
    run = comparison("a 1 1\nb~ 1 0")
    assert [c.case.id for c in run.compared] == ["a"]
    assert run.broken == ()
    assert run.head is not None
    assert run.head.quality == 0.5


def test_pass_fail_asked_once_is_mcnemar() -> None:
    effect = quality(comparison(quality_rows(right=40, broken=8, fixed=2)))
    assert "McNemar" in effect.method
    assert (effect.reference, effect.candidate) == (48 / 50, 42 / 50)
    assert effect.delta == pytest.approx(-0.12)
    assert effect.confidence == 0.9


def test_repeats_call_for_the_sign_flip_test() -> None:
    effect = quality(comparison("a 1,1,0 1,0,0\nb 1,1,1 1,1,1\nc 1 0"))
    assert effect.method == "one-sided mid-p sign-flip test over cases, BCa bootstrap interval"
    assert effect.p == pytest.approx(1 / 8)  # both differences are losses: half of 1 in 4
    assert (effect.worse, effect.better) == (2, 0)


@pytest.mark.parametrize(
    ("rows", "word"), [("a@x 1 0\nb@x 1 1\nc@y 1 1\nd 1 1", "cluster-robust"), ("a 0.5 0.2\nb 0.9 0.9", "BCa")]
)
def test_clusters_and_marks_call_for_the_sign_flip_test(rows: str, word: str) -> None:
    effect = quality(comparison(rows, graded="." in rows))
    assert "sign-flip" in effect.method
    assert word in effect.method


def test_weights_call_for_the_sign_flip_test() -> None:
    run = comparison("a 1 0\nb 1 1\nc 1 1")
    heavy = replace(run, cases=tuple(replace(c, case=replace(c.case, weight=i + 1.0)) for i, c in enumerate(run.cases)))
    samples = build_samples(heavy.cases, Design(alpha=0.05), "greeter").complete
    assert samples is not None
    measured = compare_samples(samples)
    assert "sign-flip" in measured.method
    assert measured.delta == pytest.approx(-1 / 6)


ADAPTIVE = {"first_repeats": 1, "adaptive": True}


def test_where_cases_were_asked_on_the_first_answers_estimate_and_all_of_them_test() -> None:
    rows = quality_rows(right=20) + "\n" + "\n".join(f"flip{i} 1,1,0 0,1,0" for i in range(6))
    effect = quality(comparison(rows, plan=ADAPTIVE))
    first = quality(comparison(quality_rows(right=20, broken=6)))
    assert (effect.delta, effect.interval, effect.detectable_drop) == (
        first.delta,
        first.interval,
        first.detectable_drop,
    )
    assert (effect.reference, effect.candidate, effect.worse) == (first.reference, first.candidate, 6)
    assert effect.p == pytest.approx(0.5**6 / 2)
    assert effect.method == "one-sided mid-p sign-flip test over all answers, Tango's score interval over the first"


def test_answers_that_only_confirm_a_critical_case_are_not_in_the_statistics() -> None:
    rows = quality_rows(right=20) + "\nvip* 1,1,1 0,1,1"
    run = comparison(rows, plan={"first_repeats": 1})
    assert quality(run) == quality(comparison(quality_rows(right=20) + "\nvip* 1 0"))


def test_weighted_cases_that_were_asked_on_are_tested_over_all_answers() -> None:
    rows = "\n".join(
        f"c{i}@k{i % 4} 1,1,1 {head}" for i, head in enumerate(["0,1,1", "1,1,1", "1,1,1", "0,0,1", "1,1,1"])
    )
    on = quality(comparison(rows, plan=ADAPTIVE))
    first = quality(comparison(rows, plan={"first_repeats": 1}))
    everything = quality(comparison(rows))
    assert (on.delta, on.interval) == (first.delta, first.interval)
    assert on.p == everything.p != first.p
    assert (
        on.method == "one-sided mid-p sign-flip test over clusters, all answers, cluster-robust interval over the first"
    )


def test_nothing_that_differs_still_shows_the_drop_that_would_be_seen() -> None:
    effect = quality(comparison("\n".join(f"c{i} 1,1 1,1" for i in range(60))))
    assert effect.detectable_drop == quality(comparison(quality_rows(right=60))).detectable_drop
    assert effect.variance == 0


def test_replicates_count_as_one_case_however_many() -> None:
    run = comparison("a 1,1,0,0 0,0\nb 1 1")
    assert quality(run).reference == pytest.approx(0.75)
    assert quality(run).candidate == pytest.approx(0.5)
    assert outcomes(run) == {"a": "broken", "b": "same"}


def test_graded_marks_are_compared_by_their_mean() -> None:
    run = comparison("a 0.8 0.4\nb 0.6 0.6\nc 1.0 0.9", graded=True)
    assert quality(run).measure == "mean score"
    assert quality(run).delta == pytest.approx((-0.4 + 0 - 0.1) / 3)
    assert quality(run).seed is not None
    assert run.head is not None
    assert run.head.quality_interval is None


def test_no_complete_pair_no_quality() -> None:
    assert comparison("a 1 !\nb ! 1").effect is None
    assert comparison("a - 1", status=Status.ADDED).effect is None


def test_a_side_that_was_not_asked_has_no_summary() -> None:
    run = comparison("a - 1\nb - 0")
    assert run.base is None
    assert run.head is not None
    assert (run.head.answers_requested, run.head.evaluated, run.head.quality) == (2, 2, 0.5)


def test_errors_are_counted_per_side_and_the_cost_of_a_failed_call_is_not_missed() -> None:
    run = comparison("a 1 !\nb 1 1", cost=(Decimal("0.01"), Decimal("0.02")))
    assert run.head is not None
    assert (run.head.errors, run.head.cost_per_request) == (1, Decimal("0.02"))


def test_a_side_with_only_errors_has_no_quality() -> None:
    run = comparison("a 1 !")
    assert run.head is not None
    assert run.head.quality is None
    assert run.head.quality_interval is None


sides = st.sampled_from(["1", "0", "!"])


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=30))
def test_swapping_the_versions_swaps_broken_and_fixed_and_flips_the_sign(table: list[tuple[str, str]]) -> None:
    run = comparison("\n".join(f"c{i} {b} {h}" for i, (b, h) in enumerate(table)))
    other = comparison("\n".join(f"c{i} {h} {b}" for i, (b, h) in enumerate(table)))
    assert len(run.broken) == len(other.fixed)
    assert (run.effect is None) == (other.effect is None)
    if run.effect and other.effect and run.effect.interval and other.effect.interval:
        assert run.effect.delta == -other.effect.delta
        assert run.effect.interval.lo == pytest.approx(-other.effect.interval.hi, abs=1e-9)


@given(st.lists(st.tuples(sides, sides), min_size=1, max_size=30))
def test_the_order_of_the_cases_changes_no_number(table: list[tuple[str, str]]) -> None:
    lines = [f"c{i} {b} {h}" for i, (b, h) in enumerate(table)]
    first, other = comparison("\n".join(lines)), comparison("\n".join(reversed(lines)))
    assert first.effect == other.effect
    assert first.head == other.head


repeated = st.lists(sides, min_size=2, max_size=2).map(",".join)


@given(st.lists(st.tuples(repeated, repeated), min_size=1, max_size=12), st.randoms())
def test_the_names_of_the_cases_change_no_number(table: list[tuple[str, str]], random: Random) -> None:
    names = [f"n{i}" for i in range(len(table))]
    random.shuffle(names)
    run = comparison("\n".join(f"c{i} {b} {h}" for i, (b, h) in enumerate(table)))
    other = comparison("\n".join(f"{name} {b} {h}" for name, (b, h) in zip(names, table, strict=True)))
    assert run.effect == other.effect
    assert run.head == other.head


def test_the_result_does_not_depend_on_the_order_of_the_answers() -> None:
    run = comparison("a 1,0 0,0\nb 1 1")
    turned = compare_versions(replace(run, scored=run.scored[::-1]), alpha=0.05)
    assert turned.scored != run.scored
    assert (turned.cases, turned.samples, turned.effect) == (run.cases, run.samples, run.effect)


def test_a_case_that_stands_aside_counts_for_cost_and_nothing_else() -> None:
    run = comparison("a 1 1\nb? 1 0\nc*? 1 0", cost=(Decimal(1), Decimal(2)))
    assert [c.case.id for c in run.pairs] == ["a"]
    assert [c.case.id for c in run.excluded] == ["b", "c"]
    assert not any(c.counts_as_critical for c in run.cases)
    assert run.head is not None
    assert (run.head.quality, run.head.answers_requested, run.head.cost_per_request) == (1.0, 3, Decimal(2))
