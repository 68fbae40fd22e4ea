"""Every number of a measured difference, against the statistics called by hand."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from support.comparison_notation import comparison, prompt, quality_rows

from promptci.compare.compare import compare
from promptci.compare.model import Comparison, Quality
from promptci.compare.pooled import Pooled, pool
from promptci.compare.quality import measure
from promptci.runs.model import Arm
from promptci.stats import intervals, paired, power, signflip
from promptci.stats.intervals import Interval
from promptci.stats.seed import seed_from

ALPHA = 0.1


def near(value: float | None, abs: float = 1e-12) -> Any:  # noqa: A002 - as pytest calls it
    """Give what equals a number but for its last digits."""
    return pytest.approx(value, abs=abs)


def measured(found: Comparison, *, graded: bool = False) -> Quality:
    return measure(found.pairs, found.plan, graded=graded, alpha=ALPHA)


def weighed(found: Comparison, *weights: float) -> Comparison:
    pairs = found.cases
    cases = tuple(replace(c, case=replace(c.case, weight=w)) for c, w in zip(pairs, weights, strict=True))
    return replace(found, cases=cases)


def test_the_same_question_on_both_sides() -> None:
    same = comparison("a 1 0\nb 0 0\nc 1 1\nd 1 1", plan={"base": prompt("new")})
    assert measured(same) == Quality(
        measure="pass rate",
        base=0.75,
        head=0.75,
        interval=Interval(lo=0.0, hi=0.0),
        confidence=0.8,
        p=1.0,
        detectable_drop=0.0,
        method="both versions ask the model the same thing: one answer serves both",
        broken=0,
        fixed=0,
    )
    marks = measured(comparison("a 0.2 0.4\nb 0.6 0.1", plan={"base": prompt("new")}, graded=True), graded=True)
    assert (marks.measure, marks.base, marks.head) == ("mean score", near(0.4), near(0.4))


def test_pass_and_fail_asked_once() -> None:
    found = measured(comparison(quality_rows(right=30, broken=6, fixed=2, wrong=2)))
    assert found == Quality(
        measure="pass rate",
        base=36 / 40,
        head=32 / 40,
        interval=intervals.paired_difference(6, 2, 40, 0.8),
        confidence=0.8,
        p=paired.mcnemar_midp(6, 2),
        detectable_drop=power.smallest_drop(40, 0.2, alpha=ALPHA, power=0.8),
        method="one-sided mid-p McNemar, Tango's score interval",
        broken=6,
        fixed=2,
        variance=0.2,
    )


def test_pass_and_fail_repeated() -> None:
    rows = ["a 1,1 0,1", "b 1,1 1,1", "c 0,1 1,1", "d 1,1 0,0", "e 1,0 1,0"]
    found = measured(comparison("\n".join(rows)))
    differences = [-0.5, 0.0, 0.5, -1.0, 0.0]
    seed = seed_from("\n".join(f"{row[0]}:{d!r}" for row, d in zip(rows, differences, strict=True)))
    se = paired.paired_t(differences).se
    assert se is not None
    assert found == Quality(
        measure="pass rate",
        base=0.8,
        head=0.6,
        interval=intervals.bca_mean(differences, confidence=0.8, seed=seed),
        confidence=0.8,
        p=signflip.sign_flip_midp([Fraction(d) for d in differences]),
        detectable_drop=near(power.detectable_drop_scores(5, se * 5**0.5, alpha=ALPHA, power=0.8)),
        method="one-sided mid-p sign-flip test over cases, BCa bootstrap interval",
        seed=seed,
        broken=2,
        fixed=1,
        variance=5 * se**2,
    )


def test_marks_with_weights() -> None:
    rows = "a 0.5 0.25\nb 1.0 1.0\nc 0.25 0.75\nd 0.75 0.5"
    weights = [1.0, 2.0, 1.0, 3.0]
    found = measured(weighed(comparison(rows, graded=True), *weights), graded=True)
    differences = [-0.25, 0.0, 0.5, -0.25]
    test = paired.paired_t(differences, weights)
    assert test.se is not None
    seed = seed_from("\n".join(f"{name}:{d!r}" for name, d in zip("abcd", differences, strict=True)))
    assert found == Quality(
        measure="mean score",
        base=paired.weighted_mean([0.5, 1.0, 0.25, 0.75], weights),
        head=paired.weighted_mean([0.25, 1.0, 0.75, 0.5], weights),
        interval=intervals.bca_mean(differences, weights, confidence=0.8, seed=seed),
        confidence=0.8,
        p=test.p_worse,
        detectable_drop=near(power.detectable_drop_scores(1, test.se, alpha=ALPHA, power=0.8)),
        method="one-sided paired t, BCa bootstrap interval",
        seed=seed,
        broken=2,
        fixed=1,
        variance=4 * test.se**2,
    )


def test_weighted_cases_in_clusters_that_were_asked_on() -> None:
    rows = "a@k 1,1,1 0,1,1\nb@k 1,1,1 1,1,1\nc@l 1,1,1 1,1,1\nd@m 0,0,0 1,1,0\ne@n 1,1,1 0,0,0"
    plan = {"first_repeats": 1, "adaptive": True}
    weights, clusters = [1.0, 2.0, 1.0, 1.0, 0.5], ["k", "k", "l", "m", "n"]
    found = measured(weighed(comparison(rows, plan=plan), *weights))
    first, whole = [-1.0, 0.0, 0.0, 1.0, -1.0], [-1 / 3, 0.0, 0.0, 2 / 3, -1.0]
    test = paired.paired_t(first, weights, clusters)
    assert test.se is not None
    assert found == Quality(
        measure="pass rate",
        base=paired.weighted_mean([1, 1, 1, 0, 1], weights),
        head=paired.weighted_mean([0, 1, 1, 1, 0], weights),
        interval=intervals.clustered_difference(first, weights, clusters, 0.8),
        confidence=0.8,
        p=near(paired.paired_t(whole, weights, clusters).p_worse, abs=1e-12),
        detectable_drop=near(power.detectable_drop_scores(1, test.se, alpha=ALPHA, power=0.8)),
        method="one-sided paired t over all answers, cluster-robust interval over the first",
        seed=None,
        broken=2,
        fixed=1,
        variance=5 * test.se**2,
    )


def test_repeats_without_any_difference_show_what_once_would() -> None:
    found = measured(comparison("\n".join(f"c{i} 1,1 1,1" for i in range(60))))
    assert found.detectable_drop == power.smallest_drop(60, 0.0, alpha=ALPHA, power=0.8)


def test_of_first_and_of_all_answers() -> None:
    (case,) = comparison("a 1,0,1 0.4,0.8,!", graded=True).cases
    shares = [case.share(Arm.BASE, first) for first in (None, 1, 2)]
    assert shares == [Fraction(2, 3), Fraction(1), Fraction(1, 2)]
    assert [case.score(Arm.HEAD, first) for first in (None, 1)] == [near(0.6), 0.4]
    (missing,) = comparison("a ! 1").cases
    assert (missing.score(Arm.BASE), missing.rate(Arm.BASE)) == (None, None)
    with pytest.raises(ValueError, match="case a was not evaluated at base"):
        missing.share(Arm.BASE)


def test_prompts_together() -> None:
    one = comparison("a 1,1,1 0,1,1\nb 1 1\nc 0 1", plan={"first_repeats": 1})
    other = comparison("a 1,1,1 0,1,0\nb 1 0", plan={"first_repeats": 1, "adaptive": True})
    both = [compare(replace(found.plan, name=name), (), alpha=ALPHA) for found, name in ((one, "p"), (other, "q"))]
    named = [replace(found, plan=empty.plan) for found, empty in zip((one, other), both, strict=True)]
    tested = [Fraction(-1), Fraction(0), Fraction(1), Fraction(-2, 3), Fraction(-1)]
    assert pool(named) == Pooled(
        prompts=("p", "q"),
        pairs=5,
        broken=3,
        fixed=1,
        delta=-0.4,
        p=near(signflip.sign_flip_midp(tested), abs=1e-12),
    )
    assert pool(named[:1]) is None
