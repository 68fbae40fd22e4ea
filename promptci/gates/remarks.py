"""What a reader must know and what decides nothing: excluded cases, changed goldens, other models, injections."""

from collections.abc import Sequence

from promptci.findings import Finding, remark
from promptci.gates.facts import (
    CaseIds,
    CutOffFacts,
    EditedGoldens,
    EndpointFacts,
    ExcludedFacts,
    FailingNewCases,
    InjectionFacts,
    OddAnswers,
    PositionBiasFacts,
    ReturnedModels,
    SuiteResult,
    WeakenedGoldens,
)
from promptci.runs.prompt_plan import Arm
from promptci.scoring import comparability, odd_models
from promptci.scoring.judges import pairwise, prompt_injection
from promptci.scoring.prompt_run import PromptRun
from promptci.verdict import Verdict

INCOMPLETE = ("length", "content_filter")
"""Values of `finish_reason` of an answer that is not complete."""
HALF = 0.5
"""Share of right answers below which a case fails."""
NEARLY_ALL, MANY = 0.9, 0.5
"""Shares of incomplete answers: of head's at least, and of base's at most, where nothing can be concluded."""


def excluded(run: PromptRun) -> Sequence[Finding]:
    """Name the cases that were asked and do not count; where none counts, `limits.all_excluded` says so."""
    if len(run.excluded) == len(run.cases):
        return []
    ids_by_reason: dict[str, list[str]] = {}
    for case in run.excluded:
        ids_by_reason.setdefault(case.excluded_reason or "", []).append(case.case.id)
    return [
        remark(
            "excluded",
            run.name,
            ExcludedFacts(ids=tuple(ids), cases=len(run.cases), reasons=(reason,)),
        )
        for reason, ids in ids_by_reason.items()
    ]


def goldens_changed(run: PromptRun) -> Sequence[Finding]:
    """Name golden cases that were removed, or whose expectations changed, in the same change."""
    plan = run.plan
    removed, weakened = plan.change.removed_cases, plan.change.loosened_cases
    facts = WeakenedGoldens(ids=tuple(weakened), base_decides=not plan.same_fingerprint)
    return [
        *([remark("goldens-removed", plan.name, CaseIds(ids=tuple(removed)))] if removed else []),
        *([remark("goldens-weakened", plan.name, facts)] if weakened else []),
        *_failing_new_cases(run),
    ]


def _failing_new_cases(run: PromptRun) -> Sequence[Finding]:
    """Name the cases that the change adds and fails: no comparison shows them, for base has no answer to beat."""
    if run.plan.change.base is None:  # all cases are new, and the absolute limits decide
        return []
    added = [case for case in run.cases if case.change == "new" and case.excluded_reason is None]
    failing = [case for case in added if (rate := case.pass_rate(Arm.HEAD)) is not None and rate < HALF]
    if not failing:
        return []
    failing.sort(key=lambda case: not case.case.critical)
    facts = FailingNewCases(
        ids=tuple(case.case.id for case in failing),
        added=len(added),
        critical=sum(case.case.critical for case in failing),
    )
    return [remark("new-cases-fail", run.name, facts)]


def goldens_compared(base_goldens: SuiteResult, head_goldens: SuiteResult, name: str) -> Finding:
    """Set what the change's own goldens say beside what base's goldens decide."""
    return remark("goldens-compared", name, EditedGoldens(base_goldens=base_goldens, head_goldens=head_goldens))


def models(run: PromptRun) -> Sequence[Finding]:
    """Report an endpoint that answered with another model than requested, or set up differently for the versions.

    Different models for one and the same request are no remark: then the versions are not comparable.
    """
    plan = run.plan
    sides = (("base", plan.change.base, run.base), ("head", plan.change.head, run.head))
    versions: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for side, prompt, arm in sides:
        if (
            prompt is not None
            and arm is not None
            and (others := comparability.find_unexpected_models(prompt.model, arm.models))
        ):
            versions.setdefault((prompt.model, tuple(others)), []).append(side)
    return [
        *_odd_answers(run),
        *(
            remark(
                "model-returned",
                plan.name,
                ReturnedModels(versions=tuple(names), requested=requested, returned=returned),
            )
            for (requested, returned), names in versions.items()
        ),
        *_endpoint(run),
    ]


