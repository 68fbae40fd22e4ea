"""What a canary promises, kept over thousands of simulated ones that are looked at after every request."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import numpy as np
import pytest
from numpy.typing import NDArray
from support import canary_traffic
from support.canary_traffic import START, Ways

from promptci.requestlog.columns import columns_of
from promptci.requestlog.model import Observation
from promptci.rollout import measure
from promptci.rollout.measure import DROPS
from promptci.rollout.policy import CanaryPolicy
from promptci.stats.significance.sequential import Blocks, log_evidence

CHUNK = 250
NEVER = 10**9
ALPHA = CanaryPolicy().alpha
EACH = CanaryPolicy().alpha_each
Rates = NDArray[np.float64] | float


def crossings(
    control: Rates, canary: Rates, *, ratio: int, blocks: int, runs: int, alpha: float, margin: float | None = None
) -> NDArray[np.int64]:
    """Requests of the canary after which the evidence first reached 1/alpha; looked at after each of them.

    `control` and `canary` are chances of a good mark, one for all or one for each block; `ratio` requests of the
    control come with one of the canary. With a margin the evidence is that the canary is not worse by it.
    """
    drops, null = (DROPS, 0.0) if margin is None else ((0.0, margin / 2, -margin), margin)
    draw = np.random.default_rng(ratio * 1000 + blocks)
    results = []
    for start in range(0, runs, CHUNK):
        shape = (min(CHUNK, runs - start), blocks)
        inputs = Blocks(
            control_n=np.full(shape, float(ratio)),
            control_sum=draw.binomial(ratio, control, shape).astype(np.float64),
            canary_n=np.ones(shape),
            canary_sum=draw.binomial(1, canary, shape).astype(np.float64),
        )
        crossed = log_evidence(inputs, drops, null) >= -math.log(alpha)
        results.append(np.where(crossed.any(axis=-1), crossed.argmax(axis=-1) + 1, NEVER))
    return np.concatenate(results)


def share(result: NDArray[np.int64]) -> float:
    return float((result < NEVER).mean())


def above(alpha: float, runs: int) -> float:
    """Three standard errors of a rate that is alpha."""
    return 3 * math.sqrt(alpha * (1 - alpha) / runs)


def test_a_drop_from_96_to_82_is_rolled_back_before_250_requests() -> None:
    """FAULTS 126, at the level that each of 12 tests may spend; STATISTICS 4.8."""
    result = crossings(0.96, 0.82, ratio=19, blocks=1000, runs=500, alpha=EACH)
    assert np.quantile(result, 0.95, method="higher") < 250
    assert np.median(result) < 100


@pytest.mark.long
@pytest.mark.parametrize("alpha", [0.01, 0.1])
@pytest.mark.parametrize(("ratio", "rate"), [(19, 0.96), (3, 0.96), (1, 0.96), (1, 0.75), (19, 0.5)])
def test_a_canary_that_changes_nothing_is_seldom_rolled_back_however_often_one_looks(
    ratio: int, rate: float, alpha: float
) -> None:
    result = crossings(rate, rate, ratio=ratio, blocks=1500, runs=2000, alpha=alpha)
    assert share(result) <= alpha + above(alpha, 2000)


@pytest.mark.long
def test_ten_thousand_canaries_that_change_nothing() -> None:
    """FAULTS P4 and 126: at most 1 % of false rollbacks, over 10,000 canaries."""
    result = crossings(0.96, 0.96, ratio=19, blocks=2000, runs=10_000, alpha=0.01)
    assert share(result) <= 0.01 + above(0.01, 10_000)


@pytest.mark.long
def test_what_hits_both_arms_is_not_blamed_on_the_canary() -> None:
    """FAULTS 129: an outage, nights that are worse than days, and a slow decline; the same in both arms."""
    time = np.arange(1500)
    rates = 0.9 + 0.08 * np.sin(time / 60) - 0.1 * time / 1500
    rates[600:700] = 0.05
    for ratio in (1, 19):
        result = crossings(rates, rates, ratio=ratio, blocks=1500, runs=2000, alpha=0.05)
        assert share(result) <= 0.05 + above(0.05, 2000)


@pytest.mark.long
@pytest.mark.parametrize(("ratio", "low", "high"), [(1, 80, 140), (19, 30, 70)])
def test_a_large_drop_is_seen_as_fast_as_stated(ratio: int, low: int, high: int) -> None:
    """STATISTICS 4.8, alpha .01: 96 to 82 in 96 requests (median), 198 (nine in ten), with as many of the control."""
    result = crossings(0.96, 0.82, ratio=ratio, blocks=1000, runs=2000, alpha=0.01)
    assert low < np.median(result) < high
    assert np.quantile(result, 0.9, method="higher") < 215


@pytest.mark.long
@pytest.mark.parametrize(("ratio", "median"), [(1, 2846), (19, 2846 / 2)])
def test_a_small_drop_is_seen_within_a_day_or_two(ratio: int, median: float) -> None:
    """STATISTICS 4.8: 96 to 94 in 2,846 requests; about half of that with all other traffic as control."""
    result = crossings(0.96, 0.94, ratio=ratio, blocks=9000, runs=500, alpha=0.01)
    assert np.median(result) < 1.1 * median
    assert share(result) > 0.95


@pytest.mark.long
@pytest.mark.parametrize("margin", [0.02, 0.05])
@pytest.mark.parametrize("ratio", [1, 19])
def test_a_canary_that_is_worse_by_the_limit_is_seldom_promoted(ratio: int, margin: float) -> None:
    result = crossings(0.96, 0.96 - margin, ratio=ratio, blocks=800, runs=1000, alpha=0.05, margin=margin)
    assert share(result) <= 0.05 + above(0.05, 1000)


@pytest.mark.long
def test_a_canary_that_changes_nothing_is_promoted_within_a_day() -> None:
    """2,500 users of the canary are a day at 5 % of 50,000; the limit is 2 points."""
    result = crossings(0.96, 0.96, ratio=19, blocks=2500, runs=300, alpha=0.05, margin=0.02)
    assert np.quantile(result, 0.9, method="higher") <= 2500


def rolled_back(canaries: Sequence[Sequence[Observation]], policy: CanaryPolicy) -> float:
    """Share of canaries of which some metric was ever shown worse, at any request."""
    measured = [measure.measure_metrics(columns_of(seen), policy) for seen in canaries]
    shown = [any(metric.p_worse <= metric.alpha for metric in metrics) for metrics in measured]
    return float(np.mean(shown))


@pytest.mark.long
def test_all_metrics_of_a_step_together_spend_what_the_step_may() -> None:
    """Whole canaries, from requests to evidence, with marks, measures and blocks as they are used."""
    policy = CanaryPolicy(alpha=0.3, limits=(*CanaryPolicy().limits, ("signals", 0.02)))
    canaries = [canary_traffic.traffic(1500, share=25, seed=seed) for seed in range(400)]
    assert rolled_back(canaries, policy) <= 0.1 + above(0.1, 400)  # a third of alpha, there being three steps


def people(seed: int) -> list[Observation]:
    """200 users with 20 requests each, whose quality is the user's own: some always fare well, some badly."""
    draw = Random(seed)  # noqa: S311 - made-up data
    chances = {f"u{user}": draw.choice([0.05, 0.95]) for user in range(200)}
    arms = {user: draw.choice(["stable", "canary"]) for user in chances}
    template = canary_traffic.traffic(1, Ways(errors=0.0), Ways(errors=0.0))[0]
    return [
        replace(
            template,
            id=f"r{index}",
            user=user,
            arm=arms[user],
            quality=float(draw.random() < chances[user]),
            time=START + timedelta(minutes=index),
        )
        for index, user in enumerate(draw.choices(list(chances), k=4000))
    ]


@pytest.mark.long
def test_requests_of_one_user_are_not_taken_for_many_users() -> None:
    """A user's requests go alike and fall into one arm: counted one by one they would be blamed on the canary."""
    policy = CanaryPolicy(alpha=0.15, limits=(("quality", 0.02),))
    canaries = [people(seed) for seed in range(300)]
    assert rolled_back(canaries, policy) <= 0.05 + above(0.05, 300)
    assert rolled_back(canaries, replace(policy, per_user=False)) > 0.2
