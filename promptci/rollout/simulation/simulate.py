"""Simulate canaries of a given quality: when each step would be decided, and how many requests it would cost."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promptci.lazy_dataclass import dataclass
from promptci.rollout.measure import DROPS, drops_within
from promptci.rollout.policy import QUALITY, CanaryPolicy
from promptci.stats.significance.sequential import Blocks, EvidenceProcess

Floats = NDArray[np.float64]
Array = NDArray[Any]
DAY_S = 24 * 3600.0
CHUNK = 250
"""Canaries that are simulated at once."""
SLICE = 120
"""Blocks of each that are simulated at once: few enough for the processor's cache."""
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


def simulate(scenario: Scenario) -> tuple[StepOutcomes, ...]:
    """Return what became of each step; only the canaries that are promoted reach the next one."""
    steps = []
    draw = np.random.default_rng(scenario.seed)
    reached = scenario.runs
    for share in (step for step in scenario.policy.steps if step < 100):
        parts = [
            _simulate_chunk(scenario, share, min(CHUNK, reached - start), draw) for start in range(0, reached, CHUNK)
        ]
        outcome, possible, decided = (np.concatenate(column) for column in zip(*parts, strict=True))
        steps.append(
            StepOutcomes(
                share=share, outcome=outcome, possible_s=possible, delay_s=decided - possible + scenario.cache_s
            )
        )
        reached = int((outcome == PROMOTED).sum())
        if not reached:
            break
    return tuple(steps)


def _simulate_chunk(scenario: Scenario, share: float, runs: int, draw: np.random.Generator) -> tuple[Array, ...]:
    """Simulate one step of some canaries: outcome, when it was possible, and when it was decided."""
    outcome, possible, decided = np.full(runs, HELD, "U11"), np.zeros(runs), np.zeros(runs)
    places = np.arange(runs)
    steps = _OpenSteps(scenario, runs)
    for last in range(SLICE, MAX_BLOCKS + SLICE, SLICE):
        decisions = steps.extend(_draw_blocks(scenario, share, (len(places), SLICE), draw), is_last=last >= MAX_BLOCKS)
        done = decisions.is_decided
        outcome[places[done]] = decisions.outcome[done]
        possible[places[done]], decided[places[done]] = decisions.possible_s[done], decisions.decided_s[done]
        places = places[~done]
        if not len(places):
            break
        steps.select(~done)
    return outcome, possible, decided


def _draw_blocks(scenario: Scenario, share: float, shape: tuple[int, int], draw: np.random.Generator) -> Blocks:
    """Draw blocks as they come of users who fall into the canary at random: one arm until the other's first user."""
    rate = share / 100
    begins_with_canary = draw.random(shape) < rate
    canary_n = np.where(begins_with_canary, draw.geometric(1 - rate, shape), 1)
    control_n = np.where(begins_with_canary, 1, draw.geometric(rate, shape))
    return Blocks(
        control_n=control_n.astype("f8"),
        control_sum=draw.binomial(control_n, scenario.before).astype("f8"),
        canary_n=canary_n.astype("f8"),
        canary_sum=draw.binomial(canary_n, scenario.after).astype("f8"),
    )


@dataclass(frozen=True, slots=True)
class _Decisions:
    """What some blocks decided, one element for each canary."""

    is_decided: Array
    outcome: Array
    possible_s: Floats
    decided_s: Floats


