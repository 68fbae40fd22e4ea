"""Every number of a measured difference, against the statistics called by hand."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from support.comparison_notation import comparison, prompt, quality_rows

from promptci.compare.effect import Effect
from promptci.compare.sample import Design, Sample, SamplePair
from promptci.compare.stratified import StratifiedEffect, combine
from promptci.scoring.comparison import build_samples, measure, plan_design
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates import intervals, power
from promptci.stats.estimates.intervals import Interval
from promptci.stats.estimates.seed import seed_from
from promptci.stats.significance import paired, signflip

ALPHA = 0.1


def near(value: float | None, abs: float = 1e-12) -> Any:  # noqa: A002 - as pytest calls it
    """Return what equals a number but for its last digits."""
    return pytest.approx(value, abs=abs)


def measured(result: PromptRun, *, graded: bool = False) -> Effect:
    samples = build_samples(
        result.cases, replace(plan_design(result.plan, result.cases, alpha=ALPHA, margin=0.05), graded=graded), ""
    ).complete
    assert samples is not None
    return replace(measure(samples, result.plan), on_these_cases=None)


def seed_of(differences: list[float]) -> int:
    return seed_from("\n".join(sorted(repr(abs(d)) for d in differences)))


def weighed(result: PromptRun, *weights: float) -> PromptRun:
    pairs = result.cases
    cases = tuple(replace(c, case=replace(c.case, weight=w)) for c, w in zip(pairs, weights, strict=True))
    return replace(result, cases=cases)


def test_the_same_question_on_both_sides() -> None:
    same = comparison("a 1 0\nb 0 0\nc 1 1\nd 1 1", plan={"base": prompt("new")})
    assert measured(same) == Effect(
        measure="pass rate",
        reference=0.75,
        candidate=0.75,
        interval=Interval(lo=0.0, hi=0.0),
        confidence=0.8,
        p=1.0,
        detectable_drop=0.0,
        method="both versions ask the model the same thing: one answer serves both",
        pairs=4,
        worse=0,
        better=0,
    )
    marks = measured(comparison("a 0.2 0.4\nb 0.6 0.1", plan={"base": prompt("new")}, graded=True), graded=True)
    assert (marks.measure, marks.reference, marks.candidate) == ("mean score", near(0.4), near(0.4))


def test_pass_and_fail_asked_once() -> None:
    effect = measured(comparison(quality_rows(right=30, broken=6, fixed=2, wrong=2)))
    assert effect == Effect(
        measure="pass rate",
        reference=36 / 40,
        candidate=32 / 40,
        interval=intervals.paired_difference(6, 2, 40, 0.8),
        confidence=0.8,
        p=paired.mcnemar_midp(6, 2),
        detectable_drop=power.smallest_drop(40, 0.2, alpha=ALPHA, power=0.8),
        method="one-sided mid-p McNemar, Tango's score interval",
        pairs=40,
        worse=6,
        better=2,
        variance=0.2,
    )


def test_pass_and_fail_repeated() -> None:
    rows = ["a 1,1 0,1", "b 1,1 1,1", "c 0,1 1,1", "d 1,1 0,0", "e 1,0 1,0"]
    effect = measured(comparison("\n".join(rows)))
    differences = [-0.5, 0.0, 0.5, -1.0, 0.0]
    seed = seed_of(differences)
    se = paired.paired_t(differences).se
    assert se is not None
    assert effect == Effect(
        measure="pass rate",
        reference=0.8,
        candidate=0.6,
        interval=intervals.bca_mean(differences, confidence=0.8, seed=seed),
        confidence=0.8,
        p=signflip.sign_flip_midp([Fraction(d) for d in differences]),
        detectable_drop=near(power.detectable_drop_scores(5, se * 5**0.5, alpha=ALPHA, power=0.8)),
        method="one-sided mid-p sign-flip test over cases, BCa bootstrap interval",
        seed=seed,
        pairs=5,
        repeats=2,
        worse=2,
        better=1,
        variance=5 * se**2,
    )


def test_marks_with_weights() -> None:
    rows = "a 0.5 0.25\nb 1.0 1.0\nc 0.25 0.75\nd 0.75 0.5"
    weights = [1.0, 2.0, 1.0, 3.0]
    effect = measured(weighed(comparison(rows, graded=True), *weights), graded=True)
    differences = [-0.25, 0.0, 0.5, -0.25]
    test = paired.paired_t(differences, weights)
    assert test.se is not None
    seed = seed_of(differences)
    assert effect == Effect(
        measure="mean score",
        reference=paired.weighted_mean([0.5, 1.0, 0.25, 0.75], weights),
        candidate=paired.weighted_mean([0.25, 1.0, 0.75, 0.5], weights),
        interval=intervals.bca_mean(differences, weights, confidence=0.8, seed=seed),
        confidence=0.8,
        p=near(signflip.sign_flip_sums_midp([-0.25, 0.0, 0.5, -0.75])),
        detectable_drop=near(power.detectable_drop_scores(1, test.se, alpha=ALPHA, power=0.8)),
        method="one-sided mid-p sign-flip test over cases, BCa bootstrap interval",
        seed=seed,
        pairs=4,
        worse=2,
        better=1,
        variance=4 * test.se**2,
        weighted=True,
    )


def test_weighted_cases_in_clusters_that_were_asked_on() -> None:
    rows = "a@k 1,1,1 0,1,1\nb@k 1,1,1 1,1,1\nc@l 1,1,1 1,1,1\nd@m 0,0,0 1,1,0\ne@n 1,1,1 0,0,0"
    plan = {"first_repeats": 1, "adaptive": True}
    weights, clusters = [1.0, 2.0, 1.0, 1.0, 0.5], ["k", "k", "l", "m", "n"]
    effect = measured(weighed(comparison(rows, plan=plan), *weights))
    first = [-1.0, 0.0, 0.0, 1.0, -1.0]
    test = paired.paired_t(first, weights, clusters)
    assert test.se is not None
    assert effect == Effect(
        measure="pass rate",
        reference=paired.weighted_mean([1, 1, 1, 0, 1], weights),
        candidate=paired.weighted_mean([0, 1, 1, 1, 0], weights),
        interval=intervals.clustered_difference(first, weights, clusters, 0.8),
        confidence=0.8,
        p=near(signflip.sign_flip_sums_midp([-1 / 3, 0.0, 2 / 3, -0.5])),
        detectable_drop=near(power.detectable_drop_scores(1, test.se, alpha=ALPHA, power=0.8)),
        method="one-sided mid-p sign-flip test over clusters, all answers, cluster-robust interval over the first",
        seed=None,
        pairs=5,
        worse=2,
        better=1,
        variance=5 * test.se**2,
        clustered=True,
        weighted=True,
    )


def test_cases_of_two_weights_are_weighted_and_those_of_one_are_not() -> None:
    rows = comparison("a 1.0 0.5\nb 1.0 1.0", graded=True)
    assert measured(weighed(rows, 1.0, 2.0), graded=True).weighted
    assert not measured(weighed(rows, 2.0, 2.0), graded=True).weighted


def test_two_clusters_are_tested_and_one_is_not() -> None:
    """Of two that got worse by unequal amounts, one of four signs is as bad, itself: half of that is the mid-p."""
    two = measured(comparison("a@k 1.0 0.5\nb@k 1.0 1.0\nc@l 1.0 0.75", graded=True), graded=True)
    assert (two.p, two.clustered) == (near(1 / 8), True)
    alone = measured(comparison("a@k 1.0 0.5\nb@k 1.0 0.75", graded=True), graded=True)
    assert (alone.p, alone.interval, alone.variance, alone.detectable_drop) == (None, None, None, None)


def test_repeats_without_any_difference_show_what_once_would() -> None:
    effect = measured(comparison("\n".join(f"c{i} 1,1 1,1" for i in range(60))))
    assert effect.detectable_drop == power.smallest_drop(60, 0.0, alpha=ALPHA, power=0.8)


def test_rates_and_means_of_initial_and_of_all_answers() -> None:
    passes = Sample(ids=("a",), values=((1.0, 0.0, 1.0),))
    assert [passes.pass_rates(initial) for initial in (None, 1, 2)] == [
        [Fraction(2, 3)],
        [Fraction(1)],
        [Fraction(1, 2)],
    ]
    scores = Sample(ids=("a",), values=((0.4, 0.8, None),))
    assert [scores.means(initial) for initial in (None, 1)] == [[near(0.6)], [0.4]]
    missing = Sample(ids=("a",), values=((None,),))
    with pytest.raises(ValueError, match="case a has no answer"):
        missing.means()


def test_comparisons_together() -> None:
    samples = comparison("a 1,1,1 0,1,1\nb 1 1\nc 0 1", plan={"first_repeats": 1}).samples
    other = comparison("a 1,1,1 0,1,0\nb 1 0", plan={"first_repeats": 1, "adaptive": True}).samples
    scores = comparison("a 0.5 0.4", graded=True).samples
    assert samples is not None
    assert other is not None
    assert scores is not None
    tested = [Fraction(-1), Fraction(0), Fraction(1), Fraction(-2, 3), Fraction(-1)]
    assert combine([replace(samples, name="p"), replace(other, name="q"), scores]) == StratifiedEffect(
        strata=("p", "q"),
        pairs=5,
        worse=3,
        better=1,
        delta=-0.4,
        p=near(signflip.sign_flip_midp(tested), abs=1e-12),
    )
    assert combine([samples, scores]) is None


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"ids": ("a", "b"), "values": ((1.0,),)}, "2 cases, but columns of"),
        ({"ids": ("a",), "values": ((1.0,),), "weights": (1.0, 2.0)}, "1 cases, but columns of"),
        ({"ids": ("a", "a"), "values": ((1.0,), (0.0,))}, "case a occurs twice"),
    ],
)
def test_a_sample_with_inconsistent_columns_is_refused(columns: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Sample(**columns)


def test_samples_of_different_cases_are_not_compared() -> None:
    first, other = (Sample(ids=(case,), values=((1.0,),)) for case in "ab")
    with pytest.raises(ValueError, match="the same cases"):
        SamplePair(reference=first, candidate=other, design=Design(alpha=0.05))