def _odd_answers(run: PromptRun) -> Sequence[Finding]:
    """Name the answers that were left out because another model gave them."""
    answers = [scored for case in run.cases for scored in (*case.base, *case.head)]
    errors = [(scored.case.id, scored.answer.error) for scored in answers if scored.answer.error is not None]
    odd = [(case_id, error.message) for case_id, error in errors if error.kind == odd_models.OTHER_MODEL]
    if not odd:
        return []
    facts = OddAnswers(
        ids=tuple(dict.fromkeys(case_id for case_id, _ in odd)),
        answers=len(odd),
        requested=len(answers),
        first=odd[0][1],
    )
    return [remark("odd-model", run.name, facts)]


def _endpoint(run: PromptRun) -> Sequence[Finding]:
    base, head = run.base, run.head
    if base is None or head is None or base.models != head.models:
        return []
    if not base.fingerprints or not head.fingerprints or base.fingerprints == head.fingerprints:
        return []
    facts = EndpointFacts(base=tuple(base.fingerprints), head=tuple(head.fingerprints))
    return [remark("endpoint-differs", run.name, facts)]


def injections(run: PromptRun) -> Sequence[Finding]:
    """Name the cases whose answers look like an attempt to instruct the judge."""
    cases: dict[Arm, dict[str, None]] = {arm: {} for arm in Arm}
    patterns: dict[str, None] = {}
    answers = 0
    for scored in (scored for case in run.cases for scored in (*case.base, *case.head)):
        if matched_patterns := prompt_injection.find_in_answer(scored):
            answers += 1
            patterns |= dict.fromkeys(matched_patterns)
            cases[scored.arm][scored.case.id] = None
    if not answers:
        return []
    facts = InjectionFacts(
        answers=answers,
        patterns=tuple(patterns),
        base_cases=tuple(cases[Arm.BASE]),
        head_cases=tuple(cases[Arm.HEAD]),
    )
    return [remark("prompt-injection", run.name, facts)]


def cut_off(run: PromptRun) -> Sequence[Finding]:
    """Count the answers that are incomplete, where head has more of them than base.

    Assertions such as `contains` pass on a beginning, so nothing is concluded where nearly all answers of head are
    incomplete and those of base are not.
    """
    completions = {arm: [scored.answer.completion for case in run.cases for scored in case.answers(arm)] for arm in Arm}
    reasons = {
        arm: [completion.finish_reason for completion in completions[arm] if completion is not None] for arm in Arm
    }
    findings = []
    for reason in INCOMPLETE:
        counts = {arm: reasons[arm].count(reason) for arm in Arm}
        shares = {arm: counts[arm] / len(reasons[arm]) if reasons[arm] else 0.0 for arm in Arm}
        if shares[Arm.HEAD] <= shares[Arm.BASE]:
            continue
        nearly_all = bool(reasons[Arm.BASE]) and shares[Arm.HEAD] >= NEARLY_ALL and shares[Arm.BASE] <= MANY
        facts = CutOffFacts(
            reason=reason,
            head=counts[Arm.HEAD],
            head_answers=len(reasons[Arm.HEAD]),
            base=counts[Arm.BASE] if reasons[Arm.BASE] else None,
            base_answers=len(reasons[Arm.BASE]),
            nearly_all=nearly_all,
        )
        verdict = Verdict.INCONCLUSIVE if nearly_all else Verdict.NO_CHANGE
        findings.append(Finding(rule="cut-off", verdict=verdict, subject=run.name, facts=facts))
    return findings


def position_bias(run: PromptRun) -> Sequence[Finding]:
    """Return that nothing can be concluded from a judge whose verdict depends on which answer comes first."""
    bias = pairwise.measure_position_bias(scored for case in run.cases for scored in case.head)
    if bias is None or not bias.biased:
        return []
    facts = PositionBiasFacts(flipped=bias.flipped, pairs=bias.pairs, max_rate=pairwise.MAX_FLIPPED_SHARE)
    return [Finding(rule="position-bias", verdict=Verdict.INCONCLUSIVE, subject=run.name, facts=facts)]
