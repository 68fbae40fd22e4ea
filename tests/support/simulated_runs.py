"""Simulated pull requests put to the whole default gate: rounds and every rule that can block.

Twice: through the deciding code itself (`next_answers` asks for rounds, `compare_versions` measures and `decide`
decides), and from the rules' own functions without answers as objects, which is faster. A test puts the same draws to
both.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from functools import lru_cache

import numpy as np
from support.comparison_notation import prompt
from support.plans import prompt_plan
from support.shared_results import kept_state
from support.simulated_answers import POLICY, Draws, Setting, draw
from support.simulated_rules import Outcome, decide_draws_fast, find_flipped_critical_cases

from promptci.gates.decide import decide
from promptci.gates.repeat_rule import next_answers
from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm, PlannedCase, PromptPlan, Status
from promptci.scoring.comparison import compare_versions
from promptci.scoring.model import AssertionResult, ScoredCase
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict

RESULTS = {
    passed: (AssertionResult(type="t", name="t", passed=passed, score=float(passed), reason=""),)
    for passed in (True, False)
}


@dataclass(frozen=True, kw_only=True)
class Shares:
    """How often simulated runs ended so, as shares of all."""

    failed: float
    passed: float
    wrongly_passed: float
    """Passed although these goldens truly fell by the margin or more."""
    calls: float
    """Mean calls of a run."""


SHARES = tuple(each.name for each in fields(Shares))


def simulate(setting: Setting, *, runs: int, seed: int = 1) -> Shares:
    """Return how often simulated runs end in each verdict, through the deciding code itself."""
    return _simulate(setting, runs, seed, fast=False)


def simulate_fast(setting: Setting, *, runs: int, seed: int = 1) -> Shares:
    """Return the same from the rules' own functions, some five times as fast."""
    return _simulate(setting, runs, seed, fast=True)


def simulate_each(settings: Sequence[Setting], *, runs: int) -> Shares:
    """Return the shares over all settings, each with so many runs."""
    shares = [simulate_fast(setting, runs=runs, seed=number) for number, setting in enumerate(settings)]
    return Shares(**{name: float(np.mean([getattr(each, name) for each in shares])) for name in SHARES})


def _simulate(setting: Setting, runs: int, seed: int, *, fast: bool) -> Shares:
    with kept_state(f"{setting} {seed} {fast}", lambda: _Simulation(setting, seed)) as simulation:
        while len(simulation.outcomes) < runs:
            parts = [draw(setting, simulation.rng) for _ in range(setting.prompts)]
            simulation.outcomes.append((decide_draws_fast if fast else decide_draws)(setting, parts))
            simulation.fell.append(any(part.true_drop >= POLICY.max_drop - 1e-9 for part in parts))
    outcomes, fell = simulation.outcomes[:runs], simulation.fell[:runs]
    passed = [outcome.verdict is Verdict.PASS for outcome in outcomes]
    return Shares(
        failed=float(np.mean([outcome.verdict is Verdict.FAIL for outcome in outcomes])),
        passed=float(np.mean(passed)),
        wrongly_passed=float(np.mean([p and f for p, f in zip(passed, fell, strict=True)])),
        calls=float(np.mean([outcome.calls for outcome in outcomes])),
    )


class _Simulation:
    """The runs of a setting so far. The first ones of many runs are the same as those of few."""

    def __init__(self, setting: Setting, seed: int) -> None:
        self.rng = np.random.default_rng([seed, setting.cases, setting.critical, setting.prompts])
        self.outcomes: list[Outcome] = []
        self.fell: list[bool] = []
        """Whether these goldens truly fell by the margin or more."""


def decide_draws(setting: Setting, parts: Sequence[Draws]) -> Outcome:
    """Put the answers drawn for each prompt to the deciding code itself."""
    compared = [_compare(setting, part) for part in parts]
    verdict = decide([comparison for comparison, _ in compared], POLICY).verdict
    return Outcome(verdict, sum(calls for _, calls in compared))


@lru_cache(maxsize=64)
def _plan(setting: Setting) -> PromptPlan:
    assertion = Assertion(type="equals", value="x")
    return prompt_plan(
        name="simulated",
        path="prompts/simulated.prompt.yml",
        status=Status.CHANGED,
        base=prompt("old"),
        head=prompt("new"),
        first_repeats=1,
        confirmation_answers=setting.budget.critical_answers,
        rounds=setting.rounds,
        cases=tuple(
            PlannedCase(case=Case(id=f"c{i:03}", path="g", critical=i < setting.critical, assertions=(assertion,)))
            for i in range(setting.cases)
        ),
    )


@dataclass
class _Versions:
    """The answers of both versions to one prompt's cases, as they are asked for."""

    draws: Draws
    plan: PromptPlan
    scored: list[ScoredCase] = field(default_factory=list)

    def ask(self, index: int, replicate: int) -> None:
        """Ask each version once."""
        self.scored += [self._answer(index, arm, side, replicate) for side, arm in enumerate(Arm)]

    def _answer(self, index: int, arm: Arm, side: int, replicate: int) -> ScoredCase:
        case, at = self.plan.task.cases[index].case, (index, replicate)
        passed, cost, latency = (
            float(drawn[side][at]) for drawn in (self.draws.passes, self.draws.costs, self.draws.latencies)
        )
        missing = math.isnan(passed)
        answer = Answer(
            prompt="simulated",
            arm=arm,
            case_id=case.id,
            replicate=replicate,
            request_key=f"{arm}{case.id}",
            completion=None if missing else Completion(text="", model="m", latency_ms=latency),
            error=AnswerError(kind="timeout", message="timed out") if missing else None,
            cost_usd=None if missing else Decimal(f"{cost:.6f}"),
        )
        results = () if missing else RESULTS[passed > 0]
        return ScoredCase(case=case, arm=arm, replicate=replicate, answer=answer, results=results)


def _compare(setting: Setting, draws: Draws) -> tuple[PromptRun, int]:
    """Return one prompt's comparison, and the calls."""
    plan = _plan(setting)
    versions = _Versions(draws, plan)
    answered = 0
    further: int | None = 1
    while further is not None:
        for replicate in range(answered, further):
            for index in range(setting.cases):
                versions.ask(index, replicate)
        answered = further
        plan = plan.with_estimate(answered)
        further = next_answers(PromptRun(plan=plan, scored=versions.scored), POLICY, setting.prompts)
    for index in find_flipped_critical_cases(setting, draws, answered):
        for replicate in range(answered, plan.task.confirmation_answers):
            versions.ask(index, replicate)
    run = PromptRun(plan=plan, scored=versions.scored)
    return compare_versions(run, alpha=POLICY.alpha, margin=POLICY.max_drop), len(versions.scored)
