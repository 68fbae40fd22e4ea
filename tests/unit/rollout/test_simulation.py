"""Canaries that are simulated: which step decides them, when, and at what cost."""

from dataclasses import replace

import numpy as np
import pytest

from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.simulation import simulate as simulation
from promptci.rollout.simulation.simulate import HELD, PROMOTED, ROLLED_BACK, Scenario, simulate

DAY = 86400.0
SCENARIO = Scenario(per_day=50_000, before=0.96, after=0.6, policy=CanaryPolicy(), runs=20)
EASY = CanaryPolicy(steps=(50, 100), min_time_s=3600.0, limits=(("quality", 0.2),), min_requests=50)


def test_a_bad_canary_does_not_reach_the_second_step() -> None:
    (step,) = simulate(SCENARIO)
    assert (step.share, set(step.outcome)) == (5, {ROLLED_BACK})
    assert (step.possible_s < 3600).all()
    assert step.delay_s.min() >= SCENARIO.policy.lag_s + SCENARIO.cache_s
    assert step.delay_s.max() < SCENARIO.policy.lag_s + SCENARIO.cache_s + SCENARIO.schedule_s
    assert step.requests(np.array([DAY]), 50_000).tolist() == [2500]


def test_a_good_canary_is_promoted_after_its_least_time() -> None:
    scenario = replace(SCENARIO, after=0.96, policy=EASY, schedule_s=60)
    (step,) = simulate(scenario)
    assert set(step.outcome) == {PROMOTED}
    looks = step.total_s - scenario.cache_s
    assert ((looks >= 3600) & (looks <= 3720)).all()


def test_the_same_seed_gives_the_same_canaries() -> None:
    first, other = simulate(SCENARIO), simulate(SCENARIO)
    assert first[0].possible_s.tolist() == other[0].possible_s.tolist()


def test_too_few_users_never_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user counts once: 50 of them are 25 in each arm, however long one waits."""
    (step,) = simulate(replace(SCENARIO, after=0.96, policy=EASY, users=50))
    assert set(step.outcome) == {HELD}
    assert (step.possible_s == EASY.max_time_s).all()
    monkeypatch.setattr(simulation, "MAX_BLOCKS", simulation.SLICE)
    (step,) = simulate(replace(SCENARIO, after=0.96, policy=replace(EASY, min_requests=10_000)))
    assert set(step.outcome) == {HELD}
    assert (step.possible_s < EASY.max_time_s).all()


def test_a_condition_that_holds_between_two_looks_only_is_not_seen() -> None:
    times = np.array([[100.0, 200.0, 300.0, 2000.0]])
    looks, is_newest = simulation._find_looks(SCENARIO, times, is_last=False)
    assert looks.tolist() == [[900, 900, 900, 2700]]
    assert is_newest.tolist() == [[False, False, True, False]]
    assert simulation._find_looks(SCENARIO, times, is_last=True)[1].tolist() == [[False, False, True, True]]


def test_a_look_after_the_longest_time_decides_nothing() -> None:
    policy = replace(EASY, max_time_s=3700.0)
    (step,) = simulate(replace(SCENARIO, after=0.96, policy=policy, schedule_s=3000))
    assert set(step.outcome) == {HELD}
    assert (step.possible_s == 3700).all()
