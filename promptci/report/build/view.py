"""Build the view of a run from the gate's findings, and redact it. Pure."""

from functools import partial

from promptci.findings import Finding
from promptci.gates.facts import PooledFacts
from promptci.gates.model import GateReport
from promptci.present.finding_text import quality
from promptci.present.finding_text.describe import describe
from promptci.redact import Redactor
from promptci.report.build.cases.case_store import CaseStore, redact_case
from promptci.report.build.cases.settled_cases import CUT_NOTE, is_large, shorten_case
from promptci.report.build.finding_views import build_finding_views, build_gate_view
from promptci.report.build.review_views import build_approval_views, build_override_view
from promptci.report.build.run_facts import RunFacts
from promptci.report.model import document, json_safe
from promptci.report.model.document import SerializedReport
from promptci.report.model.report import PrecisionView, PromptView, ReportView
from promptci.report.text import headline
from promptci.verdict import ORDER


def build_view(gate_report: GateReport, *, facts: RunFacts, redactor: Redactor | None = None) -> ReportView:
    """Build the view of a run: every number computed, every sentence written, nothing left for a template to compute.

    `redactor` is for cases that are stored in a file; `redact_view` does the rest.
    """
    pooled = gate_report.pooled
    redactor = redactor or Redactor()
    cuts = not facts.full_texts and is_large(gate_report.prompts)
    shorten = partial(shorten_case, redactor=redactor) if cuts else None
    store = CaseStore(sum(len(run.cases) for run in gate_report.prompts), redactor, shorten=shorten)
    return ReportView(
        promptci_version=facts.promptci_version,
        verdict=gate_report.verdict.value,
        exit_code=0 if facts.override else gate_report.exit_code,
        headline=json_safe.text(_headline(gate_report, facts)),
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
        prompts=_prompt_views(gate_report, facts, store),
        problems=build_finding_views(
            [*gate_report.problems, *([pooled] if pooled and pooled.verdict is gate_report.verdict else [])]
        ),
        pooled=_pooled_text(pooled),
        site_url=facts.site_url,
        notes=json_safe.texts((*facts.notes, *([CUT_NOTE] if shorten else []))),
        asking_notes=json_safe.texts(facts.asking_notes),
        override=build_override_view(facts.override),
        approvals=build_approval_views(gate_report.problems),
        gate=build_gate_view(gate_report.policy, facts.gate_source),
        precision=_precision(facts) if gate_report.prompts else None,
        spend=facts.spend,
    )


def _pooled_text(pooled: Finding | None) -> str | None:
    if pooled is None:
        return None
    p_text = quality.pooled_p(pooled.facts) if isinstance(pooled.facts, PooledFacts) else ""
    return json_safe.text(f"{describe(pooled).text} {p_text}".rstrip())


def _headline(gate_report: GateReport, facts: RunFacts) -> str:
    by = facts.override.by.login if facts.override else None
    return headline.headline(gate_report, facts.kind, facts.requests_per_day, overridden_by=by)


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


def _prompt_views(gate_report: GateReport, facts: RunFacts, store: CaseStore) -> list[PromptView]:
    """Return the views of all prompts, the worst verdict first, then the greatest loss of quality."""
    if not gate_report.prompts:
        return []
    from promptci.report.build.prompt_view import build_prompt_view

    worst_first = sorted(gate_report.prompts, key=lambda run: (-ORDER.index(run.verdict), *headline.rank_loss(run)))
    return [build_prompt_view(run, gate_report.policy.for_prompt(run.name), facts, store) for run in worst_first]


def _precision(facts: RunFacts) -> PrecisionView | None:
    precision = facts.precision
    if precision is None:
        return None
    interval = precision.interval
    return PrecisionView(
        verdicts=precision.verdicts,
        labelled=precision.labelled,
        correct=precision.correct,
        interval=None if interval is None else interval.ends,
    )
