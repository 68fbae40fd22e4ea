"""Comparison and policy in, verdict and reasons out: three zones for quality, hard limits beside them."""

from collections.abc import Sequence

from promptci import verdict as verdicts
from promptci.compare import stratified
from promptci.config.policy import GatePolicy, OnMissingGoldens
from promptci.gates import judge_rule, limits, quality_rule
from promptci.gates.model import Decision, GateReport, Reason
from promptci.runs.model import Status
from promptci.scoring.comparability import Comparability, assess_comparability
from promptci.scoring.comparison import Comparison
from promptci.stats import corrections
from promptci.verdict import Verdict


def decide(comparisons: Sequence[Comparison], policy: GatePolicy, problems: Sequence[Reason] = ()) -> GateReport:
    """Decide every prompt and the run.

    The p-values of the prompts are corrected together (Holm), so that a pull request with many prompts is not
    blocked by chance more often than one with a single prompt. `problems` are findings about the run as a whole,
    such as a deadline reached. Versions that cannot be compared are no test.
    """
    found = [assess_comparability(c) for c in comparisons]
    sound = [not (f and f.mismatches) for f in found]
    pvalues = [c.effect.p if c.effect and fine else None for c, fine in zip(comparisons, sound, strict=True)]
    decisions = tuple(
        decide_one(c, policy, adjusted_p=p, comparability=f)
        for c, p, f in zip(comparisons, corrections.holm(pvalues), found, strict=True)
    )
    together = stratified.combine(
        c.samples
        for c, fine in zip(comparisons, sound, strict=True)
        if fine and c.samples is not None and not c.plan.same_fingerprint
    )
    return GateReport(
        decisions=decisions,
        policy=policy,
        problems=tuple(problems),
        pooled=quality_rule.together(together, policy) if together else None,
    )


def decide_one(
    comparison: Comparison, policy: GatePolicy, *, adjusted_p: float | None, comparability: Comparability | None
) -> Decision:
    """Decide one prompt: what stops us from concluding comes first, then the zones, then the limits."""
    mismatches = comparability.mismatches if comparability else ()
    reasons = list(_reasons(comparison, policy, adjusted_p, mismatches))
    return Decision(
        comparison=comparison,
        verdict=verdicts.worst(reason.verdict for reason in reasons),
        reasons=tuple(reasons),
        adjusted_p=adjusted_p,
        comparability=comparability,
    )


def _reasons(
    comparison: Comparison, policy: GatePolicy, adjusted_p: float | None, mismatches: Sequence[str]
) -> Sequence[Reason]:
    plan = comparison.plan
    if plan.status is Status.DELETED:
        return [Reason(rule="deleted", verdict=Verdict.NO_CHANGE, text="The prompt is deleted; nothing was run.")]
    if plan.missing_goldens:
        return [_missing_goldens(policy)]
    if not plan.cases:
        return [_no_cases(comparison)]
    cannot = limits.too_little_evaluated(comparison, policy)
    return [
        *([cannot] if cannot else [_judged(comparison, policy, adjusted_p, mismatches)]),
        *limits.aside(comparison),
        *limits.critical(comparison),
        *limits.min_quality(comparison, policy),
        *([] if mismatches else [*limits.cost(comparison, policy), *limits.p95(comparison, policy)]),
        *limits.goldens_changed(comparison),
        *limits.models(comparison),
        *limits.attacked(comparison),
        *limits.position_bias(comparison),
        *judge_rule.judge_remarks(comparison),
    ]


def _judged(comparison: Comparison, policy: GatePolicy, adjusted_p: float | None, mismatches: Sequence[str]) -> Reason:
    if nothing := limits.all_aside(comparison):
        return nothing
    if mismatches:
        return _not_comparable(mismatches)
    return (
        _new_prompt() if comparison.plan.base is None else quality_rule.quality(comparison.effect, policy, adjusted_p)
    )


def _missing_goldens(policy: GatePolicy) -> Reason:
    return Reason(
        rule="missing-goldens",
        verdict=Verdict.ERROR if policy.on_missing_goldens is OnMissingGoldens.ERROR else Verdict.INCONCLUSIVE,
        text="No golden set matches this prompt, so nothing was tested. Add one under the name that"
        " `prompts.goldens` gives, or testData in the prompt file.",
    )


def _no_cases(comparison: Comparison) -> Reason:
    removed = len(comparison.plan.removed_cases)
    tail = f" All {removed} cases of the base revision were removed." if removed else ""
    return Reason(
        rule="no-cases",
        verdict=Verdict.ERROR,
        text=f"The golden set is empty, so nothing was tested.{tail} Add at least one case.",
    )


def _not_comparable(mismatches: Sequence[str]) -> Reason:
    return Reason(
        rule="not-comparable",
        verdict=Verdict.INCONCLUSIVE,
        text=f"The versions are not comparable: {'; '.join(mismatches)}. Whatever differs between them may come from"
        " that, so quality, cost and latency were not compared.",
    )


def _new_prompt() -> Reason:
    return Reason(
        rule="new-prompt",
        verdict=Verdict.PASS,
        text="There is no earlier version to compare with, so only the absolute limits decide.",
    )
