"""The statistics cases of the list of faults, each under its own name."""

import math
from dataclasses import replace

import pytest
from support.comparison_notation import comparison, quality_rows

from promptci.config.policy import GatePolicy
from promptci.errors import Problem
from promptci.gates.decide import decide
from promptci.goldens import parse
from promptci.present.finding_text.describe import describe
from promptci.scoring.comparison import compare_versions
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates import intervals
from promptci.stats.significance import corrections, paired
from promptci.verdict import Verdict

FREE = GatePolicy(max_cost_increase=None, max_p95_increase=None)


def zone(result: PromptRun, policy: GatePolicy = FREE) -> tuple[Verdict, str]:
    (decision,) = decide([result], policy).prompts
    return decision.verdict, describe(decision.findings[0]).text


def test_stat_zero_discordant() -> None:
    run = comparison(quality_rows(right=100))
    assert run.effect is not None
    assert run.effect.p == 1.0
    assert run.effect.detectable_drop == pytest.approx(0.055, abs=0.005)
    assert zone(run)[0] is Verdict.PASS


def test_stat_3_regressions_0_fixes() -> None:
    run = comparison(quality_rows(right=57, broken=3))
    assert run.effect is not None
    assert run.effect.p == 0.0625
    assert zone(run)[0] is Verdict.INCONCLUSIVE
    assert [pair.case.id for pair in run.broken] == ["broken0", "broken1", "broken2"]
    critical = comparison(quality_rows(right=57, broken=2) + "\nvip* 1,1,1,1,1 0,0,0,0,0", plan={"first_repeats": 1})
    assert decide([critical], FREE).verdict is Verdict.FAIL


def test_stat_4_regressions_0_fixes() -> None:
    """The mid-p blocks, the exact test would not: the method is named."""
    run = comparison(quality_rows(right=56, broken=4))
    assert run.effect is not None
    assert run.effect.p == 0.03125
    assert "mid-p McNemar" in run.effect.method
    assert zone(run)[0] is Verdict.FAIL


def test_stat_5_0() -> None:
    assert paired.mcnemar_midp(5, 0) == pytest.approx(0.0156, abs=1e-4)


def among_twenty(broken: int) -> Verdict:
    others = [comparison(quality_rows(right=80, broken=10, fixed=10))] * 19
    return decide([comparison(quality_rows(right=100 - broken, broken=broken)), *others], FREE).prompts[0].verdict


def test_stat_8_0_20_prompts_holm() -> None:
    """.00098 of the mid-p times 20 is below .55 of .05; .00195 of one case fewer is not."""
    assert among_twenty(9) is Verdict.FAIL
    assert corrections.holm([0.00195, *[1.0] * 19])[0] == pytest.approx(0.039)
    assert among_twenty(8) is not Verdict.FAIL


def test_stat_scores_constant() -> None:
    run = comparison("\n".join(f"c{i} 0.5 0.5" for i in range(60)), graded=True)
    assert run.effect is not None
    assert (run.effect.delta, run.effect.p) == (0.0, 1.0)
    assert run.effect.interval is not None
    assert run.effect.interval.lo < 0 < run.effect.interval.hi


def test_stat_scores_one_outlier() -> None:
    run = comparison("\n".join(f"c{i} 0.5 {'0.0' if i == 3 else '0.5'}" for i in range(100)), graded=True)
    verdict, _ = zone(run)
    assert verdict is Verdict.PASS
    assert run.effect is not None
    assert run.effect.p == pytest.approx(0.25)


@pytest.mark.parametrize(
    "value", [math.inf, -math.inf, math.nan], ids=["stat_scores_inf", "minus_inf", "stat_scores_nan"]
)
def test_a_mark_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="values must be finite"):
        paired.paired_t([0.1, value])
    with pytest.raises(ValueError, match="values must be finite"):
        intervals.bca_mean([0.1, 0.2, value], seed=1)


def test_stat_cluster_5_paraphrases() -> None:
    rows = "\n".join(f"c{i}@k{i // 5} 1 {int(i // 5 % 4 > 0)}" for i in range(60))
    within, without = comparison(rows), comparison(rows.replace("@", "-at-"))
    assert within.effect is not None
    assert without.effect is not None
    assert within.effect.variance is not None
    assert without.effect.variance is not None
    assert within.effect.variance > 3 * without.effect.variance
    single = comparison("a@one 1 1\nb@one 1 0\nc@one 1 1")
    assert single.effect is not None
    assert (single.effect.p, single.effect.interval, single.effect.detectable_drop) == (None, None, None)
    assert "too few to detect any drop" in zone(single)[1]


def test_stat_unequal_replicates() -> None:
    """Three answers against two, for one is missing: each case counts once, by the share of its own answers."""
    run = comparison("a 1,1,0 1,!,1\nb 1,1,1 0,1,1\nc 1,1,1 1,1,1")
    assert run.effect is not None
    assert run.effect.reference == pytest.approx((2 / 3 + 1 + 1) / 3)
    assert run.effect.candidate == pytest.approx((1 + 2 / 3 + 1) / 3)
    assert (run.errors, len(run.pairs)) == (1, 3)


@pytest.mark.parametrize("weight", [-1, math.nan, math.inf, "2", True])
def test_stat_weights_zero_or_negative(weight: object) -> None:
    problems: list[Problem] = []
    parse.parse_case({"id": "a", "vars": {}, "expected": "x", "weight": weight}, "g.jsonl", 3, problems)
    assert [(p.line, p.message) for p in problems] == [(3, "`weight` must be a number from 0.01 to 100")]


@pytest.mark.parametrize("kind", ["equals", "judge"])
def test_cases_that_weigh_nothing_are_asked_and_decide_nothing(kind: str) -> None:
    run = comparison(quality_rows(right=3, broken=6), graded=kind == "judge")
    weightless = tuple(
        replace(planned, case=replace(planned.case, weight=0.0 if "broken" in planned.case.id else 1.0))
        for planned in run.plan.task.cases
    )
    some = compare_versions(replace(run, plan=run.plan.with_cases(weightless)), alpha=0.05)
    assert some.effect is not None
    assert (len(some.pairs), some.effect.delta) == (3, 0.0)
    none = tuple(replace(planned, case=replace(planned.case, weight=0.0)) for planned in run.plan.task.cases)
    report = decide([compare_versions(replace(run, plan=run.plan.with_cases(none)), alpha=0.05)], FREE)
    assert report.verdict is Verdict.INCONCLUSIVE
    assert describe(report.prompts[0].findings[0]).text == ("Cannot be decided: none of its 9 cases counts (weight 0).")


@pytest.mark.parametrize("right", [10, 20])
def test_stat_report_words(right: int) -> None:
    verdict, text = zone(comparison(quality_rows(right=right)))
    assert verdict is Verdict.INCONCLUSIVE
    assert "No regression" not in text
    assert "may miss a drop smaller than" in text
