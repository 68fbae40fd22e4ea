"""The gate put to the test: drawn from answers whose noise is known."""

import numpy as np
import pytest
from support.aa_plans import answer, planned

from promptci.config.policy import GatePolicy, OnInconclusive
from promptci.config.run_limits import RunLimits
from promptci.gates.selftest import aa_test
from promptci.gates.selftest.aa_test import SelfTest
from promptci.runs.prompt_plan import PromptPlan
from promptci.scoring.model import ScoredCase

POLICY = GatePolicy()


def coins(plan: PromptPlan, rates: list[float], answers: int, seed: int = 1) -> dict[str, list[ScoredCase]]:
    """Answers of cases that pass with these probabilities."""
    chance = np.random.default_rng(seed)
    return {
        plan.task.cases[i].case.id: [answer(plan, i, r, float(chance.random() < rate)) for r in range(answers)]
        for i, rate in enumerate(rates)
    }


def put_to_test(
    plan: PromptPlan, known: dict[str, list[ScoredCase]], limits: RunLimits | None = None, **policy: object
) -> SelfTest:
    gate = GatePolicy(**policy)  # type: ignore[arg-type]  # any field
    return aa_test.selftest(plan, known, limits or RunLimits(), gate, 300)


@pytest.mark.long
def test_without_noise_nothing_is_blocked_and_nothing_is_flaky() -> None:
    plan = planned(80)
    self_test = put_to_test(plan, coins(plan, [1.0] * 70 + [0.0] * 10, 6))
    assert (self_test.failed, self_test.blocked, self_test.undecided, self_test.flaky) == (0, 0, 0, ())
    assert (self_test.discordance, self_test.cases, self_test.left_out) == (0.0, 80, 0)
    assert self_test.keeps_promise
    assert self_test.rate == 0
    assert self_test.interval.lo == 0


@pytest.mark.long
def test_noise_is_measured_and_false_alarms_stay_within_alpha() -> None:
    plan = planned(100)
    self_test = put_to_test(plan, coins(plan, [0.5] * 20 + [1.0] * 80, 6))
    assert self_test.discordance == pytest.approx(0.1, abs=0.03)
    assert self_test.detectable_drop == pytest.approx(0.075, abs=0.02)
    assert 0 < self_test.failed <= 0.08 * 300
    assert self_test.keeps_promise
    assert {flaky.id for flaky in self_test.flaky} <= {f"c{i}" for i in range(20)}
    assert all(0 < flaky.passed < flaky.answers == 6 for flaky in self_test.flaky)


@pytest.mark.long
def test_the_same_answers_give_the_same_numbers() -> None:
    plan = planned(40)
    known = coins(plan, [0.7] * 40, 6)
    assert put_to_test(plan, known) == put_to_test(plan, known)


def test_undecided_ones_count_where_they_block() -> None:
    plan = planned(12)
    known = coins(plan, [1.0] * 12, 6)
    assert put_to_test(plan, known).blocked == 0
    strict = put_to_test(plan, known, on_inconclusive=OnInconclusive.BLOCK)
    assert (strict.failed, strict.undecided, strict.blocked, strict.rate) == (0, 300, 300, 1.0)


@pytest.mark.long
def test_a_gate_that_cries_wolf_is_found_out() -> None:
    """Critical cases that are coins: no statistics stands before them."""
    plan = planned(80, critical=20)
    self_test = put_to_test(plan, coins(plan, [0.6] * 20 + [1.0] * 60, 12))
    assert self_test.failed > 1.5 * self_test.alpha * self_test.simulations
    assert not self_test.keeps_promise


def test_cases_with_too_few_answers_or_none_that_count_are_left_out() -> None:
    plan = planned(30, aside=5)
    known = coins(plan, [1.0] * 30, 6)
    known["c0"] = known["c0"][:1]
    known["c1"] = [answer(plan, 1, r, None) for r in range(6)]
    del known["c2"]
    self_test = put_to_test(plan, known)
    assert (self_test.cases, self_test.left_out) == (22, 8)


def test_no_answers_no_alarm() -> None:
    self_test = put_to_test(planned(3), {})
    assert (self_test.cases, self_test.failed, self_test.discordance, self_test.detectable_drop) == (0, 0, None, None)


@pytest.mark.long
def test_marks_are_told_by_their_spread() -> None:
    plan = planned(40, kind="judge")
    chance = np.random.default_rng(3)
    known = {
        planned_case.case.id: [answer(plan, i, r, float(chance.choice([0.4, 0.6]))) for r in range(6)]
        for i, planned_case in enumerate(plan.task.cases)
    }
    self_test = put_to_test(plan, known)
    assert self_test.discordance is None
    assert self_test.spread == pytest.approx(0.2 / 2**0.5, abs=0.02)
    # The drop is estimated at the margin or more: 5 points, and 0.84 standard errors of an answer's difference above.
    noise = ((0.1414**2 + 0.05 * 0.95) / 40) ** 0.5
    assert self_test.detectable_drop == pytest.approx(0.05 + 0.8416 * noise, abs=0.01)
    assert put_to_test(plan, {}).spread is None


@pytest.mark.long
def test_repeats_and_asking_on_are_part_of_the_gate_that_is_put_to_test() -> None:
    plan = planned(60)
    known = coins(plan, [0.8] * 60, 6)
    for method in (RunLimits(repeats=3), RunLimits(repeats=1, repeats_on_disagreement=3)):
        self_test = put_to_test(plan, known, method)
        assert self_test.failed <= 0.1 * 300
    assert put_to_test(plan, known, RunLimits(repeats=4)).cases == 0
