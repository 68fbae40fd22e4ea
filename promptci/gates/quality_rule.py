"""The three zones of quality: shown worse by the margin, shown not worse by it, or cannot tell."""

import math
from dataclasses import dataclass

from promptci.compare.effect import POWER, Effect
from promptci.config.policy import About, GatePolicy
from promptci.findings import Finding, NoFacts, remark
from promptci.gates.evidence import PromptEvidence, TogetherEvidence
from promptci.gates.facts import PooledFacts, QualityFacts
from promptci.gates.selftest.power_analysis import MAX_ADVISED_REPEATS
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
        return Finding(rule="no-pairs", verdict=Verdict.INCONCLUSIVE, subject=name, facts=NoFacts())
    rule, verdict = zone(shown)
    needed = estimate_needed(run, policy) if verdict is Verdict.INCONCLUSIVE else None
    facts = QualityFacts(
        measure=measured.measure,
        base=measured.reference,
        head=measured.candidate,
        pairs=measured.pairs,
        worse=measured.worse,
        better=measured.better,
        passed=_count_passed(run, measured),
        interval=None if measured.interval is None else (measured.interval.lo, measured.interval.hi),
        confidence=measured.confidence,
        p=shown.quality_p,
        alpha=policy.alpha,
        margin=policy.max_drop,
        detectable_drop=measured.detectable_drop,
        cases_needed=needed.cases if needed else None,
        repeats_needed=needed.repeats if needed else None,
        same_requests=run.plan.same_fingerprint,
        about=policy.about.value,
        max_drop=_bound(measured, policy),
        judged=run.judging is not None and run.judging.trust.trusted,
    )
    return Finding(rule=rule, verdict=verdict, subject=name, facts=facts)


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
    effect = run.effect
    if effect is None or effect.variance is None:
        return None
    if policy.about is About.GOLDENS and effect.on_these_cases is not None:
        return _needed_for_goldens(effect, policy, in_rounds=_is_in_rounds(run))
    # Seeing no difference does not show that there is none: half a pair stands in.
    variance = max(effect.variance, 0.5 / effect.pairs)
    cases = power.cases_needed(policy.max_drop, variance, alpha=policy.alpha, power=POWER)
    if cases <= effect.pairs:
        return None
    times = math.ceil(cases / effect.pairs) * effect.repeats
    repeats = None if effect.clustered or times > MAX_ADVISED_REPEATS else times
    return Needed(cases=cases, more=cases - effect.pairs, repeats=repeats)


def _is_in_rounds(run: PromptRun) -> bool:
    return run.samples is not None and bool(run.samples.design.rounds)


def _needed_for_goldens(effect: Effect, policy: GatePolicy, *, in_rounds: bool) -> Needed | None:
    """Estimate by the bound that decides about these goldens: what counts is the number of answers.

    Where the cases are asked in rounds, more cases are asked less often, so that each of those needed counts once.
    """
    variance = max((effect.variance or 0.0) * effect.repeats, 0.5 / effect.pairs)
    answers = power.answers_needed(policy.max_drop, variance, alpha=policy.alpha, power=POWER)
    cases = answers if in_rounds else math.ceil(answers / effect.repeats)
    if answers <= effect.pairs * effect.repeats or cases <= effect.pairs:
        return None
    times = math.ceil(answers / effect.pairs)
    return Needed(cases=cases, more=cases - effect.pairs, repeats=times if times <= MAX_ADVISED_REPEATS else None)
