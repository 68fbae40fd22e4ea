"""Build the view of a run from the gate's findings, and redact it. Pure."""

from collections.abc import Sequence

from promptci.config.policy import GatePolicy
from promptci.files import canonical
from promptci.findings import Finding, facts_as_json
from promptci.gates import quality_rule
from promptci.gates.model import Decision, GateReport
from promptci.present.finding_text.describe import describe
from promptci.redact import Redactor
from promptci.report.build import history_view, judge_probe_view, judge_view, source_diff, version_view
from promptci.report.build.case_store import CaseStore, redact_case
from promptci.report.build.run_facts import RunFacts
from promptci.report.model import document, json_safe
from promptci.report.model.document import SerializedReport
from promptci.report.model.report import (
    ComparabilityView,
    CostView,
    FindingView,
    GateView,
    LatencyView,
    PrecisionView,
    PromptView,
    QualityView,
    ReportView,
)
from promptci.report.text import headline, verdict_text
from promptci.runs.model import Arm, PromptPlan
from promptci.scoring.paired_case import PairedCase
from promptci.verdict import ORDER


def build_view(gate_report: GateReport, *, facts: RunFacts, redactor: Redactor | None = None) -> ReportView:
    """Build the view of a run: every number computed, every sentence written, nothing left for a template to compute.

    `redactor` is for cases that are stored in a file; `redact_view` does the rest.
    """
    pooled = gate_report.pooled
    store = CaseStore(sum(len(decision.comparison.cases) for decision in gate_report.decisions), redactor or Redactor())
    return ReportView(
        promptci_version=facts.promptci_version,
        verdict=gate_report.verdict.value,
        exit_code=gate_report.exit_code,
        headline=json_safe.text(headline.headline(gate_report, facts.kind, facts.requests_per_day)),
        kind=facts.kind,
        base=facts.base,
        head=facts.head,
        repository=json_safe.optional_text(facts.repository),
        pull_request=facts.pull_request,
        actor=json_safe.optional_text(facts.actor),
        run_url=json_safe.optional_text(facts.run_url),
        started_at=facts.started_at,
        generated_at=facts.generated_at,
        provider=json_safe.optional_text(facts.provider),
        prompts=[_prompt(d, gate_report.policy, facts, store) for d in _worst_first(gate_report)],
        problems=_findings(
            [*gate_report.problems, *([pooled] if pooled and pooled.verdict is gate_report.verdict else [])]
        ),
        pooled=json_safe.text(describe(pooled).text) if pooled else None,
        notes=_texts(facts.notes),
        gate=_gate(gate_report.policy, facts.gate_source),
        precision=_precision(facts),
        spend=facts.spend,
    )


def redact_view(view: ReportView, redactor: Redactor) -> SerializedReport:
    """Serialise a view with every secret in any of its texts replaced.

    Done before anything is rendered: a page escapes, wraps and marks up text, which would hide a secret from a search.
    """
    is_clean = True

    def inspect(piece: str) -> None:
        nonlocal is_clean
        is_clean = is_clean and redactor.is_clean(piece)

    report = document.serialize(view, inspect)
    if is_clean:
        return report
    store = CaseStore(sum(len(prompt.case_details) for prompt in view.prompts), redactor)
    cases = [store.add(redact_case(case, redactor) for case in prompt.case_details) for prompt in view.prompts]
    rest = ReportView.model_validate(redactor.redact_value(document.without_cases(view).model_dump(by_alias=True)))
    prompts = zip(rest.prompts, cases, strict=True)
    redacted = rest.model_copy(
        update={"prompts": [prompt.model_copy(update={"case_details": stored}) for prompt, stored in prompts]}
    )
    return document.serialize(redacted)


def _worst_first(gate_report: GateReport) -> Sequence[Decision]:
    """Sort by verdict, the worst first; prompts with the same verdict keep their order."""
    return sorted(gate_report.decisions, key=lambda decision: ORDER.index(decision.verdict), reverse=True)


