"""What the answers of a run show: levels shared by all tests, confirmed breaks, missing answers at their worst."""

from dataclasses import replace
from decimal import Decimal

import pytest
from support.comparison_notation import comparison, quality_rows

from promptci.config.policy import About, GatePolicy
from promptci.gates import evidence
from promptci.gates.decide import decide
from promptci.gates.evidence import PromptEvidence
from promptci.gates.facts import MissingAnswers
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates.intervals import Interval
from promptci.stats.significance import ratio_tests
from promptci.verdict import Verdict

POLICY = GatePolicy()
INPUTS = GatePolicy(about=About.INPUTS)
FIVE = "1,1,1,1,1 0,0,0,0,0"


def shown(*comparisons: PromptRun, policy: GatePolicy = POLICY) -> PromptEvidence:
    return evidence.assess(comparisons, policy)[0]


@pytest.mark.parametrize(
    ("row", "broke", "unconfirmed"),
    [
        (f"v* {FIVE}", True, False),
        ("v* 1,1,1,1,1 0,0,1,0,0", True, False),
        ("v* 1,1,1,1,1 0,0,1,1,0", False, False),
        ("v* 1,1,1,0,1 0,0,0,0,0", False, False),
        ("v* 1,1,1 0,0,0", False, True),
        ("v* 1,1,1 0,1,0", False, True),
        ("v* 1,1,1 0,1,1", False, False),
        ("v* 1,!,1 0,0,0", False, True),
        ("v* 1,0,1 0,0,0", False, False),
        ("v* 1 0", False, True),
        ("v* 1,1,1,1,1 0,!,!,!,!", False, True),
        ("v* 1 1", False, False),
        (f"v {FIVE}", False, False),
        (f"v*? {FIVE}", False, False),
    ],
)
def test_a_critical_break_is_confirmed_by_five_answers_of_each_version(
    row: str, broke: bool, unconfirmed: bool
) -> None:
    prompt_evidence = shown(comparison(f"{row}\nb 1 1"))
    assert (bool(prompt_evidence.broken_critical), bool(prompt_evidence.unconfirmed_critical)) == (broke, unconfirmed)


def test_critical_cases_that_only_head_left_unanswered() -> None:
    run = comparison("a* 1 !\nb* ! 1\nc* ! !\nd 1 !\n" + quality_rows(right=300))
    assert shown(run).unanswered_critical == ("a",)
    (decision,) = decide([run], POLICY).prompts
    assert decision.verdict is Verdict.INCONCLUSIVE
    assert "critical-unanswered" in {finding.rule for finding in decision.findings}


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ("a* 1,1,1,1,1 !,!,!,!,!", Verdict.FAIL),
        ("a* 1,1,1,1 !,!,!,!", Verdict.INCONCLUSIVE),
        ("a* 1,1,1,1,0 !,!,!,!,!", Verdict.INCONCLUSIVE),
        ("a* 1,1,1,1,! !,!,!,!,!", Verdict.INCONCLUSIVE),
        ("a 1,1,1,1,1 !,!,!,!,!", Verdict.PASS),
    ],
)
def test_a_critical_case_that_head_never_answers_fails_once_it_is_confirmed(row: str, verdict: Verdict) -> None:
    run = comparison(f"{row}\n{quality_rows(right=600)}")
    (decision,) = decide([run], POLICY).prompts
    assert decision.verdict is verdict
    assert ("critical-never-answered" in {f.rule for f in decision.findings}) is (verdict is Verdict.FAIL)


@pytest.mark.parametrize("policy", [POLICY, INPUTS])
def test_answers_that_head_alone_lacks_are_wrong_before_a_pass(policy: GatePolicy) -> None:
    rows = quality_rows(right=385)
    assert shown(comparison(rows), policy=policy).is_within_margin
    lost = "\n".join(f"lost{i} 1 !" for i in range(15))
    run = comparison(f"{rows}\n{lost}")
    assert not shown(run, policy=policy).is_within_margin
    assert shown(run, policy=policy).answered_p < 0.001
    (decision,) = decide([run], policy).prompts
    assert {"cannot-tell", "unanswered"} <= {finding.rule for finding in decision.findings}
    assert decision.verdict is Verdict.INCONCLUSIVE


