"""Build the view of one prompt, as the gate decided it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from promptci.compare.sample import SamplePair
from promptci.config.policy import About, GatePolicy
from promptci.files import canonical
from promptci.gates import quality_rule
from promptci.report.build import attribution_view, judge_view, memory_view, source_diff, version_view
from promptci.report.build.cases.case_store import CaseStore
from promptci.report.build.finding_views import build_finding_views, build_gate_view
from promptci.report.build.run_facts import RunFacts
from promptci.report.model import json_safe
from promptci.report.model.numbers import GoldensTestView
from promptci.report.model.report import ComparabilityView, CostView, LatencyView, PromptView, QualityView
from promptci.report.text import headline, verdict_text
from promptci.runs.prompt_plan import Arm, PromptPlan
from promptci.scoring.paired_case import PairedCase
from promptci.scoring.prompt_run import PromptRun


def build_prompt_view(run: PromptRun, policy: GatePolicy, facts: RunFacts, store: CaseStore) -> PromptView:
    """Build the view of one prompt; its cases are added to the store."""
    plan = run.plan
    diff, diff_note = (
        source_diff.diff_sources(plan.change.base, plan.change.head) if facts.kind == "check" else ([], None)
    )
    known = memory_view.build_flaky_view(run, policy, facts)
    view = PromptView(
        name=json_safe.text(plan.name),
        path=json_safe.text(plan.change.path),
        status=plan.change.status.value,
        verdict=run.verdict.value,
        sentence=json_safe.text(verdict_text.sentence(run)),
        change_reasons=json_safe.texts(plan.change.why),
        base_fingerprint=plan.change.base.fingerprint if plan.change.base else None,
        head_fingerprint=plan.change.head.fingerprint if plan.change.head else None,
        goldens=_goldens(plan),
        gate=build_gate_view(policy, facts.gate_source) if plan.name in policy.by_prompt else None,
        cases=len(run.cases),
        pairs=len(run.pairs),
        errors=run.errors,
        answers_requested=run.answers_requested,
        quality=_quality(run, policy),
        comparability=_comparability(run),
        base=version_view.build_version_view(run, Arm.BASE),
        head=version_view.build_version_view(run, Arm.HEAD),
        regressions=_ids(run.broken),
        fixes=_ids(run.fixed),
        latency_ms=LatencyView(
            base=version_view.build_latency_view(run.base), head=version_view.build_latency_view(run.head)
        ),
        cost_usd=_cost(run, facts),
        findings=build_finding_views(run.findings),
        diff=diff,
        diff_note=diff_note,
        **_golden_edits(run),
        flaky=known,
        earlier_versions=memory_view.build_past_versions(run, facts),
        notes=json_safe.texts(plan.change.notes),
        attribution=attribution_view.build_attribution_view(run.attribution),
        judge_checks=judge_view.build_judge_checks_view(run),
        judge=judge_view.build_judge_view(run.judging),
    )
    # Not through the model, which would make a list of them.
    stored_cases = store.add(memory_view.build_case_views(run, facts, known))
    return view.model_copy(update={"case_details": stored_cases})


def _golden_edits(run: PromptRun) -> dict[str, Any]:
    """Return what the change did to golden cases, by the keys of the view."""
    change = run.plan.change
    return {
        "new_cases": _ids([case for case in run.cases if case.change == "new"]),
        "changed_cases": _ids([case for case in run.cases if case.change == "changed"]),
        "removed_cases": json_safe.texts(change.removed_cases),
        "weakened_cases": json_safe.texts(change.loosened_cases),
        "looser_cases": json_safe.texts(change.looser_cases),
        "loosened_example": json_safe.text(change.loosened_example),
        "no_longer_critical": json_safe.texts(change.no_longer_critical),
        "removed_critical": json_safe.texts(change.removed_critical),
    }


def _quality(run: PromptRun, policy: GatePolicy) -> QualityView | None:
    effect = run.effect
    if effect is None or run.mismatches:
        return None
    needed = _needed(run, policy)
    worse, better = quality_rule.count_changes(run, effect)
    asked = _count_rounds(run.samples)
    return QualityView(
        measure="mean score" if effect.measure == "mean score" else "pass rate",
        base=effect.reference,
        head=effect.candidate,
        delta=effect.delta,
        worse=worse,
        better=better,
        interval=version_view.interval_ends(effect.interval),
        confidence=effect.confidence,
        p=json_safe.number(effect.p),
        adjusted_p=json_safe.number(run.adjusted_p),
        detectable_drop=json_safe.number(effect.detectable_drop),
        cases_needed=len(run.pairs) + needed.more if needed else None,
        repeats_needed=needed.repeats if needed else None,
        method=effect.method,
        seed=effect.seed,
        answers_per_case=asked.answers,
        rounds=asked.rounds,
        max_rounds=asked.max_rounds,
        on_goldens=_build_goldens_test(run, policy),
    )


def _build_goldens_test(run: PromptRun, policy: GatePolicy) -> GoldensTestView | None:
    cases = run.effect.on_these_cases if run.effect is not None else None
    if cases is None or policy.about is not About.GOLDENS:
        return None
    looks = len(run.samples.design.rounds) if run.samples is not None else 0
    corrected = f", corrected for {looks} rounds" if looks > 1 else ""
    return GoldensTestView(
        drop=cases.drop,
        p=json_safe.number(cases.p),
        max_drop=json_safe.number(cases.max_drop) if cases.max_drop < 1 else None,
        detectable_drop=json_safe.number(quality_rule.detectable_drop(run, policy)),
        method=f"exact permutation of each case's answers, one-sided{corrected}",
    )


class _RoundCount(NamedTuple):
    """How often each case was asked; None where that is not known, or not done in rounds."""

    answers: int | None = None
    rounds: int | None = None
    max_rounds: int | None = None


def _count_rounds(samples: SamplePair | None) -> _RoundCount:
    if samples is None:
        return _RoundCount()
    answers, rounds = samples.answers, samples.design.rounds
    if not rounds:
        return _RoundCount(answers)
    return _RoundCount(answers, sum(planned < answers for planned in rounds) + 1, len(rounds))


def _comparability(run: PromptRun) -> ComparabilityView | None:
    comparability = run.comparability
    if comparability is None:
        return None
    parts = {json_safe.text(name): json_safe.text(part) for name, part in comparability.parts.items()}
    return ComparabilityView(
        fingerprint=comparability.fingerprint, parts=parts, mismatches=json_safe.texts(comparability.mismatches)
    )


def _needed(run: PromptRun, policy: GatePolicy) -> quality_rule.Needed | None:
    """Return what would settle an inconclusive verdict; None if it is settled."""
    if not any(finding.rule == "cannot-tell" for finding in run.findings):
        return None
    return quality_rule.estimate_needed(run, policy)


def _goldens(plan: PromptPlan) -> str | None:
    """Return a digest of the cases: equal digests mean the same questions and expectations."""
    ordered = sorted((planned.case for planned in plan.task.cases), key=lambda case: json_safe.text(case.id))
    return canonical.digest_all((json_safe.text(case.id), case.digest) for case in ordered) if ordered else None


def _cost(run: PromptRun, facts: RunFacts) -> CostView:
    base = run.base.cost_per_request if run.base else None
    head = run.head.cost_per_request if run.head else None
    return CostView(
        base_per_request=json_safe.number(base),
        head_per_request=json_safe.number(head),
        delta_per_month=json_safe.number(headline.cost_per_month(run, facts.requests_per_day)),
        requests_per_day=facts.requests_per_day,
        own_price=run.plan.change.head is not None and run.plan.change.head.model in facts.own_prices,
    )


def _ids(paired: Sequence[PairedCase]) -> list[str]:
    return [json_safe.text(pair.case.id) for pair in paired]
