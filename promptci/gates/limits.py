"""Limits besides the quality rule: missing answers, critical cases, absolute quality, cost and p95 latency."""

from collections.abc import Sequence
from statistics import fmean
from typing import TypedDict

from promptci.compare.case_effect import EXACT
from promptci.config.policy import GatePolicy
from promptci.findings import Finding, remark
from promptci.gates import evidence
from promptci.gates.evidence import PromptEvidence
from promptci.gates.facts import (
    CaseIds,
    CostFacts,
    CriticalFacts,
    ExcludedFacts,
    MinQualityFacts,
    MissingAnswers,
    P95Facts,
)
from promptci.prompts.model import Prompt
from promptci.runs.model import Answer, AnswerError
from promptci.runs.prompt_plan import Arm
from promptci.scoring.judges import pairwise
from promptci.scoring.prompt_run import PromptRun
from promptci.stats.estimates import intervals
from promptci.stats.significance.ratio_tests import MIN_RANKED_PAIRS
from promptci.verdict import Verdict

MIN_TOKEN_RISE = 0.01
"""Relative; a smaller one explains no rise of cost."""


def too_little_evaluated(run: PromptRun, policy: GatePolicy) -> Finding | None:
    """Return the error that so many answers are missing that nothing can be concluded; None where enough are there."""
    nothing = run.answers_requested == run.errors or run.head is None or run.head.evaluated == 0
    task = run.plan.task
    first = None if task.adaptive else task.first_repeats  # confirmations say nothing about how well the run went
    by_version = {arm: [scored for case in run.cases for scored in case.answers(arm)[:first]] for arm in Arm}
    # Pairs on which a judge flips are unscored, but nothing failed: `position-bias` decides about them.
    missing = {arm: sum(s.error is not None and not s.is_flipped for s in by_version[arm]) for arm in Arm}
    over = [arm for arm in Arm if by_version[arm] and missing[arm] / len(by_version[arm]) > policy.max_error_rate]
    # A refused request is a wrong answer of its version, but where every request is refused no model was tested.
    refused = [scored.answer.error for arm in Arm for scored in by_version[arm]]
    all_refused = bool(refused) and None not in refused
    if nothing and not sum(missing.values()) and run.errors:
        return None
    if not nothing and not over and not all_refused:
        return None
    both = nothing and bool(by_version[Arm.BASE]) and all(missing[arm] == len(by_version[arm]) for arm in Arm)
    counted = over[-1] if over and not nothing else Arm.HEAD
    arms = sorted(Arm, key=lambda arm: arm is not counted)
    failed = [s for arm in (arms if both else arms[:1]) for s in by_version[arm] if s.error and not s.is_flipped]
    errors = [scored.error for arm in arms for scored in by_version[arm]]
    if all_refused:
        nothing, both, missing = True, bool(by_version[Arm.BASE]), {arm: len(by_version[arm]) for arm in Arm}
        errors = [f"{error.kind}: {error.message}" for error in refused if error is not None]
    return Finding(
        rule="nothing-evaluated" if nothing else "error-rate",
        verdict=Verdict.ERROR,
        subject=run.name,
        facts=MissingAnswers(
            version="both" if both else "" if nothing else over[-1].value,
            missing=sum(missing.values()) if both else missing[counted],
            requested=sum(map(len, by_version.values())) if both else len(by_version[counted]) or run.answers_requested,
            max_error_rate=policy.max_error_rate,
            first_error=next((str(error) for error in errors if error is not None), None),
            **_describe_failures([scored.answer.error for scored in failed]),
            unscored=bool(failed) and all(scored.answer.error is None for scored in failed),
        ),
    )


class _Failures(TypedDict):
    unsent: int
    kind: str


def _describe_failures(errors: Sequence[AnswerError | None]) -> _Failures:
    """Return how many calls were never made, and the kind of error that all have in common; empty where they differ."""
    failed = [error for error in errors if error is not None]
    kinds = {error.kind for error in failed}
    return {"unsent": sum(not error.sent for error in failed), "kind": kinds.pop() if len(kinds) == 1 else ""}


