"""What the answers of a run show, before any rule is applied: corrected p-values, bounds and confirmed breaks.

Every test that can block takes its share of one error rate (`compare/error_budget`). Its p-value is divided by that
share, so that each can be compared with `gate.alpha` itself.
"""

from collections.abc import Callable, Sequence
from enum import Enum

from promptci.compare import effect as effects
from promptci.compare import stratified
from promptci.compare.case_effect import EXACT, MIN_SCORED_CASES, measure_cases
from promptci.compare.effect import Effect
from promptci.compare.error_budget import ErrorBudget
from promptci.compare.sample import SamplePair
from promptci.compare.stratified import StratifiedEffect
from promptci.config.policy import About, GatePolicy
from promptci.lazy_dataclass import dataclass
from promptci.runs.prompt_plan import Arm
from promptci.scoring.paired_case import PairedCase
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.significance import confirmation, corrections, paired, ratio_tests


class Multiplicity(Enum):
    """Which other prompts a prompt's p-value is corrected for."""

    TESTABLE = "testable"
    """Those whose answers could have shown a regression (Tarone)."""
    ALL = "all"
    """Every prompt, whatever its answers: never less strict than `TESTABLE`."""
    NONE = "none"
    """No other: never stricter than `TESTABLE`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptEvidence:
    """What one prompt's answers show."""

    quality_p: float | None = None
    """One-sided, of `head is worse`; None where the versions are not compared."""
    is_regression: bool = False
    """A drop is shown, and estimated at the margin or more."""
    is_within_margin: bool = False
    """A drop of the margin is excluded, also with every missing answer at its worst."""
    cost_p: float | None = None
    """Of `cost rose by more than the limit`; None where it is not tested."""
    latency_p: float | None = None
    answered_p: float = 1.0
    """Of `head leaves more cases unanswered`; not corrected, it blocks nothing."""
    broken_critical: tuple[str, ...] = ()
    """Critical cases that broke, confirmed."""
    unconfirmed_critical: tuple[str, ...] = ()
    """Critical cases that base passed and head did not, of which confirming answers are missing."""
    unanswered_critical: tuple[str, ...] = ()
    """Critical cases that base answered and head did not, too few times to tell chance from a fault."""
    never_answered_critical: tuple[str, ...] = ()
    """Critical cases that base passed every time and head, asked as often, never answered."""


