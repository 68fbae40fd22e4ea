"""Simulate canaries of a given quality: when each step would be decided, and how many requests it would cost."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from promptci.rollout.measure import DROPS, drops_within
from promptci.rollout.policy import QUALITY, CanaryPolicy
from promptci.stats.significance import sequential
from promptci.stats.significance.sequential import Blocks

Floats = NDArray[np.float64]
DAY_S = 24 * 3600.0
CHUNK = 200
"""Canaries that are simulated at once."""
FIRST_BLOCKS = 400
MAX_BLOCKS = 40_000
"""Blocks of a step; a step that is undecided for longer counts as held."""
PROMOTED, ROLLED_BACK, HELD = "promoted", "rolled back", "held"


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """The traffic, the two versions, and how often one looks."""

    per_day: float
    """Requests of all users."""
    before: float
    """Share of good answers of the stable version."""
    after: float
    """Of the canary."""
    policy: CanaryPolicy
    users: float | None = None
    """Users who send them; None: each request is of another user."""
    schedule_s: float = 900.0
    """Time between two looks."""
    cache_s: float = 600.0
    """Time until applications have a new bundle."""
    runs: int = 1000
    seed: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class StepOutcomes:
    """What became of the canaries that reached a step; one element for each."""

    share: float
    outcome: NDArray[np.str_]
    possible_s: Floats
    """After which time the step could first have been decided, had one looked at that moment."""
    delay_s: Floats
    """From there until applications had the decision: the log's lag, the wait for the next look, and the cache."""

    @property
    def total_s(self) -> Floats:
        """Return how long the step served requests."""
        return self.possible_s + self.delay_s

    def requests(self, seconds: Floats, per_day: float) -> Floats:
        """Return the canary's requests in some time of the step."""
        return seconds / DAY_S * per_day * self.share / 100


@dataclass(slots=True)
class _ArmTable:
    """Blocks of both arms, one row for each canary."""

    control_n: Floats
    control_sum: Floats
    canary_n: Floats
    canary_sum: Floats

    def blocks(self) -> Blocks:
        return Blocks(
            control_n=self.control_n,
            control_sum=self.control_sum,
            canary_n=self.canary_n,
            canary_sum=self.canary_sum,
        )

    def extended(self, rows: NDArray[np.bool_], later: _ArmTable) -> _ArmTable:
        return _ArmTable(
            *(
                np.concatenate([getattr(self, name)[rows], getattr(later, name)], axis=1)
                for name in ("control_n", "control_sum", "canary_n", "canary_sum")
            )
        )


@dataclass(slots=True)
class _Found:
    """What is known of each canary of a chunk."""

    outcome: list[str] = field(default_factory=list)
    possible_s: list[float] = field(default_factory=list)
    decided_s: list[float] = field(default_factory=list)


def simulate(scenario: Scenario) -> tuple[StepOutcomes, ...]:
    """Return what became of each step; only the canaries that are promoted reach the next one."""
    steps = []
    draw = np.random.default_rng(scenario.seed)
    reached = scenario.runs
    for share in (step for step in scenario.policy.steps if step < 100):
        parts = [
            _simulate_chunk(scenario, share, min(CHUNK, reached - start), draw) for start in range(0, reached, CHUNK)
        ]
        outcome = np.array([value for part in parts for value in part.outcome])
        possible = np.array([value for part in parts for value in part.possible_s])
        decided = np.array([value for part in parts for value in part.decided_s])
        steps.append(
            StepOutcomes(
                share=share, outcome=outcome, possible_s=possible, delay_s=decided - possible + scenario.cache_s
            )
        )
        reached = int((outcome == PROMOTED).sum())
        if not reached:
            break
    return tuple(steps)


def _simulate_chunk(scenario: Scenario, share: float, runs: int, draw: np.random.Generator) -> _Found:
    """Simulate one step of some canaries, with more and more blocks for those that are undecided."""
    blocks = FIRST_BLOCKS
    arms = _draw_arms(scenario, share, (runs, blocks), draw)
    places = np.arange(runs)
    outcome, possible, decided = np.full(runs, HELD, "U11"), np.zeros(runs), np.zeros(runs)
    while len(places):
        is_last = blocks >= MAX_BLOCKS
        results = [_decide_run(scenario, share, row, is_last=is_last) for row in _evidence(scenario, arms)]
        is_open = np.array([result is None for result in results])
        for place, result in zip(places[~is_open], (each for each in results if each), strict=True):
            outcome[place], possible[place], decided[place] = result
        places = places[is_open]
        arms = arms.extended(is_open, _draw_arms(scenario, share, (len(places), blocks), draw))
        blocks *= 2
    return _Found(outcome=outcome.tolist(), possible_s=possible.tolist(), decided_s=decided.tolist())


