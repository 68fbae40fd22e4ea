"""The numbers of an A/A run, worked out by hand on a few answers."""

import math
from dataclasses import replace

import pytest
from support.aa_plans import answer, planned

from promptci.compare import case_power
from promptci.compare.case_power import Asking
from promptci.compare.sample import Design
from promptci.config.policy import About, GatePolicy, OnInconclusive
from promptci.config.run_limits import RunLimits
from promptci.gates.selftest import aa_test, power_analysis
from promptci.gates.selftest.aa_test import Flaky, SelfTest
from promptci.runs.prompt_plan import PromptPlan
from promptci.scoring.model import ScoredCase

POLICY = GatePolicy(alpha=0.07)


def score_rows(plan: PromptPlan, *rows: str) -> dict[str, list[ScoredCase]]:
    """Answers of each case, `+` for a right one, `-` for a wrong one, `?` for one that is missing."""
    score = {"+": 1.0, "-": 0.0, "?": None}
    return {
        plan.task.cases[i].case.id: [answer(plan, i, r, score[sign]) for r, sign in enumerate(row)]
        for i, row in enumerate(rows)
    }


def put(
    plan: PromptPlan, answers: dict[str, list[ScoredCase]], limits: RunLimits | None = None, simulations: int = 40
) -> SelfTest:
    return aa_test.selftest(plan, answers, limits or RunLimits(), POLICY, simulations)


def smallest_drop(cases: int, variance: float, *, repeats: int = 1, graded: bool = False) -> float | None:
    """Return what the rule about these goldens shows, which reports and `power` say too."""
    design = Design(graded=graded, alpha=POLICY.alpha, margin=POLICY.max_drop)
    return case_power.smallest_drop(cases, variance, Asking(repeats=repeats), design)


def test_every_number_of_a_small_run() -> None:
    plan = planned(5)
    self_test = put(plan, score_rows(plan, "++++--", "++++++", "------", "+-", "+"))
    noise = (8 / 15 + 0 + 0 + 1) / 4  # 2k(n-k) / n(n-1) of each case with its two answers at least
    assert (self_test.prompt, self_test.cases, self_test.left_out, self_test.simulations) == ("greeter", 4, 1, 40)
    assert (self_test.failed, self_test.blocked, self_test.alpha) == (0, 0, 0.07)
    assert 0 < self_test.undecided <= 40
    assert self_test.discordance == pytest.approx(noise)
    assert self_test.spread is None
    assert self_test.flaky == (Flaky(id="c0", passed=4, answers=6), Flaky(id="c3", passed=1, answers=2))
    assert self_test.detectable_drop == smallest_drop(4, noise)


def test_the_smallest_drop_is_that_of_the_gate_s_own_repeats_and_alpha() -> None:
    plan = planned(60)
    answers = score_rows(plan, *["+++++-"] * 20, *["++++++"] * 40)
    for limits in (RunLimits(repeats=1), RunLimits(repeats=3)):
        self_test = put(plan, answers, limits, 1)
        assert self_test.detectable_drop == pytest.approx(smallest_drop(60, 1 / 9, repeats=limits.repeats))
    by_inputs = aa_test.selftest(plan, answers, RunLimits(), replace(POLICY, about=About.INPUTS), 1)
    expected = power_analysis.smallest_drop(60, 1 / 9, repeats=1, graded=False, alpha=0.07)
    assert by_inputs.detectable_drop == pytest.approx(expected)
    assert expected != pytest.approx(smallest_drop(60, 1 / 9))


def test_the_spread_of_marks_is_that_of_the_difference_of_two_runs() -> None:
    plan = planned(30, kind="judge")
    scores = (0.2, 0.4, 0.6)  # variance .04
    answers = {
        planned_case.case.id: [answer(plan, i, r, scores[r] if i < 15 else 0.5) for r in range(3)]
        for i, planned_case in enumerate(plan.task.cases)
    }
    self_test = put(plan, answers)
    assert self_test.spread == pytest.approx(math.sqrt(2 * 0.04 / 2))
    assert self_test.discordance is None
    assert self_test.detectable_drop == pytest.approx(smallest_drop(30, 0.04, graded=True))