def _prompt(decision: Decision, policy: GatePolicy, facts: RunFacts, store: CaseStore) -> PromptView:
    comparison = decision.comparison
    plan = comparison.plan
    diff, diff_note = (
        source_diff.diff_sources(plan.change.base, plan.change.head) if facts.kind == "check" else ([], None)
    )
    known = history_view.build_flaky_view(comparison, policy, facts)
    view = PromptView(
        name=json_safe.text(plan.name),
        path=json_safe.text(plan.change.path),
        status=plan.change.status.value,
        verdict=decision.verdict.value,
        sentence=json_safe.text(verdict_text.sentence(decision)),
        change_reasons=_texts(plan.change.why),
        base_fingerprint=plan.change.base.fingerprint if plan.change.base else None,
        head_fingerprint=plan.change.head.fingerprint if plan.change.head else None,
        goldens=_goldens(plan),
        cases=len(comparison.cases),
        pairs=len(comparison.pairs),
        errors=comparison.errors,
        answers_requested=comparison.answers_requested,
        quality=_quality(decision, policy),
        comparability=_comparability(decision),
        base=version_view.build_version_view(comparison, Arm.BASE),
        head=version_view.build_version_view(comparison, Arm.HEAD),
        regressions=_ids(comparison.broken),
        fixes=_ids(comparison.fixed),
        latency_ms=LatencyView(
            base=version_view.build_latency_view(comparison.base), head=version_view.build_latency_view(comparison.head)
        ),
        cost_usd=_cost(decision, facts.requests_per_day),
        findings=_findings(decision.findings),
        diff=diff,
        diff_note=diff_note,
        new_cases=_ids([c for c in comparison.cases if c.change == "new"]),
        changed_cases=_ids([c for c in comparison.cases if c.change == "changed"]),
        removed_cases=_texts(plan.change.removed_cases),
        weakened_cases=_texts(plan.change.loosened_cases),
        flaky=known,
        history=history_view.build_past_versions(decision.comparison, facts),
        notes=_texts(plan.change.notes),
        judge_checks=judge_probe_view.build_judge_checks_view(plan.name, facts),
        judge=judge_view.build_judge_view(comparison.judging),
    )
    # Not through the model, which would make a list of them.
    stored_cases = store.add(history_view.build_case_views(comparison, facts, known))
    return view.model_copy(update={"case_details": stored_cases})


def _quality(decision: Decision, policy: GatePolicy) -> QualityView | None:
    found = decision.comparison.effect
    if found is None or decision.mismatches:
        return None
    needed = _needed(decision, policy)
    return QualityView(
        measure="mean score" if found.measure == "mean score" else "pass rate",
        base=found.reference,
        head=found.candidate,
        delta=found.delta,
        worse=found.worse,
        better=found.better,
        interval=version_view.interval_ends(found.interval),
        confidence=found.confidence,
        p=json_safe.number(found.p),
        adjusted_p=json_safe.number(decision.adjusted_p),
        detectable_drop=json_safe.number(found.detectable_drop),
        cases_needed=needed.cases if needed else None,
        repeats_needed=needed.repeats if needed else None,
        method=found.method,
        seed=found.seed,
    )


def _comparability(decision: Decision) -> ComparabilityView | None:
    found = decision.comparability
    if found is None:
        return None
    parts = {json_safe.text(name): json_safe.text(part) for name, part in found.parts.items()}
    return ComparabilityView(fingerprint=found.fingerprint, parts=parts, mismatches=_texts(found.mismatches))


def _needed(decision: Decision, policy: GatePolicy) -> quality_rule.Needed | None:
    """Return what would settle an inconclusive verdict; None if it is settled."""
    if not any(finding.rule == "cannot-tell" for finding in decision.findings):
        return None
    return quality_rule.estimate_needed(decision.comparison, policy)


def _goldens(plan: PromptPlan) -> str | None:
    """Return a digest of the cases: equal digests mean the same questions and expectations."""
    ordered = sorted((planned.case for planned in plan.task.cases), key=lambda case: json_safe.text(case.id))
    return canonical.digest_all((json_safe.text(case.id), case.digest) for case in ordered) if ordered else None


def _cost(decision: Decision, requests_per_day: float | None) -> CostView:
    comparison = decision.comparison
    base = comparison.base.cost_per_request if comparison.base else None
    head = comparison.head.cost_per_request if comparison.head else None
    return CostView(
        base_per_request=json_safe.number(base),
        head_per_request=json_safe.number(head),
        delta_per_month=json_safe.number(headline.cost_per_month(decision, requests_per_day)),
        requests_per_day=requests_per_day,
    )


def _precision(facts: RunFacts) -> PrecisionView | None:
    found = facts.precision
    if found is None:
        return None
    return PrecisionView(
        verdicts=found.verdicts,
        labelled=found.labelled,
        correct=found.correct,
        interval=version_view.interval_ends(found.interval),
    )


def _findings(findings: Sequence[Finding]) -> list[FindingView]:
    return [
        FindingView(
            rule=finding.rule,
            verdict=finding.verdict.value,
            text=json_safe.text(describe(finding).text),
            facts=json_safe.value(facts_as_json(finding.facts)),
        )
        for finding in findings
    ]


def _gate(policy: GatePolicy, source: str) -> GateView:
    return GateView(
        mode=policy.mode.value,
        max_drop=policy.max_drop,
        alpha=policy.alpha,
        on_inconclusive=policy.on_inconclusive.value,
        min_quality=policy.min_quality,
        max_cost_increase=policy.max_cost_increase,
        max_p95_increase=policy.max_p95_increase,
        max_error_rate=policy.max_error_rate,
        source=json_safe.text(source),
    )


def _ids(paired: Sequence[PairedCase]) -> list[str]:
    return [json_safe.text(pair.case.id) for pair in paired]


def _texts(texts: Sequence[str]) -> list[str]:
    return [json_safe.text(text) for text in texts]