def _draw_arms(scenario: Scenario, share: float, shape: tuple[int, int], draw: np.random.Generator) -> _ArmTable:
    """Draw blocks as they come of users who fall into the canary at random: one arm until the other's first user."""
    rate = share / 100
    begins_with_canary = draw.random(shape) < rate
    canary_n = np.where(begins_with_canary, draw.geometric(1 - rate, shape), 1)
    control_n = np.where(begins_with_canary, 1, draw.geometric(rate, shape))
    return _ArmTable(
        control_n=control_n.astype("f8"),
        control_sum=draw.binomial(control_n, scenario.before).astype("f8"),
        canary_n=canary_n.astype("f8"),
        canary_sum=draw.binomial(canary_n, scenario.after).astype("f8"),
    )


@dataclass(frozen=True, slots=True)
class _RunEvidence:
    """One canary after each block."""

    units: Floats
    """Users of both arms."""
    is_worse: NDArray[np.bool_]
    is_fine: NDArray[np.bool_]


def _evidence(scenario: Scenario, arms: _ArmTable) -> list[_RunEvidence]:
    policy, blocks = scenario.policy, arms.blocks()
    margin = dict(policy.limits)[QUALITY]
    control_n, canary_n = np.cumsum(arms.control_n, axis=1), np.cumsum(arms.canary_n, axis=1)
    drop = np.cumsum(arms.control_sum, axis=1) / control_n - np.cumsum(arms.canary_sum, axis=1) / canary_n
    worse = sequential.log_evidence(blocks, DROPS, 0.0)
    fine = sequential.log_evidence(blocks, drops_within(margin), margin)
    # Shown once is shown: the most evidence there ever was counts.
    shown_worse = np.maximum.accumulate(worse, axis=1) >= -math.log(policy.alpha_each)
    shown_fine = np.maximum.accumulate(fine, axis=1) >= -math.log(policy.promote_alpha)
    is_worse = shown_worse & (drop >= margin - 1e-12)
    enough = np.minimum(canary_n, control_n) >= policy.min_requests
    is_fine = shown_fine & (drop < margin) & enough
    return [_RunEvidence(*row) for row in zip(control_n + canary_n, is_worse, is_fine, strict=True)]


def _decide_run(
    scenario: Scenario, share: float, row: _RunEvidence, *, is_last: bool
) -> tuple[str, float, float] | None:
    """Return outcome, when it was possible and when it was decided; None where more blocks are needed."""
    policy = scenario.policy
    times = _times_of(scenario, row.units)
    is_promotable = row.is_fine & (times + policy.lag_s >= policy.min_time_s)
    outcomes: list[tuple[float, bool, str, float]] = []
    comes = np.isfinite(times)
    for outcome, holds in ((ROLLED_BACK, row.is_worse & comes), (PROMOTED, is_promotable & comes)):
        looks = _first_look(scenario, times, holds)
        if looks is not None:
            outcomes.append((looks[1], outcome != ROLLED_BACK, outcome, looks[0]))
    if outcomes:
        decided, _, outcome, possible = min(outcomes)
        if decided <= policy.max_time_s:
            return outcome, possible, decided
    reached = float(times[-1])
    if is_last or reached > policy.max_time_s:
        held = min(reached, policy.max_time_s)
        return HELD, held, held
    return None


def _first_look(scenario: Scenario, times: Floats, holds: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Return the moment from which a condition holds at the first look that finds it, and the time of that look."""
    changes = np.flatnonzero(np.diff(holds.astype("i1"), prepend=0))
    for begin, end in zip(changes[::2], [*changes[1::2], len(holds)], strict=False):
        possible = float(times[begin])
        look = math.ceil((possible + scenario.policy.lag_s) / scenario.schedule_s) * scenario.schedule_s
        until = math.inf if end == len(holds) else float(times[end]) + scenario.policy.lag_s
        if look < until:
            return possible, look
    return None


def _times_of(scenario: Scenario, units: Floats) -> Floats:
    """Return when so many units have come: a user counts once, so new ones become rare."""
    if scenario.users is None:
        return units / scenario.per_day * DAY_S
    share_left = np.maximum(1 - units / scenario.users, 0)
    with np.errstate(divide="ignore"):
        return np.asarray(-scenario.users / scenario.per_day * np.log(share_left) * DAY_S)