def test_an_answer_that_is_missing_is_none_and_without_a_mark_it_counts_as_nothing() -> None:
    plan = planned(2, kind="judge")
    answers = score_rows(plan, "++", "+?")
    self_test = put(plan, answers)
    assert (self_test.cases, self_test.left_out, self_test.spread) == (1, 1, 0.0)


def test_a_critical_case_of_five_right_and_five_wrong_flips_in_one_draw_of_252() -> None:
    """Five right ones to base and five wrong ones to head: one way of C(10, 5)."""
    plan = planned(1, critical=1)
    self_test = put(plan, score_rows(plan, "+++++-----"), simulations=1000)
    assert 0 < self_test.failed <= 1000 / 252 + 5 * math.sqrt(1000 / 252)
    assert self_test.undecided == 1000 - self_test.failed
    assert self_test.rate == self_test.failed / 1000


def test_answers_are_dealt_and_none_is_dealt_twice() -> None:
    """Fewer than five right answers of ten: base cannot have five, so a critical flip is never confirmed."""
    plan = planned(1, critical=1)
    for row in ("+---------", "++++------", "------++++"):
        assert put(plan, score_rows(plan, row), simulations=300).failed == 0


def test_a_case_without_a_dispute_is_not_asked_again() -> None:
    """A plain case needs two answers, a critical one ten: as many as the gate may ask for, whatever it then asks."""
    plan = planned(3, critical=1)
    self_test = put(plan, score_rows(plan, "+++++++++", "++", "+"))
    assert (self_test.cases, self_test.left_out) == (1, 2)
    assert put(plan, score_rows(plan, "++++++++++", "++", "++")).cases == 3


def test_rounds_take_as_many_answers_as_a_check_may_ask_for() -> None:
    plan = planned(20)
    limits = RunLimits(auto_calls=640)
    assert aa_test.answers_needed(plan, limits) == 32
    answers = {p.case.id: [answer(plan, i, r, 1.0) for r in range(32)] for i, p in enumerate(plan.task.cases)}
    self_test = put(plan, answers, limits, 20)
    assert (self_test.cases, self_test.failed, self_test.undecided) == (20, 0, 0)


def test_asking_on_takes_what_the_gate_would_ask() -> None:
    """With `disagree: 3` each case needs six answers; with repeats of two, four."""
    plan = planned(3)
    answers = score_rows(plan, "++++++", "+++++", "++++")
    assert put(plan, answers, RunLimits(repeats=1, repeats_on_disagreement=3)).cases == 1
    assert put(plan, answers, RunLimits(repeats=2)).cases == 3
    assert put(plan, answers, RunLimits(repeats=3)).cases == 1


def renamed(plan: PromptPlan, name: str) -> PromptPlan:
    return replace(plan, change=replace(plan.change, name=name))


@pytest.mark.parametrize("simulations", [60, pytest.param(1000, marks=pytest.mark.long)])
def test_the_draws_of_one_prompt_are_the_same_every_time(simulations: int) -> None:
    plan = planned(1, critical=1)
    answers = score_rows(plan, "+++++-----")
    self_tests = [put(renamed(plan, name), answers, simulations=simulations) for name in ("one", "two", "three")]
    assert self_tests == [
        put(renamed(plan, self_test.prompt), answers, simulations=simulations) for self_test in self_tests
    ]
    assert (
        simulations < 1000 or len({self_test.failed for self_test in self_tests}) > 1
    )  # the draws of a prompt are its own


