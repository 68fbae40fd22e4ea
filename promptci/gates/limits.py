"""Limits beside the quality rule: missing answers, critical cases, absolute quality, cost and p95 latency."""

from collections.abc import Sequence

from promptci.config.policy import GatePolicy
from promptci.findings import Finding, remark
from promptci.gates.facts import CostFacts, CriticalFacts, ExcludedFacts, MinQualityFacts, MissingAnswers, P95Facts
from promptci.runs.model import Arm, Status
from promptci.scoring.comparison import Comparison
from promptci.scoring.judges import pairwise
from promptci.verdict import Verdict


def too_little_evaluated(comparison: Comparison, policy: GatePolicy) -> Finding | None:
    """Return the error that so many answers are missing that nothing can be concluded; None where enough are there."""
    nothing = (
        comparison.answers_requested == comparison.errors or comparison.head is None or comparison.head.evaluated == 0
    )
    # Pairs on which a judge flips are unscored, but nothing failed: `position-bias` decides about them.
    flipped = sum(scored.is_flipped for case in comparison.cases for scored in (*case.base, *case.head))
    missing = comparison.errors - flipped
    if not nothing and missing / comparison.answers_requested <= policy.max_error_rate:
        return None
    if nothing and missing == 0 and flipped:
        return None
    errors = (scored.error for case in comparison.cases for scored in (*case.base, *case.head))
    return Finding(
        rule="nothing-evaluated" if nothing else "error-rate",
        verdict=Verdict.ERROR,
        subject=comparison.plan.name,
        facts=MissingAnswers(
            missing=missing,
            requested=comparison.answers_requested,
            max_error_rate=policy.max_error_rate,
            first_error=next((str(error) for error in errors if error is not None), None),
        ),
    )


def all_excluded(comparison: Comparison) -> Finding | None:
    """Return that every case is excluded, so that there is nothing to decide by."""
    reasons = sorted({case.excluded_reason for case in comparison.cases if case.excluded_reason is not None})
    if not reasons or len(comparison.excluded) < len(comparison.cases):
        return None
    facts = ExcludedFacts(
        ids=tuple(case.case.id for case in comparison.cases), cases=len(comparison.cases), reasons=tuple(reasons)
    )
    return Finding(rule="all-excluded", verdict=Verdict.INCONCLUSIVE, subject=comparison.plan.name, facts=facts)


def critical(comparison: Comparison) -> Sequence[Finding]:
    """Find critical cases that broke, or that a new prompt fails."""
    added = comparison.plan.status is Status.ADDED
    if added:
        ids = [case.case.id for case in comparison.cases if case.counts_as_critical and case.pass_rate(Arm.HEAD) == 0.0]
    else:
        ids = [case.case.id for case in comparison.compared if case.critical_broke]
    if not ids:
        return []
    facts = CriticalFacts(ids=tuple(ids), added=added)
    return [Finding(rule="critical", verdict=Verdict.FAIL, subject=comparison.plan.name, facts=facts)]


def min_quality(comparison: Comparison, policy: GatePolicy) -> Sequence[Finding]:
    """Check the absolute limit on head's quality over all of its cases, new and changed ones included."""
    head = comparison.head
    if policy.min_quality is None or head is None or head.quality is None:
        return []
    name = comparison.plan.name
    if pairwise.has_pairwise_results(scored for case in comparison.cases for scored in case.head):
        return [remark("min-quality", name, MinQualityFacts(quality=None, limit=policy.min_quality))]
    if head.quality >= policy.min_quality:
        return []
    facts = MinQualityFacts(quality=head.quality, limit=policy.min_quality)
    return [Finding(rule="min-quality", verdict=Verdict.FAIL, subject=name, facts=facts)]


def cost(comparison: Comparison, policy: GatePolicy) -> Sequence[Finding]:
    """Check the limit on the rise of cost per request."""
    base, head = comparison.base, comparison.head
    if policy.max_cost_increase is None or base is None or head is None:
        return []
    before, after = (None if arm.cost_per_request is None else float(arm.cost_per_request) for arm in (base, head))
    facts = CostFacts(base=before, head=after, limit=policy.max_cost_increase)
    if before is None or after is None:
        return [remark("cost", comparison.plan.name, facts)]
    if facts.rise is None or facts.rise <= policy.max_cost_increase:
        return []
    return [Finding(rule="cost", verdict=Verdict.FAIL, subject=comparison.plan.name, facts=facts)]


def p95(comparison: Comparison, policy: GatePolicy) -> Sequence[Finding]:
    """Check the limit on the rise of the 95th percentile of latency.

    Where one version's answers come from the cache and the other's do not, the times were taken on different days, and
    a limit crossed would mean nothing.
    """
    base, head = comparison.base, comparison.head
    if policy.max_p95_increase is None or base is None or head is None:
        return []
    before, after = base.latency, head.latency
    if not before.p95 or after.p95 is None or comparison.plan.same_fingerprint:
        return []
    facts = P95Facts(
        base=before.p95,
        head=after.p95,
        limit=policy.max_p95_increase,
        answers=after.n,
        certain=before.p95_certain and after.p95_certain,
        unequal_caching=(base.latency_fresh == before.n) != (head.latency_fresh == after.n),
    )
    if facts.rise <= policy.max_p95_increase:
        return []
    if facts.unequal_caching or not facts.certain:
        return [remark("p95", comparison.plan.name, facts)]
    return [Finding(rule="p95", verdict=Verdict.FAIL, subject=comparison.plan.name, facts=facts)]