def assess(
    runs: Sequence[PromptRun], policy: GatePolicy, multiplicity: Multiplicity = Multiplicity.TESTABLE
) -> tuple[PromptEvidence, ...]:
    """Return what each prompt's answers show, corrected for the number of prompts and of tests."""
    budget = ErrorBudget(
        alpha=policy.alpha, prompts=sum(not run.mismatches and run.samples is not None for run in runs)
    )
    share = policy.alpha / budget.quality

    def of_comparable(p: Callable[[PromptRun, GatePolicy], float | None]) -> list[float | None]:
        return [None if run.mismatches else p(run, policy.for_prompt(run.name)) for run in runs]

    quality = of_comparable(_quality_p)
    if multiplicity is Multiplicity.ALL:
        quality = corrections.holm(quality)
    elif multiplicity is Multiplicity.TESTABLE:
        quality = corrections.tarone_holm(
            quality, [_smallest_p(run, policy.for_prompt(run.name)) for run in runs], budget.quality
        )
    cost, latency = corrections.holm(of_comparable(_cost_p)), corrections.holm(of_comparable(_latency_p))
    return tuple(
        PromptEvidence(
            quality_p=None if quality_p is None else min(1.0, quality_p * share),
            is_regression=_is_regression(run.effect, quality_p, budget.quality, policy.for_prompt(run.name)),
            is_within_margin=_is_within_margin(run, policy.for_prompt(run.name)),
            cost_p=None if cost_p is None else min(1.0, cost_p * policy.alpha / budget.cost),
            latency_p=None if latency_p is None else min(1.0, latency_p * policy.alpha / budget.latency),
            answered_p=_answered_p(run),
            broken_critical=confirmed_breaks(run),
            unconfirmed_critical=_critical_ids(run, _is_unconfirmed),
            unanswered_critical=_critical_ids(run, _is_unanswered_by_chance),
            never_answered_critical=_critical_ids(run, _is_never_answered),
        )
        for run, quality_p, cost_p, latency_p in zip(runs, quality, cost, latency, strict=True)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class TogetherEvidence:
    """What the prompts of a run show together."""

    effect: StratifiedEffect
    is_regression: bool
    """A drop is shown, and estimated at the margin or more."""


def together(pairs: Sequence[SamplePair], policy: GatePolicy) -> TogetherEvidence | None:
    """Return what several prompts show together; None for fewer than two."""
    effect = stratified.combine(pairs)
    if effect is None:
        return None
    level = ErrorBudget(alpha=policy.alpha, prompts=len(pairs)).together
    is_regression = effect.p <= level and -effect.delta >= policy.max_drop - EXACT
    return TogetherEvidence(effect=effect, is_regression=is_regression)


def _quality_p(run: PromptRun, policy: GatePolicy) -> float | None:
    effect = run.effect
    if effect is None:
        return None
    if policy.about is About.GOLDENS and effect.on_these_cases is not None:
        return effect.on_these_cases.p
    return effect.p


def _smallest_p(run: PromptRun, policy: GatePolicy) -> float:
    effect = run.effect
    if policy.about is About.GOLDENS and effect is not None and effect.on_these_cases is not None:
        return effect.on_these_cases.p_min
    return 0.0


def _is_regression(effect: Effect | None, p: float | None, level: float, policy: GatePolicy) -> bool:
    if effect is None or p is None:
        return False
    if policy.about is About.GOLDENS:
        cases = effect.on_these_cases
        return cases is not None and p <= level and cases.drop >= policy.max_drop - EXACT
    shown = p <= level and -effect.delta >= policy.max_drop - EXACT
    if effect.measure == "pass rate" and not effect.clustered and not effect.weighted:
        return shown
    # A sign-flip test of skewed differences also tells that they are skewed; the interval tells of the mean alone.
    enough = effect.measure == "pass rate" or effect.pairs >= MIN_SCORED_CASES
    return shown and enough and effect.interval is not None and effect.interval.hi < 0


def _is_within_margin(run: PromptRun, policy: GatePolicy) -> bool:
    effect, worst = run.effect, run.worst_case
    if effect is None:
        return False
    if effect.on_these_cases is None:  # both versions send the same requests
        return True
    if policy.about is About.GOLDENS:
        measured = [effect.on_these_cases, *([measure_cases(worst)] if worst else [])]
        return all(cases.is_within(policy.max_drop) for cases in measured)
    intervals = [effect.interval, *([effects.compare_samples(worst).interval] if worst else [])]
    return all(interval is not None and -interval.lo < policy.max_drop for interval in intervals)


def _cost_p(run: PromptRun, policy: GatePolicy) -> float | None:
    if policy.max_cost_increase is None or run.plan.same_fingerprint:
        return None
    costs = list_costs(run)
    return ratio_tests.cost_p([b for b, _ in costs], [a for _, a in costs], policy.max_cost_increase)


def list_costs(run: PromptRun) -> list[tuple[float, float]]:
    """Return the mean cost at base and at head of each case where both are known, in US dollars."""
    return [
        (before, after)
        for case in run.cases
        if (before := _mean_cost(case, Arm.BASE)) is not None and (after := _mean_cost(case, Arm.HEAD)) is not None
    ]


def _mean_cost(case: PairedCase, arm: Arm) -> float | None:
    costs = [answer.answer.cost_usd for answer in case.answers(arm) if answer.answer.completion is not None]
    known = [float(cost) for cost in costs if cost is not None]
    return sum(known) / len(known) if known and len(known) == len(costs) else None


def _latency_p(run: PromptRun, policy: GatePolicy) -> float | None:
    if policy.max_p95_increase is None or run.plan.same_fingerprint:
        return None
    base, head = (_latencies(run, arm) for arm in Arm)
    return ratio_tests.tail_latency_p(base, head, policy.max_p95_increase) if base and head else None


def _latencies(run: PromptRun, arm: Arm) -> list[float]:
    completions = (answer.answer.completion for case in run.cases for answer in case.answers(arm))
    return [done.latency_ms for done in completions if done is not None and done.latency_ms is not None]


def _answered_p(run: PromptRun) -> float:
    asked = [case for case in run.compared if case.base and case.head]
    lost = sum(case.pass_rate(Arm.BASE) is not None and case.pass_rate(Arm.HEAD) is None for case in asked)
    gained = sum(case.pass_rate(Arm.BASE) is None and case.pass_rate(Arm.HEAD) is not None for case in asked)
    return paired.mcnemar_midp(lost, gained)


def confirmed_breaks(run: PromptRun) -> tuple[str, ...]:
    """Return the ids of the critical cases that broke, confirmed by repeated answers of both versions."""
    return _critical_ids(run, _is_confirmed)


def _critical_ids(run: PromptRun, is_meant: Callable[[PairedCase, PromptRun], bool]) -> tuple[str, ...]:
    cases = (case for case in run.compared if case.counts_as_critical)
    return tuple(case.case.id for case in cases if is_meant(case, run))


def is_unanswered(case: PairedCase) -> bool:
    """Return whether base answered a case and head, asked too, did not."""
    return bool(case.head) and case.pass_rate(Arm.BASE) is not None and case.pass_rate(Arm.HEAD) is None


def _is_never_answered(case: PairedCase, run: PromptRun) -> bool:
    needed = run.plan.task.confirmation_answers
    base = [answer.passed for answer in case.base][:needed]
    return is_unanswered(case) and len(case.head) >= needed == base.count(True)


def _is_unanswered_by_chance(case: PairedCase, run: PromptRun) -> bool:
    return is_unanswered(case) and not _is_never_answered(case, run)


def _is_confirmed(case: PairedCase, run: PromptRun) -> bool:
    needed = run.plan.task.confirmation_answers
    base, head = ([answer.passed for answer in case.answers(arm)][:needed] for arm in Arm)
    known = None not in (*base, *head)
    return known and confirmation.is_confirmed([bool(p) for p in base], [bool(p) for p in head], needed)


def _is_unconfirmed(case: PairedCase, run: PromptRun) -> bool:
    needed = run.plan.task.confirmation_answers
    base, head = ([answer.passed for answer in case.answers(arm)][:needed] for arm in Arm)
    failing = False not in base and True in base and head.count(True) <= confirmation.MAX_PASSES and False in head
    return failing and (min(len(base), len(head)) < needed or None in (*base, *head))