def all_excluded(run: PromptRun) -> Finding | None:
    """Return that every case is excluded, so that there is nothing to decide by."""
    reasons = sorted({case.excluded_reason for case in run.cases if case.excluded_reason is not None})
    if not reasons or len(run.excluded) < len(run.cases):
        return None
    facts = ExcludedFacts(ids=tuple(case.case.id for case in run.cases), cases=len(run.cases), reasons=tuple(reasons))
    return Finding(rule="all-excluded", verdict=Verdict.INCONCLUSIVE, subject=run.name, facts=facts)


def critical(run: PromptRun, shown: PromptEvidence) -> Sequence[Finding]:
    """Find critical cases that broke or are never answered any more, or that a new prompt fails."""
    added = run.plan.change.base is None
    if added:
        ids = [case.case.id for case in run.cases if case.counts_as_critical and case.pass_rate(Arm.HEAD) == 0.0]
    else:
        ids = list(shown.broken_critical)
    facts_by_rule: dict[str, CriticalFacts | CaseIds] = {}
    if ids:
        facts_by_rule["critical"] = CriticalFacts(ids=tuple(ids), added=added)
    if shown.never_answered_critical:
        facts_by_rule["critical-never-answered"] = _name_lost_cases(run, shown.never_answered_critical)
    name = run.name
    return [
        Finding(rule=rule, verdict=Verdict.FAIL, subject=name, facts=facts) for rule, facts in facts_by_rule.items()
    ]


def unanswered(run: PromptRun, policy: GatePolicy, shown: PromptEvidence) -> Sequence[Finding]:
    """Find critical cases without a sound answer of head, and a head that leaves more cases unanswered than base."""
    lost = tuple(case.case.id for case in run.compared if evidence.is_unanswered(case))
    ids_by_rule = {
        "critical-unanswered": shown.unanswered_critical,
        "critical-unconfirmed": shown.unconfirmed_critical,
        "unanswered": lost if shown.answered_p <= policy.alpha else (),
    }
    return [
        Finding(rule=rule, verdict=Verdict.INCONCLUSIVE, subject=run.name, facts=_name_lost_cases(run, ids))
        for rule, ids in ids_by_rule.items()
        if ids
    ]


def _name_lost_cases(run: PromptRun, ids: Sequence[str]) -> CaseIds:
    """Return cases of which head has no result, and whether it is the scores that are missing."""
    answers = [scored for case in run.compared if case.case.id in ids for scored in case.head if scored.error]
    return CaseIds(ids=tuple(ids), unscored=bool(answers) and all(s.answer.error is None for s in answers))


def min_quality(run: PromptRun, policy: GatePolicy) -> Sequence[Finding]:
    """Check the absolute limit on head's quality over all of its cases, new and changed ones included."""
    head = run.head
    if policy.min_quality is None or head is None or head.quality is None:
        return []
    name = run.name
    if pairwise.has_pairwise_results(scored for case in run.cases for scored in case.head):
        return [remark("min-quality", name, MinQualityFacts(quality=None, limit=policy.min_quality))]
    if head.quality >= policy.min_quality - EXACT:
        return []
    cases = sum(case.pass_rate(Arm.HEAD) is not None for case in run.cases if case.excluded_reason is None)
    highest = intervals.wilson_of(head.quality, cases).hi
    if highest >= policy.min_quality:
        facts = MinQualityFacts(quality=head.quality, limit=policy.min_quality, upper_end=highest)
        return [remark("min-quality", name, facts)]
    facts = MinQualityFacts(quality=head.quality, limit=policy.min_quality)
    return [Finding(rule="min-quality", verdict=Verdict.FAIL, subject=name, facts=facts)]


