"""What `canary simulate` promises of whole canaries, step by step, and what may never be promoted."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from support.canary_columns import draw_columns
from support.canary_traffic import CANARY, PROMPT, STABLE, START

from promptci.requestlog.columns import RequestColumns
from promptci.rollout.canary import CanaryOutcome, decide_canary
from promptci.rollout.deployment import Deployed
from promptci.rollout.policy import CanaryPolicy
from promptci.rollout.simulation.simulate import PROMOTED, ROLLED_BACK, Scenario, simulate
from promptci.rollout.state import CanaryProgress

STORY = Scenario(per_day=50_000, before=0.96, after=0.82, policy=CanaryPolicy(), runs=400)
HOUR = 3600.0


def test_the_story_of_the_silent_update_ends_within_hours() -> None:
    """50,000 requests a day, 96 to 82 %: without a canary three days and 150,000 requests, 21,000 of them worse."""
    (step,) = simulate(STORY)
    assert (step.outcome == ROLLED_BACK).all()
    answered = step.requests(step.total_s, STORY.per_day)
    assert np.quantile(step.possible_s, 0.95) < 2 * HOUR
    assert np.median(answered) < 200  # schedule and cache included
    assert np.quantile(answered, 0.95) < 300
    assert answered.max() < 2500


@pytest.mark.long
def test_a_bad_canary_is_rolled_back_within_two_hours() -> None:
    """In at least 95 % of 10,000 canaries, from the moment that the decision is possible."""
    (step,) = simulate(replace(STORY, runs=10_000))
    assert ((step.outcome == ROLLED_BACK) & (step.possible_s <= 2 * HOUR)).mean() >= 0.95


@pytest.mark.long
def test_a_canary_that_changes_nothing_is_not_rolled_back_in_a_week_of_looks() -> None:
    """Three steps of two days and more, a look every five minutes."""
    policy = replace(CanaryPolicy(), min_time_s=56 * HOUR)
    steps = simulate(replace(STORY, after=0.96, policy=policy, schedule_s=300, runs=2000))
    assert sum((step.outcome == ROLLED_BACK).sum() for step in steps) <= 0.01 * 2000
    assert (steps[-1].outcome == PROMOTED).mean() > 0.9


@pytest.mark.long
def test_a_small_drop_is_rolled_back_before_it_has_all_traffic() -> None:
    steps = simulate(replace(STORY, after=0.94, runs=2000))
    assert sum((step.outcome == ROLLED_BACK).sum() for step in steps) >= 0.8 * 2000


Trick = Callable[[np.random.Generator, RequestColumns], RequestColumns]


def hide_bad_scores(draw: np.random.Generator, requests: RequestColumns) -> RequestColumns:
    """Nine of ten bad answers of the canary get no score."""
    hidden = (requests.arm == 1) & (requests.quality == 0) & (draw.random(len(requests)) < 0.9)
    return replace(requests, quality=np.where(hidden, np.nan, requests.quality))


def lose_lines(draw: np.random.Generator, requests: RequestColumns) -> RequestColumns:
    """A third of the canary's lines are lost."""
    return requests.select((requests.arm == 0) | (draw.random(len(requests)) > 0.3))


def lose_bad_lines(draw: np.random.Generator, requests: RequestColumns) -> RequestColumns:
    """The canary dies before it logs, wherever its answer would be bad."""
    return requests.select((requests.arm == 0) | (requests.quality == 1))


@pytest.mark.long
@pytest.mark.parametrize("trick", [hide_bad_scores, lose_lines, lose_bad_lines])
def test_a_bad_canary_that_hides_it_is_never_promoted(trick: Trick) -> None:
    """96 to 82 %, in 40 canaries at 5 looks each."""
    progress = CanaryProgress(stable=STABLE, canary=CANARY, share=5, since=START)
    deployed = Deployed(prompt=PROMPT, stable=STABLE, canary=CANARY, share=5)
    for seed in range(40):
        draw = np.random.default_rng(seed)
        whole = draw_columns(draw, 150_000, hours=72, share=5, before=0.96, after=0.82)
        requests = trick(draw, whole)
        for hours in (4, 12, 25, 48, 72):
            now = START + timedelta(hours=hours)
            decision = decide_canary(deployed, progress, requests, CanaryPolicy(), now)
            assert decision.outcome in {CanaryOutcome.ROLL_BACK, CanaryOutcome.HOLD, CanaryOutcome.WAIT}
        assert decision.outcome is not CanaryOutcome.WAIT