def test_a_rate_within_alpha_keeps_the_promise_up_to_its_low_end() -> None:
    fields = {
        "prompt": "p",
        "cases": 1,
        "left_out": 0,
        "undecided": 0,
        "discordance": None,
        "spread": None,
        "detectable_drop": None,
        "flaky": (),
    }
    nothing = SelfTest(simulations=0, failed=0, blocked=0, alpha=0.05, **fields)  # type: ignore[arg-type]
    assert nothing.keeps_promise
    assert (nothing.interval.lo, nothing.interval.hi) == (0.0, 1.0)
    # Wilson's interval of 63 in 1,000 begins at 4.96 %, that of 64 at 5.05 %.
    for failed, kept in ((63, True), (64, False)):
        self_test = SelfTest(simulations=1000, failed=failed, blocked=failed, alpha=0.05, **fields)  # type: ignore[arg-type]
        assert self_test.keeps_promise is kept
    uncertain = SelfTest(simulations=100, failed=2, blocked=50, alpha=0.05, **fields)  # type: ignore[arg-type]
    assert uncertain.keeps_promise
    assert uncertain.rate == 0.5
    assert uncertain.interval.lo == pytest.approx(0.4038, abs=1e-4)


def test_undecided_ones_are_counted_beside_the_failed_ones() -> None:
    plan = planned(1, critical=1)
    self_test = aa_test.selftest(
        plan, score_rows(plan, "+++++-----"), RunLimits(), GatePolicy(on_inconclusive=OnInconclusive.BLOCK), 400
    )
    assert self_test.failed > 0
    assert self_test.blocked == self_test.failed + self_test.undecided == 400
    plain = aa_test.selftest(
        plan, score_rows(plan, "+++++-----"), RunLimits(), GatePolicy(on_inconclusive=OnInconclusive.WARN), 400
    )
    assert plain.blocked == plain.failed == self_test.failed


@pytest.mark.parametrize("kind", ["equals", "judge"])
def test_the_p_of_the_dealt_answers_is_what_decides(kind: str) -> None:
    """At an alpha of two fifths and next to no margin, a difference by chance fails about as often."""
    plan = planned(30, kind=kind)
    rows = ["+-"] * 30
    policy = GatePolicy(alpha=0.4, max_drop=0.001)
    self_test = aa_test.selftest(plan, score_rows(plan, *rows), RunLimits(), policy, 100)
    assert 15 < self_test.failed < 55
    assert aa_test.selftest(plan, score_rows(plan, *rows), RunLimits(), replace(policy, alpha=0.01), 100).failed < 10


@pytest.mark.parametrize("kind", ["equals", "judge"])
def test_of_nothing_nothing_is_known(kind: str) -> None:
    self_test = put(planned(3, kind=kind), {})
    assert (self_test.cases, self_test.left_out, self_test.failed, self_test.undecided) == (0, 3, 0, 40)
    assert (self_test.discordance, self_test.spread, self_test.detectable_drop, self_test.flaky) == (
        None,
        None,
        None,
        (),
    )


def test_without_noise_the_smallest_drop_is_that_of_no_noise() -> None:
    plan = planned(100)
    self_test = put(plan, score_rows(plan, *["++"] * 100), simulations=1)
    assert self_test.detectable_drop == smallest_drop(100, 0.0)
    assert self_test.detectable_drop != power_analysis.smallest_drop(100, 1.0, repeats=1, graded=False, alpha=0.07)


def test_marks_of_the_dealt_answers_are_what_is_compared() -> None:
    """All answers of one case are alike, so both versions get the same and no difference is seen."""
    plan = planned(200)
    rows = ["++" if i % 3 else "--" for i in range(200)]
    self_test = put(plan, score_rows(plan, *rows))
    assert (self_test.failed, self_test.undecided, self_test.discordance) == (0, 0, 0.0)


@pytest.mark.parametrize(
    ("limits", "answers"),
    [
        (RunLimits(), 10),
        (RunLimits(repeats=5), 10),
        (RunLimits(repeats_on_disagreement=7), 14),
        (RunLimits(repeats=2), 10),
    ],
)
def test_answers_needed(limits: RunLimits, answers: int) -> None:
    assert aa_test.answers_needed(planned(3, critical=1), limits) == answers