def cost(run: PromptRun, policy: GatePolicy, shown: PromptEvidence) -> Sequence[Finding]:
    """Check the limit on the rise of cost per request."""
    base, head = run.base, run.head
    if policy.max_cost_increase is None or base is None or head is None:
        return []
    before, after = (None if arm.cost_per_request is None else float(arm.cost_per_request) for arm in (base, head))
    facts = CostFacts(base=before, head=after, limit=policy.max_cost_increase)
    if before is None or after is None:
        side = Arm.HEAD if after is None else Arm.BASE
        prompt = run.plan.change.head if side is Arm.HEAD else run.plan.change.base
        completed = [scored.answer for case in run.cases for scored in case.answers(side) if scored.answer.completion]
        if not completed:  # the missing answers are what the verdict is about
            return []
        facts = facts._replace(unpriced=_find_unpriced_model(prompt, completed))
        # Where the change itself made the cost unknown, the limit cannot be kept silently.
        lost = before is not None and all(answer.cost_usd is None for answer in completed)
        verdict = Verdict.INCONCLUSIVE if lost else Verdict.NO_CHANGE
        return [Finding(rule="cost", verdict=verdict, subject=run.name, facts=facts)]
    if facts.rise is None or facts.rise <= policy.max_cost_increase:
        return []
    facts = _add_cause(facts, run)
    certain = shown.cost_p is not None and shown.cost_p <= policy.alpha
    facts = facts._replace(p=shown.cost_p, shown=certain, cases=len(evidence.list_costs(run)), needed=MIN_RANKED_PAIRS)
    if not certain:
        return [remark("cost", run.name, facts)]
    return [Finding(rule="cost", verdict=Verdict.FAIL, subject=run.name, facts=facts)]


def _add_cause(facts: CostFacts, run: PromptRun) -> CostFacts:
    """Add what made a prompt dearer: another model, more tokens, or else the price itself."""
    change = run.plan.change
    models = (change.base.model if change.base else "", change.head.model if change.head else "")
    tokens = [_mean_tokens(run, arm) for arm in Arm]
    facts = facts._replace(base_tokens=tokens[0], head_tokens=tokens[1])
    if all(models) and models[0] != models[1]:
        return facts._replace(cause="model", models=(models[0] or "", models[1] or ""))
    if tokens[0] is None or tokens[1] is None:
        return facts
    longer_prompt, longer_answers = (
        after > before * (1 + MIN_TOKEN_RISE) for before, after in zip(*tokens, strict=True)
    )
    cause = "both" if longer_prompt and longer_answers else "prompt" if longer_prompt else "answers"
    return facts._replace(cause=cause if longer_prompt or longer_answers else "price")


def _mean_tokens(run: PromptRun, arm: Arm) -> tuple[float, float] | None:
    """Return the mean input and output tokens of a version's answers; None as soon as one is unknown."""
    completions = [scored.answer.completion for case in run.cases for scored in case.answers(arm)]
    usages = [done.usage for done in completions if done is not None]
    known = [usage for usage in usages if usage is not None]
    if not known or len(known) < len(usages):
        return None
    return fmean(usage.input_tokens for usage in known), fmean(usage.output_tokens for usage in known)


def _find_unpriced_model(prompt: Prompt | None, answers: Sequence[Answer]) -> str | None:
    """Return the model whose tokens were counted and whose price is unknown; None where there is none."""
    for answer in answers:
        completion = answer.completion
        if completion is not None and completion.usage is not None and answer.cost_usd is None:
            return completion.model or (prompt.model if prompt else None)
    return None


def p95(run: PromptRun, policy: GatePolicy, shown: PromptEvidence) -> Sequence[Finding]:
    """Check the limit on the rise of the 95th percentile of latency.

    Where one version's answers come from the cache and the other's do not, the times were taken on different days, and
    a limit crossed would mean nothing.
    """
    base, head = run.base, run.head
    if policy.max_p95_increase is None or base is None or head is None:
        return []
    before, after = base.latency, head.latency
    if not before.p95 or after.p95 is None or run.plan.same_fingerprint:
        return []
    facts = P95Facts(
        base=before.p95,
        head=after.p95,
        limit=policy.max_p95_increase,
        answers=after.n,
        certain=shown.latency_p is not None and shown.latency_p <= policy.alpha,
        unequal_caching=(base.latency_fresh == before.n) != (head.latency_fresh == after.n),
    )
    if facts.rise <= policy.max_p95_increase:
        return []
    if facts.unequal_caching or not facts.certain:
        return [remark("p95", run.name, facts)]
    return [Finding(rule="p95", verdict=Verdict.FAIL, subject=run.name, facts=facts)]