def test_errors_are_counted_per_version() -> None:
    """Eight of a hundred of head's answers are missing: 4 % of both versions', and 8 % of head's."""
    rows = quality_rows(right=92) + "\n" + "\n".join(f"lost{i} 1 !" for i in range(8))
    (decision,) = decide([comparison(rows)], POLICY).prompts
    assert decision.verdict is Verdict.ERROR
    facts = decision.findings[0].facts
    assert isinstance(facts, MissingAnswers)
    assert (facts.missing, facts.requested) == (8, 100)


def test_three_broken_cases_of_three_fail_when_repeated() -> None:
    rows = "\n".join(f"c{i} 1,1 0,0" for i in range(3))
    plan = {"first_repeats": 2, "rounds": (1, 2, 4, 8, 16)}
    assert shown(comparison(rows, plan=plan)).is_regression
    assert not shown(comparison(rows, plan=plan), policy=INPUTS).is_regression


def test_about_inputs_a_broken_case_is_one_case_however_often_it_is_asked() -> None:
    rows = quality_rows(right=9) + "\n" + "broken 1,1,1,1,1,1,1,1 0,0,0,0,0,0,0,0"
    assert shown(comparison(rows)).is_regression
    assert not shown(comparison(rows), policy=INPUTS).is_regression


def test_scores_of_inputs_fail_only_with_an_interval_below_zero() -> None:
    """Skewed: nine of thirty a quarter worse, one much better. The signs say worse, the mean does not."""
    skewed = "\n".join([f"w{i} 1.0 0.75" for i in range(9)] + ["b 0 1.0"] + [f"s{i} 1.0 1.0" for i in range(20)])
    plain = "\n".join([f"w{i} 1.0 0.5" for i in range(20)] + [f"s{i} 1.0 1.0" for i in range(20)])
    assert not shown(comparison(skewed, graded=True), policy=INPUTS).is_regression
    assert shown(comparison(plain, graded=True), policy=INPUTS).is_regression
    twenty = [f"w{i} 1.0 0.{4 + i % 3}" for i in range(20)]
    assert shown(comparison("\n".join(twenty), graded=True), policy=INPUTS).is_regression
    assert not shown(comparison("\n".join(twenty[1:]), graded=True), policy=INPUTS).is_regression


@pytest.mark.parametrize(("highest", "regression"), [(0.0, False), (-1e-6, True)])
def test_scores_of_inputs_are_worse_where_the_whole_interval_lies_below_zero(highest: float, regression: bool) -> None:
    run = comparison("\n".join(f"w{i} 1.0 0.5" for i in range(20)), graded=True)
    assert run.effect is not None
    measured = replace(run.effect, interval=Interval(lo=-0.9, hi=highest))
    assert shown(replace(run, effect=measured), policy=INPUTS).is_regression is regression


@pytest.mark.parametrize("unequal", ["weighted", "clustered"])
def test_passes_that_count_unequally_are_worse_where_the_whole_interval_lies_below_zero(unequal: str) -> None:
    run = comparison(quality_rows(right=30, broken=20))
    assert run.effect is not None
    plain = replace(run.effect, interval=Interval(lo=-0.9, hi=0.0))
    other = replace(plain, weighted=unequal == "weighted", clustered=unequal == "clustered")
    assert shown(replace(run, effect=plain), policy=INPUTS).is_regression
    assert not shown(replace(run, effect=other), policy=INPUTS).is_regression


@pytest.mark.parametrize(("lowest", "within"), [(-0.05, False), (-0.0499, True)])
def test_an_interval_that_ends_at_the_margin_does_not_exclude_it(lowest: float, within: bool) -> None:
    run = comparison(quality_rows(right=20))
    assert run.effect is not None
    measured = replace(run.effect, interval=Interval(lo=lowest, hi=0.05))
    assert shown(replace(run, effect=measured), policy=INPUTS).is_within_margin is within
    assert not shown(replace(run, effect=replace(measured, interval=None)), policy=INPUTS).is_within_margin


