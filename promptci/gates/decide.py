"""Comparisons and policy in, verdicts and findings out: three zones for quality, limits beside them."""

from collections.abc import Sequence

from promptci import verdict as verdicts
from promptci.config.policy import GatePolicy, OnMissingGoldens
from promptci.findings import Finding, NoFacts
from promptci.gates import baseline_rule, evidence, judge_rule, limits, quality_rule, remarks
from promptci.gates.evidence import Multiplicity, PromptEvidence
from promptci.gates.facts import EmptyGoldens, MismatchFacts, SuiteResult
from promptci.gates.model import Decision, GateReport
from promptci.runs.prompt_plan import Status
from promptci.scoring import head_goldens
from promptci.scoring.comparability import Comparability, assess_comparability
from promptci.scoring.comparison import Comparison
from promptci.verdict import Verdict


def decide(
    comparisons: Sequence[Comparison],
    policy: GatePolicy,
    problems: Sequence[Finding] = (),
    multiplicity: Multiplicity = Multiplicity.TESTABLE,
) -> GateReport:
    """Decide every prompt and the run.

    All tests of all prompts share one error rate (`evidence`), so that a pull request with many prompts is not
    blocked by chance more often than one with a single prompt. `problems` are findings about the run as a whole,
    such as a deadline reached. Versions that cannot be compared are no test.
    """
    comparabilities = [assess_comparability(c) for c in comparisons]
    usable = [not (assessed and assessed.mismatches) for assessed in comparabilities]
    shown = evidence.assess(comparisons, usable, policy, multiplicity)
    decisions = tuple(
        decide_one(comparison, policy, shown=prompt_evidence, comparability=assessed)
        for comparison, prompt_evidence, assessed in zip(comparisons, shown, comparabilities, strict=True)
    )
    samples = [
        c.samples
        for c, ok in zip(comparisons, usable, strict=True)
        if ok and c.samples is not None and not c.plan.same_fingerprint
    ]
    together = evidence.together(samples, policy)
    return GateReport(
        decisions=decisions,
        policy=policy,
        problems=tuple(problems),
        pooled=quality_rule.together(together) if together else None,
    )


def decide_one(
    comparison: Comparison, policy: GatePolicy, *, shown: PromptEvidence, comparability: Comparability | None
) -> Decision:
    """Decide one prompt: what stops us from concluding comes first, then the zones, then the limits."""
    mismatches = comparability.mismatches if comparability else ()
    findings = tuple(_findings(comparison, policy, shown, mismatches))
    verdict = verdicts.worst(finding.verdict for finding in findings)
    return Decision(
        comparison=comparison,
        verdict=verdict,
        findings=(*findings, *_compare_both_goldens(comparison, verdict, policy)),
        adjusted_p=shown.quality_p,
        comparability=comparability,
    )


def _compare_both_goldens(comparison: Comparison, verdict: Verdict, policy: GatePolicy) -> Sequence[Finding]:
    """Return what the change's own goldens would decide beside what base's do, where the change edits them."""
    if comparison.effect is None or verdict is Verdict.ERROR:
        return []
    own = head_goldens.compare_by_head_goldens(comparison, alpha=policy.alpha, margin=policy.max_drop)
    if own is None:
        return []
    comparability = assess_comparability(own)
    usable = not (comparability and comparability.mismatches)
    (shown,) = evidence.assess([own], [usable], policy)
    by_own = decide_one(own, policy, shown=shown, comparability=comparability)
    results = _suite_result(comparison, verdict), _suite_result(own, by_own.verdict)
    return [remarks.goldens_compared(*results, comparison.plan.name)]


def _suite_result(comparison: Comparison, verdict: Verdict) -> SuiteResult:
    effect = comparison.effect
    before, after = (None, None) if effect is None else (effect.reference, effect.candidate)
    return SuiteResult(verdict=verdict.value, cases=len(comparison.pairs), base=before, head=after)


def _findings(
    comparison: Comparison, policy: GatePolicy, shown: PromptEvidence, mismatches: Sequence[str]
) -> Sequence[Finding]:
    plan = comparison.plan
    if plan.change.status is Status.DELETED:
        facts = EmptyGoldens(removed=len(plan.change.removed_cases))
        return [Finding(rule="deleted", verdict=Verdict.INCONCLUSIVE, subject=plan.name, facts=facts)]
    if plan.change.missing_goldens:
        return [_missing_goldens(plan.name, policy)]
    if not plan.task.cases:
        facts = EmptyGoldens(removed=len(plan.change.removed_cases))
        return [Finding(rule="no-cases", verdict=Verdict.ERROR, subject=plan.name, facts=facts)]
    error = limits.too_little_evaluated(comparison, policy)
    position_bias = remarks.position_bias(comparison)
    undecided = bool(position_bias) and comparison.head is not None and comparison.head.evaluated == 0
    return [
        *([] if undecided else [error or _quality(comparison, policy, shown, mismatches)]),
        *remarks.excluded(comparison),
        *limits.critical(comparison, shown),
        *limits.unanswered(comparison, policy, shown),
        *limits.min_quality(comparison, policy),
        *([] if mismatches else [*limits.cost(comparison, policy, shown), *limits.p95(comparison, policy, shown)]),
        *remarks.goldens_changed(comparison),
        *remarks.models(comparison),
        *remarks.injections(comparison),
        *position_bias,
        *judge_rule.judge_remarks(comparison),
    ]


def _quality(comparison: Comparison, policy: GatePolicy, shown: PromptEvidence, mismatches: Sequence[str]) -> Finding:
    if nothing := limits.all_excluded(comparison):
        return nothing
    name = comparison.plan.name
    if mismatches:
        facts = MismatchFacts(mismatches=tuple(mismatches))
        return Finding(rule="not-comparable", verdict=Verdict.INCONCLUSIVE, subject=name, facts=facts)
    if comparison.plan.change.base is None:
        return baseline_rule.without_baseline(comparison, policy)
    return baseline_rule.nothing_to_lose(comparison, policy) or quality_rule.quality(comparison, policy, shown)


def _missing_goldens(name: str, policy: GatePolicy) -> Finding:
    verdict = Verdict.ERROR if policy.on_missing_goldens is OnMissingGoldens.ERROR else Verdict.INCONCLUSIVE
    return Finding(rule="missing-goldens", verdict=verdict, subject=name, facts=NoFacts())
