"""Simulated pull requests put to the whole default gate: rounds and every rule that can block.

Each answer is drawn, then the deciding code itself takes over: `next_answers` asks for rounds, `find_follow_ups` for
confirmations, `compare_versions` measures and `decide` decides.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from support.comparison_notation import prompt
from support.plans import prompt_plan

from promptci.compare.case_effect import measure_cases, plan_rounds
from promptci.compare.error_budget import ErrorBudget
from promptci.compare.sample import Design, Sample, SamplePair
from promptci.config.policy import GatePolicy
from promptci.gates.decide import decide
from promptci.gates.evidence import together
from promptci.gates.repeat_rule import next_answers
from promptci.goldens.model import Assertion, Case
from promptci.providers.base import Completion
from promptci.runs import adaptive_repeats
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm, PlannedCase, PromptPlan, Status
from promptci.scoring.comparison import Comparison, compare_versions
from promptci.scoring.model import AssertionResult, ScoredCase
from promptci.stats import confirmation, ratio_tests
from promptci.verdict import Verdict

POLICY = GatePolicy()
AUTO_CALLS = 640
PROFILES = {"calm": (0.90, 0.05, 2, 2), "usual": (0.75, 0.05, 2, 1), "noisy": (0.50, 0.05, 2, 1)}
"""Share of cases that always pass, share that never do, and the Beta distribution of the others' pass rates."""
RESULTS = {
    passed: (AssertionResult(type="t", name="t", passed=passed, score=float(passed), reason=""),)
    for passed in (True, False)
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What the pull requests of a simulation are like."""

    profile: str
    cases: int
    critical: int = 0
    prompts: int = 1
    broken: float = 0.0
    """Share of these goldens that head answers wrong for good, by a draw among those that base passes at times."""
    sigma: float = 0.5
    """Of the logarithm of latencies."""
    slow: float = 0.01
    """Share of answers that take five times as long."""
    lost: float = 0.0
    """Share of head's wrong answers that never arrive."""


UNCHANGED = (
    Setting(profile="calm", cases=10, critical=3),
    Setting(profile="usual", cases=10),
    Setting(profile="noisy", cases=10, critical=10),
    Setting(profile="calm", cases=20, critical=5),
    Setting(profile="usual", cases=20, critical=5, sigma=1.0),
    Setting(profile="noisy", cases=20, critical=20),
    Setting(profile="calm", cases=50),
    Setting(profile="usual", cases=50, critical=5),
    Setting(profile="noisy", cases=50, critical=20, sigma=0.7, slow=0.03),
    Setting(profile="usual", cases=100, critical=5, sigma=0.7, slow=0.02),
    Setting(profile="noisy", cases=100, critical=20, sigma=1.0, slow=0.03),
    Setting(profile="usual", cases=200, critical=10),
    Setting(profile="usual", cases=20, critical=5, prompts=5),
)
"""Pull requests that change nothing."""
BROKEN = (
    Setting(profile="calm", cases=1, broken=1.0),
    Setting(profile="calm", cases=2, broken=1.0),
    Setting(profile="calm", cases=3, broken=1.0),
    Setting(profile="usual", cases=10, broken=0.1),
    Setting(profile="usual", cases=20, broken=0.1),
    Setting(profile="usual", cases=50, broken=0.1),
    Setting(profile="usual", cases=20, broken=0.05),
    Setting(profile="usual", cases=50, broken=0.06),
    Setting(profile="noisy", cases=50, broken=0.1),
    Setting(profile="usual", cases=100, broken=0.08, lost=0.8),
    Setting(profile="usual", cases=100, broken=0.08, lost=1.0),
)
"""Pull requests in which so many of these goldens break for good."""


@dataclass(frozen=True, kw_only=True)
class Shares:
    """How often simulated runs ended so, as shares of all."""

    failed: float
    passed: float
    wrongly_passed: float
    """Passed although these goldens truly fell by the margin or more."""
    calls: float
    """Mean calls of a run."""


@lru_cache(maxsize=64)
def _plan(cases: int, critical: int, prompts: int) -> PromptPlan:
    budget = ErrorBudget(alpha=POLICY.alpha, prompts=prompts, critical_cases=critical * prompts)
    return prompt_plan(
        name="simulated",
        path="prompts/simulated.prompt.yml",
        status=Status.CHANGED,
        base=prompt("old"),
        head=prompt("new"),
        first_repeats=1,
        confirmation_answers=budget.critical_answers,
        rounds=plan_rounds(cases, AUTO_CALLS),
        cases=tuple(
            PlannedCase(
                case=Case(
                    id=f"c{i}", path="g", critical=i < critical, assertions=(Assertion(type="equals", value="x"),)
                )
            )
            for i in range(cases)
        ),
    )


class _Versions:
    """The answers of both versions to one prompt's cases, drawn when they are asked for."""

    def __init__(self, setting: Setting, plan: PromptPlan, rng: np.random.Generator) -> None:
        self._setting, self._plan, self._rng = setting, plan, rng
        base, head = draw_rates(setting, rng)
        self._rates = dict(zip(Arm, (base, head), strict=True))
        self._length = rng.lognormal(0, 0.35, setting.cases)
        self.true_drop = float((base - head).mean())
        self.scored: list[ScoredCase] = []

    def ask(self, index: int, replicate: int) -> None:
        """Draw one answer of each version."""
        for arm in Arm:
            passed = bool(self._rng.random() < self._rates[arm][index])
            missing = arm is Arm.HEAD and not passed and self._rng.random() < self._setting.lost
            self.scored.append(self._answer(index, arm, replicate, passed=passed, missing=missing))

    def _answer(self, index: int, arm: Arm, replicate: int, *, passed: bool, missing: bool) -> ScoredCase:
        case, rng = self._plan.task.cases[index].case, self._rng
        slow = 5.0 if rng.random() < self._setting.slow else 1.0
        cost = 0.3 + 0.7 * float(self._length[index] * rng.lognormal(0, 0.35))
        answer = Answer(
            prompt="simulated",
            arm=arm,
            case_id=case.id,
            replicate=replicate,
            request_key=f"{arm}{case.id}",
            completion=None
            if missing
            else Completion(text="", model="m", latency_ms=float(slow * rng.lognormal(6, self._setting.sigma))),
            error=AnswerError(kind="timeout", message="timed out") if missing else None,
            cost_usd=None if missing else Decimal(f"{cost:.6f}"),
        )
        results = () if missing else RESULTS[passed]
        return ScoredCase(case=case, arm=arm, replicate=replicate, answer=answer, results=results)


def _compare(setting: Setting, rng: np.random.Generator) -> tuple[Comparison, float, int]:
    """Return one prompt's comparison, the true drop on its cases, and the calls."""
    plan = _plan(setting.cases, setting.critical, setting.prompts)
    versions = _Versions(setting, plan, rng)
    answered = 0
    further: int | None = 1
    while further is not None:
        for replicate in range(answered, further):
            for index in range(setting.cases):
                versions.ask(index, replicate)
        answered = further
        plan = plan.with_estimate(answered)
        further = next_answers(plan, tuple(versions.scored), POLICY, setting.prompts)
    _confirm(setting, plan, versions, answered)
    comparison = compare_versions(plan, versions.scored, alpha=POLICY.alpha, margin=POLICY.max_drop)
    return comparison, versions.true_drop, len(versions.scored)


def _confirm(setting: Setting, plan: PromptPlan, versions: _Versions, answered: int) -> None:
    """Ask again what would confirm a critical break."""
    for index in range(setting.critical):
        own = [scored for scored in versions.scored if scored.case.id == f"c{index}"]
        base, head = ([scored.passed for scored in own if scored.arm is arm] for arm in Arm)
        if adaptive_repeats.needs_repeat(base, head, adaptive=False):
            for replicate in range(answered, plan.task.confirmation_answers):
                versions.ask(index, replicate)


def simulate(setting: Setting, *, runs: int, seed: int = 1) -> Shares:
    """Return how often simulated runs end in each verdict."""
    rng = np.random.default_rng([seed, setting.cases, setting.critical, setting.prompts])
    verdicts: list[tuple[Verdict, bool, int]] = []
    for _ in range(runs):
        parts = [_compare(setting, rng) for _ in range(setting.prompts)]
        verdict = decide([comparison for comparison, _, _ in parts], POLICY).verdict
        fell = any(drop >= POLICY.max_drop - 1e-9 for _, drop, _ in parts)
        verdicts.append((verdict, fell, sum(calls for _, _, calls in parts)))
    return Shares(
        failed=_share([verdict is Verdict.FAIL for verdict, _, _ in verdicts]),
        passed=_share([verdict is Verdict.PASS for verdict, _, _ in verdicts]),
        wrongly_passed=_share([verdict is Verdict.PASS and fell for verdict, fell, _ in verdicts]),
        calls=float(np.mean([calls for _, _, calls in verdicts])),
    )


def simulate_fast(setting: Setting, *, runs: int, seed: int = 1) -> Shares:
    """Return the same from the rules' own functions without answers as objects: some thirty times as fast.

    A test puts the same draws to both.
    """
    rng = np.random.default_rng([seed, setting.cases, setting.critical, setting.prompts])
    verdicts = []
    for _ in range(runs):
        parts = [_FastPrompt(setting, rng) for _ in range(setting.prompts)]
        failed = any(part.failed for part in parts) or _together(parts)
        verdict = "fail" if failed else "pass" if all(part.passed for part in parts) else "inconclusive"
        fell = any(part.true_drop >= POLICY.max_drop - 1e-9 for part in parts)
        verdicts.append((verdict, fell, sum(part.calls for part in parts)))
    return Shares(
        failed=_share([verdict == "fail" for verdict, _, _ in verdicts]),
        passed=_share([verdict == "pass" for verdict, _, _ in verdicts]),
        wrongly_passed=_share([verdict == "pass" and fell for verdict, fell, _ in verdicts]),
        calls=float(np.mean([calls for _, _, calls in verdicts])),
    )


class _FastPrompt:
    """One prompt of a simulated pull request, decided."""

    def __init__(self, setting: Setting, rng: np.random.Generator) -> None:
        n = setting.cases
        budget = ErrorBudget(
            alpha=POLICY.alpha, prompts=setting.prompts, critical_cases=setting.critical * setting.prompts
        )
        rounds = plan_rounds(n, AUTO_CALLS)
        most = max(rounds[-1], budget.critical_answers)
        base, head = draw_rates(setting, rng)
        answers = [(rng.random((n, most)) < rates[:, None]).astype(float) for rates in (base, head)]
        answers[1][(answers[1] == 0) & (rng.random((n, most)) < setting.lost)] = np.nan
        design = Design(alpha=POLICY.alpha, margin=POLICY.max_drop, rounds=rounds)
        for answered in rounds:
            self.pair, worst = _pairs(answers, answered, design)
            effect = measure_cases(self.pair) if self.pair else None
            regressed = effect is not None and effect.is_regression(POLICY.max_drop, budget.quality_per_prompt)
            within = effect is not None and effect.is_within(POLICY.max_drop)
            self.passed = within and (worst is None or measure_cases(worst).is_within(POLICY.max_drop))
            if regressed or self.passed:
                break
        self.calls = 2 * n * answered
        lost = np.isnan(answers[1][:, :answered]).mean() > POLICY.max_error_rate
        self.failed = (regressed and not lost) or _critical_broke(setting, answers, budget.critical_answers)
        self.failed = self.failed or _limits_exceeded(setting, rng, answered, budget)
        self.passed = self.passed and not lost
        self.true_drop = float((base - head).mean())


def draw_rates(setting: Setting, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return each case's chance of passing at base and at head."""
    always, never, a, b = PROFILES[setting.profile]
    kind = rng.random(setting.cases)
    base = np.where(kind < always, 1.0, np.where(kind < always + never, 0.0, rng.beta(a, b, setting.cases)))
    head = base.copy()
    count = round(setting.broken * setting.cases)
    if count:
        able = np.flatnonzero(base > 0)
        head[rng.choice(able, size=min(count, len(able)), replace=False)] = 0.0
    return base, head


def _pairs(
    answers: list[NDArray[np.float64]], answered: int, design: Design
) -> tuple[SamplePair | None, SamplePair | None]:
    """Return the complete pairs, and the worst case where an answer is missing."""
    base, head = (side[:, :answered] for side in answers)
    known = ~np.isnan(head).all(axis=1)
    missing = np.isnan(head).any()
    whole = _pair(base, head, design)
    complete = _pair(base[known], head[known], design) if known.any() else None
    return complete, whole.in_worst_case() if missing else None


def _pair(base: NDArray[np.float64], head: NDArray[np.float64], design: Design) -> SamplePair:
    ids = tuple(f"c{i}" for i in range(len(base)))
    reference, candidate = (
        Sample(ids=ids, values=tuple(tuple(None if math.isnan(v) else v for v in row) for row in side.tolist()))
        for side in (base, head)
    )
    return SamplePair(reference=reference, candidate=candidate, design=design)


def _critical_broke(setting: Setting, answers: list[NDArray[np.float64]], needed: int) -> bool:
    return any(
        confirmation.is_confirmed([bool(v) for v in base], [bool(v) for v in head], needed)
        for base, head in zip(*(side[: setting.critical, :needed] for side in answers), strict=True)
        if not np.isnan(head).any()
    )


def _limits_exceeded(setting: Setting, rng: np.random.Generator, answered: int, budget: ErrorBudget) -> bool:
    shape = (setting.cases, answered)
    length = rng.lognormal(0, 0.35, setting.cases)[:, None]
    base_cost, head_cost = (
        (0.3 + 0.7 * length * rng.lognormal(0, 0.35, shape)).mean(axis=1).tolist() for _ in range(2)
    )
    cost_p = ratio_tests.cost_p(base_cost, head_cost, 0.25)
    base_ms, head_ms = (
        (rng.lognormal(6, setting.sigma, shape) * np.where(rng.random(shape) < setting.slow, 5, 1)).ravel().tolist()
        for _ in range(2)
    )
    latency_p = ratio_tests.tail_latency_p(base_ms, head_ms, 0.3)
    prompts = setting.prompts
    return (cost_p is not None and cost_p <= budget.cost / prompts) or latency_p <= budget.latency / prompts


def _together(parts: Sequence[_FastPrompt]) -> bool:
    shown = together([part.pair for part in parts if part.pair is not None], POLICY)
    return shown is not None and shown.is_regression


def _share(outcomes: Sequence[bool]) -> float:
    return sum(outcomes) / len(outcomes)
