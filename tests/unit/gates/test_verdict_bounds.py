"""When both extremes of what is still missing settle a verdict, each condition by itself."""

from dataclasses import replace

import pytest
from support.comparison_notation import comparison, quality_rows

from promptci.config.policy import GatePolicy
from promptci.findings import Finding, NoFacts
from promptci.gates import early_stopping
from promptci.gates.decide import decide
from promptci.gates.early_stopping import PromptBounds
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict

FREE = GatePolicy(max_cost_increase=None, max_p95_increase=None)


def make_finding(rule: str, verdict: Verdict) -> Finding:
    return Finding(rule=rule, verdict=verdict, subject="greeter", facts=NoFacts())


def decided(run: PromptRun, *findings: Finding) -> PromptRun:
    """The run with the verdict of the first finding."""
    return run.with_decision(findings[0].verdict, findings, None)


def bounds(best: PromptRun, worst: PromptRun, *, measured: PromptRun | None = None, missing: int = 1) -> PromptBounds:
    return PromptBounds(best=best, worst=worst, measured=measured or best, missing=missing)


RUN = comparison(quality_rows(right=10))
PASSED = decided(RUN, make_finding("not-worse", Verdict.PASS))
OPEN = decided(RUN, make_finding("cannot-tell", Verdict.INCONCLUSIVE))
FAILED = decided(RUN, make_finding("regression", Verdict.FAIL))
BROKEN = decided(RUN, make_finding("error-rate", Verdict.ERROR))


def test_one_verdict_by_one_rule_at_both_extremes_is_settled() -> None:
    for run in (PASSED, OPEN):
        worst = decided(RUN, *run.findings)
        assert bounds(run, worst).decided(FREE) is worst
    assert bounds(PASSED, OPEN).decided(FREE) is None
    assert bounds(OPEN, decided(RUN, make_finding("nothing-to-lose", Verdict.INCONCLUSIVE))).decided(FREE) is None


@pytest.mark.parametrize("limit", ["max_cost_increase", "max_p95_increase"])
def test_a_limit_that_can_still_be_crossed_keeps_a_verdict_open(limit: str) -> None:
    assert bounds(PASSED, PASSED).decided(replace(FREE, **{limit: 0.5})) is None  # type: ignore[arg-type]  # a limit


@pytest.mark.parametrize(("base", "settled"), [(0.05, True), (0.0499, False)])
def test_a_base_that_may_have_too_little_to_lose_keeps_a_pass_open(base: float, settled: bool) -> None:
    assert RUN.effect is not None
    best = replace(PASSED, effect=replace(RUN.effect, reference=base))
    assert (bounds(best, PASSED).decided(FREE) is PASSED) is settled
    other = replace(OPEN, effect=best.effect)
    assert bounds(other, OPEN).decided(FREE) is OPEN
    assert bounds(replace(PASSED, effect=None), PASSED).decided(FREE) is PASSED


def test_with_every_answer_there_what_was_measured_counts_with_its_limits() -> None:
    assert bounds(PASSED, PASSED, missing=0).decided(GatePolicy()) is PASSED
    assert bounds(PASSED, PASSED, measured=FAILED, missing=0).decided(GatePolicy()) is None


def test_a_failure_in_head_s_best_case_and_an_error_are_settled() -> None:
    assert bounds(FAILED, OPEN).decided(FREE) is FAILED
    assert bounds(BROKEN, OPEN).decided(FREE) is BROKEN


@pytest.mark.parametrize(
    ("rows", "design", "ordered"),
    [
        ("a 1 1\nb 1 0", {"margin": 0.4999}, True),
        ("a 1 1\nb 1 0", {"margin": 0.5}, False),
        ("a 1 1\nb 1 0", {"adaptive": True, "initial": 1}, False),
        ("a 1,1 1,1\nb 1,1 1,0", {}, False),
        ("a@k 1 1\nb@k 1 0", {}, False),
    ],
)
def test_more_broken_pairs_are_a_stronger_failure_only_of_plain_single_answers(
    rows: str, design: dict[str, float], ordered: bool
) -> None:
    run = comparison(rows)
    assert run.samples is not None
    run = replace(run, samples=replace(run.samples, design=replace(run.samples.design, **design)))  # type: ignore[arg-type]  # its fields
    failed, passed = decided(run, *FAILED.findings), decided(run, *PASSED.findings)
    assert (bounds(failed, failed).decided(FREE) is failed) is ordered
    assert (bounds(passed, passed).decided(FREE) is passed) is ordered


def test_without_an_order_only_what_is_not_about_the_difference_settles_a_failure() -> None:
    repeated = comparison("a 1,1 1,1\nb 1,1 0,0")
    zone, critical = make_finding("regression", Verdict.FAIL), make_finding("critical", Verdict.FAIL)
    assert bounds(decided(repeated, zone, make_finding("excluded", Verdict.NO_CHANGE)), repeated).decided(FREE) is None
    settled = bounds(decided(repeated, zone, critical), repeated).decided(FREE)
    assert settled is not None
    assert (settled.verdict, tuple(settled.findings)) == (Verdict.FAIL, (critical,))


@pytest.mark.parametrize("rows", [quality_rows(right=100), quality_rows(right=40, broken=10), quality_rows(right=20)])
def test_of_a_run_of_which_nothing_is_missing_each_finding_is_reported_once(rows: str) -> None:
    (plain,) = decide([comparison(rows)], GatePolicy()).prompts
    (early,) = early_stopping.report(decide([comparison(rows)], GatePolicy())).prompts
    assert {finding.rule for finding in plain.findings} > {"cost"}
    assert early.verdict is plain.verdict
    assert sorted(early.findings, key=lambda finding: finding.rule) == sorted(
        plain.findings, key=lambda finding: finding.rule
    )