class _OpenSteps:
    """Canaries at one step, each after so many blocks."""

    def __init__(self, scenario: Scenario, runs: int) -> None:
        self._scenario = scenario
        self._margin = dict(scenario.policy.limits)[QUALITY]
        self._worse = EvidenceProcess(DROPS, 0.0)
        self._fine = EvidenceProcess(drops_within(self._margin), self._margin)
        """Of the canaries that are not shown to be fine: for the others its evidence no longer matters."""
        self._is_shown_fine = np.zeros(runs, bool)
        self._most = np.full((2, runs), -np.inf)
        """Most evidence there ever was, for `worse` and `fine`: shown once is shown."""
        self._sums = np.zeros((4, runs))
        """Of control and canary: users, and their marks."""
        self._time = np.zeros(runs)
        """Of the latest block, which is not yet known to be the last that a look sees."""
        self._holds = np.zeros((2, runs), bool)
        """Whether `worse` and `fine` hold after it."""
        self._since = np.zeros((2, runs))
        """Since when."""

    def select(self, rows: Array) -> None:
        """Keep some of the canaries."""
        self._worse.select(rows)
        self._fine.select(rows[~self._is_shown_fine])
        self._is_shown_fine = self._is_shown_fine[rows]
        self._most, self._sums, self._time = self._most[:, rows], self._sums[:, rows], self._time[rows]
        self._holds, self._since = self._holds[:, rows], self._since[:, rows]

    def extend(self, blocks: Blocks, *, is_last: bool) -> _Decisions:
        """Add blocks to each, and decide those that a look finds worse, fine, or too old."""
        policy = self._scenario.policy
        times, conditions = self._measure(blocks)
        times = np.concatenate([self._time[:, None], times], axis=1)
        holds = np.concatenate([self._holds[:, :, None], conditions], axis=2)
        begins = np.concatenate([self._since[:, :, None], np.where(conditions, times[:, 1:], np.nan)], axis=2)
        starts = holds.copy()
        starts[:, :, 1:] &= ~holds[:, :, :-1]
        starts[:, :, 0] = True
        column = np.maximum.accumulate(np.where(starts, np.arange(times.shape[1]), 0), axis=2)
        since = np.take_along_axis(begins, column, axis=2)
        looks, is_seen = _find_looks(self._scenario, times, is_last=is_last)
        first, has_decision = _find_first(holds.any(axis=0) & is_seen)
        rows = np.arange(len(first))
        decided = looks[rows, first]
        has_decision &= decided <= policy.max_time_s
        is_worse = holds[0, rows, first]
        is_held = ~has_decision & ((times[:, -1] > policy.max_time_s) | is_last)
        held = np.minimum(times[:, -1], policy.max_time_s)
        self._time, self._holds, self._since = times[:, -1], holds[:, :, -1], since[:, :, -1]
        return _Decisions(
            is_decided=has_decision | is_held,
            outcome=np.where(is_held, HELD, np.where(is_worse, ROLLED_BACK, PROMOTED)),
            possible_s=np.where(is_held, held, since[np.where(is_worse, 0, 1), rows, first]),
            decided_s=np.where(is_held, held, decided),
        )

    def _measure(self, blocks: Blocks) -> tuple[Floats, Array]:
        """Return the time of each block, and whether the canary is shown worse and fine after it."""
        policy = self._scenario.policy
        parts = (blocks.control_n, blocks.canary_n, blocks.control_sum, blocks.canary_sum)
        sums = self._sums[:, :, None] + np.cumsum(np.stack(parts), axis=2)
        grown = np.stack([self._worse.extend(blocks), self._extend_fine(blocks)])
        most = np.maximum(self._most[:, :, None], np.maximum.accumulate(grown, axis=2))
        self._sums, self._most = sums[:, :, -1], most[:, :, -1]
        self._close_fine()
        control_n, canary_n, control_sum, canary_sum = sums
        drop = control_sum / control_n - canary_sum / canary_n
        times = _times_of(self._scenario, control_n + canary_n)
        is_worse = (most[0] >= -math.log(policy.alpha_each)) & (drop >= self._margin - 1e-12)
        is_fine = (most[1] >= -math.log(policy.promote_alpha)) & (drop < self._margin)
        is_fine &= (np.minimum(canary_n, control_n) >= policy.min_requests) & (
            times + policy.lag_s >= policy.min_time_s
        )
        return times, np.stack([is_worse, is_fine]) & np.isfinite(times)

    def _extend_fine(self, blocks: Blocks) -> Floats:
        """Return the evidence of `fine` after each block; none for the canaries that have enough."""
        rows = ~self._is_shown_fine
        grown = np.full(blocks.canary_n.shape, -np.inf)
        grown[rows] = self._fine.extend(
            Blocks(
                control_n=blocks.control_n[rows],
                control_sum=blocks.control_sum[rows],
                canary_n=blocks.canary_n[rows],
                canary_sum=blocks.canary_sum[rows],
            )
        )
        return grown

    def _close_fine(self) -> None:
        is_shown = self._most[1] >= -math.log(self._scenario.policy.promote_alpha)
        self._fine.select(~is_shown[~self._is_shown_fine])
        self._is_shown_fine = is_shown


def _find_looks(scenario: Scenario, times: Floats, *, is_last: bool) -> tuple[Floats, Array]:
    """Return when the first look comes that can see each block, and whether it is the newest block of a look."""
    looks = np.ceil((times + scenario.policy.lag_s) / scenario.schedule_s) * scenario.schedule_s
    is_newest = np.full(times.shape, is_last)
    is_newest[:, :-1] = looks[:, :-1] < looks[:, 1:]
    return looks, is_newest & np.isfinite(times)


def _find_first(holds: Array) -> tuple[Array, Array]:
    """Return the first place of each row that holds, and whether there is one."""
    first = holds.argmax(axis=1)
    return first, holds[np.arange(len(first)), first]


def _times_of(scenario: Scenario, units: Floats) -> Floats:
    """Return when so many units have come: a user counts once, so new ones become rare."""
    if scenario.users is None:
        return units / scenario.per_day * DAY_S
    share_left = np.maximum(1 - units / scenario.users, 0)
    with np.errstate(divide="ignore"):
        return np.asarray(-scenario.users / scenario.per_day * np.log(share_left) * DAY_S)
