"""Simulate how soon a canary of a given quality is promoted or rolled back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import BaseModel, Field

from promptci.documents.document import Document
from promptci.errors import UsageError
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.lazy_dataclass import dataclass
from promptci.present.finding_text.canary import duration
from promptci.rollout.deployments.environment_file import load_environment
from promptci.rollout.policy import QUALITY, CanaryPolicy
from promptci.rollout.simulation.simulate import HELD, PROMOTED, ROLLED_BACK, Scenario, StepOutcomes, simulate


@dataclass(frozen=True, kw_only=True, slots=True)
class SimulationRequest:
    """What to simulate."""

    root: Path
    environment: str | None
    """Whose policy counts; None: the default policy."""
    per_day: float
    before: float
    after: float
    users: float | None
    schedule_s: float
    cache_s: float
    runs: int


class Spread(BaseModel):
    """A number over many canaries."""

    median: float
    nine_in_ten: float = Field(description="Nine in ten canaries have no more.")


class SimulatedOutcome(BaseModel):
    """The canaries with one outcome at a step."""

    outcome: str
    share_of_canaries: float = Field(description="Of those that reached the step, 0..1.")
    possible_s: Spread = Field(description="Seconds of the step until the decision was possible.")
    delay_s: Spread = Field(description="Seconds from there until applications had it: lag, schedule and cache.")
    requests: Spread = Field(description="Requests that the canary answered until the decision was possible.")
    delay_requests: Spread = Field(description="Requests that the canary answered during the delay.")
    bad_answers: Spread = Field(description="Expected bad answers of the canary in all of that time.")


class SimulatedStep(BaseModel):
    """One step."""

    share: float
    reached: int = Field(description="Canaries that reached it.")
    outcomes: list[SimulatedOutcome]


class SimulationDocument(Document):
    """What `promptci canary simulate` found."""

    schema_: Literal["promptci/canary-simulation/v1"] = Field(default="promptci/canary-simulation/v1", alias="schema")
    per_day: float
    users: float | None
    before: float
    after: float
    lag_s: float
    schedule_s: float
    cache_s: float
    runs: int
    rolled_back: float = Field(description="Share of all canaries that some step rolled back.")
    promoted: float = Field(description="Share of all canaries that reached all traffic.")
    steps: list[SimulatedStep]


def simulate_canary(request: SimulationRequest) -> SimulationDocument:
    """Simulate canaries by the policy of an environment.

    Raises
    ------
    UsageError
        For rates that are none, and for a policy that does not test quality.
    """
    for name, rate in (("--from", request.before), ("--to", request.after)):
        if not 0 < rate < 1:
            raise UsageError(f"{name} is {rate:g}", "Give a share of good answers between 0 and 1, such as .96.")
    amounts = {
        "--per-day": request.per_day,
        "--users": request.users or 1,
        "--schedule": request.schedule_s,
        "--cache": request.cache_s,
    }
    for name, amount in amounts.items():
        if not math.isfinite(amount):
            raise UsageError(f"{name} is {amount}", "Give a finite number.")
    policy = _load_policy(request)
    if QUALITY not in dict(policy.limits):
        raise UsageError("The policy does not test quality", "Give `max_quality_drop` a limit, or leave out --env.")
    scenario = Scenario(
        per_day=request.per_day,
        before=request.before,
        after=request.after,
        policy=policy,
        users=request.users,
        schedule_s=request.schedule_s,
        cache_s=request.cache_s,
        runs=request.runs,
    )
    steps = simulate(scenario)
    rolled_back = sum(int((step.outcome == ROLLED_BACK).sum()) for step in steps)
    compared = sum(step < 100 for step in policy.steps)
    promoted = int((steps[-1].outcome == PROMOTED).sum()) if len(steps) == compared else 0
    return SimulationDocument(
        per_day=request.per_day,
        users=request.users,
        before=request.before,
        after=request.after,
        lag_s=policy.lag_s,
        schedule_s=request.schedule_s,
        cache_s=request.cache_s,
        runs=request.runs,
        rolled_back=rolled_back / request.runs,
        promoted=promoted / request.runs,
        steps=[_describe_step(step, scenario) for step in steps],
    )


def _load_policy(request: SimulationRequest) -> CanaryPolicy:
    if request.environment is None:
        return CanaryPolicy()
    snapshot = Repo.discover(request.root).snapshot(WORK_TREE)
    return load_environment(snapshot, request.environment).deployment.policy


def _describe_step(step: StepOutcomes, scenario: Scenario) -> SimulatedStep:
    outcomes = []
    for outcome in (ROLLED_BACK, PROMOTED, HELD):
        which = step.outcome == outcome
        if not which.any():
            continue
        part = replace(
            step, outcome=step.outcome[which], possible_s=step.possible_s[which], delay_s=step.delay_s[which]
        )
        bad = part.requests(part.total_s, scenario.per_day) * (1 - scenario.after)
        outcomes.append(
            SimulatedOutcome(
                outcome=outcome,
                share_of_canaries=float(which.mean()),
                possible_s=_spread(part.possible_s),
                delay_s=_spread(part.delay_s),
                requests=_spread(part.requests(part.possible_s, scenario.per_day)),
                delay_requests=_spread(part.requests(part.delay_s, scenario.per_day)),
                bad_answers=_spread(bad),
            )
        )
    return SimulatedStep(share=step.share, reached=len(step.outcome), outcomes=outcomes)


def _spread(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Spread:
    return Spread(median=float(np.median(values)), nine_in_ten=float(np.quantile(values, 0.9)))


def simulation_lines(document: SimulationDocument) -> Iterator[str]:
    """Yield what a person reads."""
    people = "each of another user" if document.users is None else f"of {document.users:,.0f} users"
    yield (
        f"{document.runs:,} canaries, {document.before:.4g} → {document.after:.4g} good answers,"
        f" {document.per_day:,.0f} requests a day, {people}"
    )
    yield f"rolled back: {document.rolled_back:.1%}, given all traffic: {document.promoted:.1%}"
    for step in document.steps:
        yield f"at {step.share:g}% (reached by {step.reached:,}):"
        for outcome in step.outcomes:
            yield from _outcome_lines(outcome)
    yield (
        f"The delay is the log's {duration(document.lag_s)}, a look every {duration(document.schedule_s)}, and"
        f" {duration(document.cache_s)} until applications have the new bundle. Only quality is simulated."
    )


def _outcome_lines(outcome: SimulatedOutcome) -> Iterator[str]:
    if outcome.outcome == HELD:
        undecided = duration(outcome.possible_s.median)
        yield f"  held for a person: {outcome.share_of_canaries:.1%}, undecided after {undecided}"
        return
    yield (
        f"  {outcome.outcome}: {outcome.share_of_canaries:.1%}; possible after"
        f" {duration(outcome.possible_s.median)} (nine in ten: {duration(outcome.possible_s.nine_in_ten)}),"
        f" then {duration(outcome.delay_s.median)} of delay"
    )
    total = outcome.requests.median + outcome.delay_requests.median
    yield (
        f"    the canary answered {total:,.0f} requests: {outcome.requests.median:,.0f} until then"
        f" (nine in ten: {outcome.requests.nine_in_ten:,.0f}), {outcome.delay_requests.median:,.0f} during the delay;"
        f" about {outcome.bad_answers.median:,.0f} bad answers"
    )
