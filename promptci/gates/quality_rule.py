"""The three zones of quality: shown worse by the margin, shown not worse by it, or cannot tell."""

import math

from promptci.compare import case_power
from promptci.compare.case_power import Asking
from promptci.compare.effect import POWER, Effect
from promptci.compare.sample import SamplePair
from promptci.config.policy import About, GatePolicy
from promptci.findings import Finding, remark
from promptci.gates.baseline_facts import ComparedCases, NoCommonCases
from promptci.gates.evidence import PromptEvidence, TogetherEvidence
from promptci.gates.facts import PooledFacts, QualityFacts
from promptci.gates.selftest.power_analysis import MAX_ADVISED_REPEATS
from promptci.lazy_dataclass import dataclass
from promptci.runs.prompt_plan import Arm
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates import power
from promptci.verdict import Verdict


def quality(run: PromptRun, policy: GatePolicy, shown: PromptEvidence) -> Finding:
    """Return in which zone the difference in quality lies.

    `fail`: a drop is shown and estimated at the margin or more. `pass`: a drop of the margin is excluded. Else
    `inconclusive`. `gate.about` decides whether that is about these goldens or about inputs like them.
    """
    measured, name = run.effect, run.name
    if measured is None:
        return _without_pairs(run)
    rule, verdict = zone(shown)
    needed = estimate_needed(run, policy) if verdict is Verdict.INCONCLUSIVE else None
    worse, better = count_changes(run, measured)
    facts = QualityFacts(
        measure=measured.measure,
        base=measured.reference,
        head=measured.candidate,
        pairs=len(run.pairs),
        worse=worse,
        better=better,
        passed=_count_passed(run, measured),
        interval=None if measured.interval is None else (measured.interval.lo, measured.interval.hi),
        confidence=measured.confidence,
        p=shown.quality_p,
        alpha=policy.alpha,
        margin=policy.max_drop,
        detectable_drop=detectable_drop(run, policy),
        cases_needed=len(run.pairs) + needed.more if needed else None,
        repeats_needed=needed.repeats if needed else None,
        same_requests=run.plan.same_fingerprint,
        about=policy.about.value,
        max_drop=_bound(measured, policy),
        judged=run.judging is not None and run.judging.trust.trusted,
        missing_decides=_count_deciding_gaps(run, measured, policy) if rule == "cannot-tell" else 0,
    )
    return Finding(rule=rule, verdict=verdict, subject=name, facts=facts)


def _without_pairs(run: PromptRun) -> Finding:
    """Return why there is nothing to compare: no case in common, or none that both versions answered."""
    if not run.compared:
        none = NoCommonCases(is_first=run.plan.has_first_goldens, uncommitted=run.plan.change.uncommitted)
        return Finding(rule="no-pairs", verdict=Verdict.INCONCLUSIVE, subject=run.name, facts=none)
    facts = ComparedCases(compared=len(run.compared))
    return Finding(rule="no-answered-pairs", verdict=Verdict.INCONCLUSIVE, subject=run.name, facts=facts)


def _count_deciding_gaps(run: PromptRun, measured: Effect, policy: GatePolicy) -> int:
    """Count the cases that lack a result, where a drop is excluded but for them."""
    cases = measured.on_these_cases
    if policy.about is About.GOLDENS:
        is_within = cases is not None and cases.is_within(policy.max_drop)
    else:
        is_within = measured.interval is not None and -measured.interval.lo < policy.max_drop
    if not is_within or run.worst_case is None:
        return 0
    return sum(any(scored.error for scored in (*case.base, *case.head)) for case in run.compared)


def zone(shown: PromptEvidence) -> tuple[str, Verdict]:
    """Return the rule that decides and its verdict."""
    if shown.is_regression:
        return "regression", Verdict.FAIL
    if shown.is_within_margin:
        return "not-worse", Verdict.PASS
    return "cannot-tell", Verdict.INCONCLUSIVE


def _bound(measured: Effect, policy: GatePolicy) -> float | None:
    """Return the upper bound of the drop on these goldens; None where inputs like them decide, or it is not known."""
    cases = measured.on_these_cases
    return cases.max_drop if policy.about is About.GOLDENS and cases is not None and cases.max_drop < 1 else None


