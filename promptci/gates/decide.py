"""Compared prompts and policy in, verdicts and findings out: three zones for quality, limits beside them."""

from collections.abc import Sequence

from promptci import verdict as verdicts
from promptci.compare.sample import SamplePair
from promptci.config.policy import GatePolicy, OnMissingGoldens
from promptci.findings import Finding
from promptci.gates import baseline_rule, evidence, judge_rule, limits, quality_rule, remarks
from promptci.gates.baseline_facts import MismatchFacts, MissingGoldens
from promptci.gates.evidence import Multiplicity, PromptEvidence
from promptci.gates.facts import EmptyGoldens, QualityFacts, SuiteResult
from promptci.gates.model import GateReport
from promptci.runs.prompt_plan import Status
from promptci.scoring import head_goldens
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict


def decide(
    runs: Sequence[PromptRun],
    policy: GatePolicy,
    problems: Sequence[Finding] = (),
    multiplicity: Multiplicity = Multiplicity.TESTABLE,
) -> GateReport:
    """Decide every prompt, whose versions have been compared, and the run.

    All tests of all prompts share one error rate (`evidence`), so that a pull request with many prompts is not
    blocked by chance more often than one with a single prompt. `problems` are findings about the run as a whole,
    such as a deadline reached. Versions that cannot be compared are no test.
    """
    shown = evidence.assess(runs, policy, multiplicity)
    together = evidence.together(_list_pooled(runs, policy), policy)
    return GateReport(
        prompts=tuple(
            decide_one(run, policy.for_prompt(run.name), of_prompt) for run, of_prompt in zip(runs, shown, strict=True)
        ),
        policy=policy,
        problems=tuple(problems),
        pooled=quality_rule.together(together) if together else None,
    )


def _list_pooled(runs: Sequence[PromptRun], policy: GatePolicy) -> list[SamplePair]:
    """Return the samples of the prompts that are tested together: those that were compared, by the run's own margin."""
    return [
        run.samples
        for run in runs
        if run.samples and not run.mismatches and not run.plan.same_fingerprint
        if policy.for_prompt(run.name).max_drop == policy.max_drop
    ]


def decide_one(run: PromptRun, policy: GatePolicy, shown: PromptEvidence) -> PromptRun:
    """Decide one prompt: what stops us from concluding comes first, then the zones, then the limits."""
    findings = _findings(run, policy, shown)
    decided = run.with_decision(
        verdicts.worst(finding.verdict for finding in findings), findings, adjusted_p=shown.quality_p
    )
    if (compared := _compare_both_goldens(decided, policy)) is not None:
        decided.findings = (*findings, compared)
    return decided


def _compare_both_goldens(run: PromptRun, policy: GatePolicy) -> Finding | None:
    """Return what the change's own goldens would decide beside what base's do, where the change edits them."""
    if run.effect is None or run.verdict is Verdict.ERROR:
        return None
    own = head_goldens.compare_by_head_goldens(run, alpha=policy.alpha, margin=policy.max_drop)
    if own is None:
        return None
    (shown,) = evidence.assess([own], policy)
    return remarks.goldens_compared(_suite_result(run), _suite_result(decide_one(own, policy, shown)), run.name)


def _suite_result(run: PromptRun) -> SuiteResult:
    before, after = (None, None) if run.effect is None else (run.effect.reference, run.effect.candidate)
    return SuiteResult(verdict=run.verdict.value, cases=len(run.pairs), base=before, head=after)


def _findings(run: PromptRun, policy: GatePolicy, shown: PromptEvidence) -> Sequence[Finding]:
    plan = run.plan
    if plan.change.status is Status.DELETED:
        facts = EmptyGoldens(removed=len(plan.change.removed_cases))
        return [Finding(rule="deleted", verdict=Verdict.INCONCLUSIVE, subject=plan.name, facts=facts)]
    if plan.change.unreached is not None:
        unreached = plan.change.unreached
        return [Finding(rule="unreached-change", verdict=Verdict.INCONCLUSIVE, subject=plan.name, facts=unreached)]
    if plan.change.missing_goldens:
        return [_missing_goldens(run, policy, shown)]
    if not plan.task.cases:
        facts = EmptyGoldens(removed=len(plan.change.removed_cases), paths=plan.change.goldens_paths)
        return [Finding(rule="no-cases", verdict=Verdict.ERROR, subject=plan.name, facts=facts)]
    error = limits.too_little_evaluated(run, policy)
    position_bias = remarks.position_bias(run)
    undecided = bool(position_bias) and run.head is not None and run.head.evaluated == 0
    return [
        *([] if undecided else [error or _quality(run, policy, shown)]),
        *remarks.excluded(run),
        *limits.critical(run, shown),
        *limits.unanswered(run, policy, shown),
        *limits.min_quality(run, policy),
        *([] if run.mismatches else [*limits.cost(run, policy, shown), *limits.p95(run, policy, shown)]),
        *remarks.goldens_changed(run),
        *remarks.models(run),
        *remarks.cut_off(run),
        *remarks.injections(run),
        *position_bias,
        *judge_rule.judge_remarks(run),
    ]


def _quality(run: PromptRun, policy: GatePolicy, shown: PromptEvidence) -> Finding:
    if nothing := limits.all_excluded(run):
        return nothing
    if run.mismatches:
        facts = MismatchFacts(mismatches=run.mismatches)
        return Finding(rule="not-comparable", verdict=Verdict.INCONCLUSIVE, subject=run.name, facts=facts)
    if run.plan.change.base is None:
        crossed = [*limits.critical(run, shown), *limits.min_quality(run, policy)]
        crosses_limit = any(finding.verdict is Verdict.FAIL for finding in crossed)
        return baseline_rule.without_baseline(run, policy, crosses_limit=crosses_limit)
    return baseline_rule.nothing_to_lose(run, policy) or quality_rule.quality(run, policy, shown)


def _missing_goldens(run: PromptRun, policy: GatePolicy, shown: PromptEvidence) -> Finding:
    verdict = Verdict.ERROR if policy.on_missing_goldens is OnMissingGoldens.ERROR else Verdict.INCONCLUSIVE
    change = run.plan.change
    facts = MissingGoldens(removed=len(change.removed_cases), left_behind=change.leaves_goldens)
    if run.effect is not None and not run.mismatches:
        by_old = quality_rule.quality(run, policy, shown)
        if isinstance(by_old.facts, QualityFacts):
            facts = facts._replace(old_rule=by_old.rule, by_old=by_old.facts)
    return Finding(rule="missing-goldens", verdict=verdict, subject=run.name, facts=facts)