def test_equal_requests_are_one_observation() -> None:
    run = comparison(quality_rows(right=50, broken=2))
    assert run.samples is not None
    twice = [case for case in run.cases for _ in range(3)]
    from promptci.scoring.comparison import build_samples

    samples = build_samples(twice, run.samples.design, "p").complete
    assert samples is not None
    assert (samples.reference.ids, set(samples.weights)) == (run.samples.reference.ids, {3.0})


def test_each_test_has_its_share_of_the_error_rate() -> None:
    """What is compared with `gate.alpha` is p over that share: 65, 10 and 10 %."""
    run = comparison(quality_rows(right=16, broken=4), latency=(100.0, 131.0), cost=(Decimal(100), Decimal(126)))
    evidence_of_run = shown(run)
    costs, latencies = [100.0] * 20, [131.0] * 20
    assert evidence_of_run.quality_p == pytest.approx(0.5**5 / 0.65)
    dearer = ratio_tests.cost_p(costs, [126.0] * 20, 0.25)
    assert dearer is not None
    assert evidence_of_run.cost_p == pytest.approx(10 * dearer)
    assert evidence_of_run.latency_p == pytest.approx(ratio_tests.tail_latency_p(costs, latencies, 0.25) * 10)


def test_no_p_value_is_more_than_one_for_all_its_correction() -> None:
    same = comparison(quality_rows(right=20), latency=(100.0, 100.0), cost=(Decimal(1), Decimal(1)))
    assert (shown(same).quality_p, shown(same).cost_p, shown(same).latency_p) == (1.0, 1.0, 1.0)


def test_prompts_share_the_error_rate_and_tiny_ones_cost_nothing() -> None:
    broke = comparison(quality_rows(right=54, broken=6))
    alone, among = shown(broke), shown(broke, *[comparison("a 1 0")] * 8)
    assert alone.quality_p is not None
    assert among.quality_p == pytest.approx(alone.quality_p * 0.65 / 0.55)
    assert among.is_regression
    assert not shown(broke, *[broke] * 8).is_regression


def test_a_drop_of_several_prompts_together_may_block() -> None:
    runs = [comparison(quality_rows(right=47, broken=3)) for _ in range(4)]
    report = decide(runs, POLICY)
    assert {decision.verdict for decision in report.prompts} == {Verdict.INCONCLUSIVE}
    assert report.verdict is Verdict.FAIL
    assert decide(runs[:1], POLICY).verdict is Verdict.INCONCLUSIVE


def test_cost_and_latency_block_only_when_shown() -> None:
    rows = quality_rows(right=100)
    slower = comparison(rows, latency=(100.0, 300.0), cost=(Decimal(1), Decimal(2)))
    assert max(shown(slower).cost_p or 0, shown(slower).latency_p or 0) < 1e-4
    assert decide([slower], POLICY).verdict is Verdict.FAIL
    few = comparison(quality_rows(right=7), latency=(100.0, 300.0), cost=(Decimal(1), Decimal(2)))
    assert shown(few).cost_p is None
    assert decide([few], POLICY).verdict is Verdict.INCONCLUSIVE
    off = GatePolicy(max_cost_increase=None, max_p95_increase=None)
    assert (shown(slower, policy=off).cost_p, shown(slower, policy=off).latency_p) == (None, None)


def test_a_case_that_head_was_not_asked_is_not_left_unanswered() -> None:
    assert shown(comparison("\n".join(f"c{i} 1 -" for i in range(9)) + "\na 1 !")).answered_p == 0.25


def test_a_price_that_is_unknown_for_one_answer_is_unknown() -> None:
    assert shown(comparison(quality_rows(right=30), cost=(None, Decimal(2)))).cost_p is None
    assert shown(comparison("a - 1")).quality_p is None


@pytest.mark.parametrize(("broken", "is_regression"), [(10, True), (9, False)])
def test_prompts_get_worse_together_from_a_drop_of_exactly_the_margin_on(broken: int, is_regression: bool) -> None:
    pairs = [comparison(quality_rows(right=100 - broken, broken=broken)).samples for _ in range(2)]
    together = evidence.together([pair for pair in pairs if pair is not None], GatePolicy(max_drop=0.1))
    assert together is not None
    assert together.effect.p < 0.001
    assert together.is_regression == is_regression