def count_changes(run: PromptRun, measured: Effect) -> tuple[int, int]:
    """Count the cases that got worse and better, each as it is written.

    Cases that send the same requests are one to the statistics, which knows nothing of what each of them expects.
    """
    if measured.pairs == len(run.pairs):
        return measured.worse, measured.better
    arms = [pair.score if measured.measure == "mean score" else pair.pass_rate for pair in run.pairs]
    changes = [(value(Arm.HEAD) or 0.0) - (value(Arm.BASE) or 0.0) for value in arms]
    return sum(change < 0 for change in changes), sum(change > 0 for change in changes)


def _count_passed(run: PromptRun, measured: Effect) -> tuple[int, int] | None:
    """Count the cases that passed at base and at head; None where a count would not be the measured quality."""
    rates = [(pair.pass_rate(Arm.BASE), pair.pass_rate(Arm.HEAD)) for pair in run.pairs]
    whole = measured.measure == "pass rate" and all(rate in (0.0, 1.0) for pair in rates for rate in pair)
    if not whole or len({pair.case.weight for pair in run.pairs}) != 1:
        return None
    return sum(base == 1.0 for base, _ in rates), sum(head == 1.0 for _, head in rates)


def together(shown: TogetherEvidence) -> Finding:
    """Return what several prompts show together; it has a share of the error rate of its own, so that it may block."""
    pooled = shown.effect
    facts = PooledFacts(
        prompts=pooled.strata,
        pairs=pooled.pairs,
        worse=pooled.worse,
        better=pooled.better,
        delta=pooled.delta,
        p=pooled.p,
        dropped=shown.is_regression,
    )
    if shown.is_regression:
        return Finding(rule="pooled", verdict=Verdict.FAIL, subject="", facts=facts)
    return remark("pooled", "", facts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Needed:
    """What would settle the margin if nothing changed, at the spread of differences seen."""

    cases: int
    """Pairs in all."""
    more: int
    """Pairs beyond those there are."""
    repeats: int | None
    """Times to ask each of the present cases instead; None where that would be no help, or too often."""


def estimate_needed(run: PromptRun, policy: GatePolicy) -> Needed | None:
    """Estimate what would settle the margin; None where it cannot be estimated, or these pairs suffice."""
    effect, samples = run.effect, run.samples
    if policy.about is About.GOLDENS and samples is not None and effect is not None and effect.on_these_cases:
        return _needed_for_goldens(run, samples, effect, effect.on_these_cases.variance)
    if effect is None or effect.variance is None:
        return None
    # Seeing no difference does not show that there is none: half a pair stands in.
    variance = max(effect.variance, 0.5 / effect.pairs)
    cases = power.cases_needed(policy.max_drop, variance, alpha=policy.alpha, power=POWER)
    if cases <= effect.pairs:
        return None
    times = math.ceil(cases / effect.pairs) * effect.repeats
    repeats = None if effect.clustered or times > MAX_ADVISED_REPEATS else times
    return Needed(cases=cases, more=cases - effect.pairs, repeats=repeats)


def _needed_for_goldens(run: PromptRun, samples: SamplePair, effect: Effect, variance: float) -> Needed | None:
    """Estimate by the rule that decides about these goldens: what counts is the number of answers.

    Where the cases are asked in rounds, more cases are asked less often.
    """
    asking, design = find_asking(run, effect), samples.design
    if case_power.is_enough(effect.pairs, variance, asking, design):
        return None
    cases = case_power.cases_to_exclude(variance, asking, design, more_than=effect.pairs)
    answers = power.answers_needed(design.margin, variance, alpha=design.alpha, power=POWER)
    times = math.ceil(answers / effect.pairs)
    repeats = None if design.rounds or times > MAX_ADVISED_REPEATS else times
    return Needed(cases=cases, more=cases - effect.pairs, repeats=repeats)


def find_asking(run: PromptRun, effect: Effect) -> Asking:
    """Return how often each case is asked, had the rounds gone to their end."""
    rounds = run.samples.design.rounds if run.samples is not None else ()
    if not rounds:
        return Asking(repeats=effect.repeats)
    return Asking(max_calls=run.plan.task.max_calls or 2 * effect.pairs * rounds[-1])


def detectable_drop(run: PromptRun, policy: GatePolicy) -> float | None:
    """Return the smallest drop that the rule in force shows with 80 % power; None: none at all."""
    effect = run.effect
    if policy.about is not About.GOLDENS or effect is None or effect.on_these_cases is None or run.samples is None:
        return effect.detectable_drop if effect else None
    asking = find_asking(run, effect)
    return case_power.smallest_drop(effect.pairs, effect.on_these_cases.variance, asking, run.samples.design)
