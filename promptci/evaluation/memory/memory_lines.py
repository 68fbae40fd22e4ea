"""The lines that a report leaves in the memory: its verdicts, and how often each case passed."""

from collections.abc import Collection, Iterator

from promptci.files import canonical
from promptci.memory.model import CaseRecord, Line, VerdictRecord, short_digest
from promptci.report.build.memory_view import DIGEST_DIGITS
from promptci.report.model.numbers import QualityView
from promptci.report.model.report import CaseView, PromptView, ReportView


def add_verdict_ids(view: ReportView) -> ReportView:
    """Return the view with the id of each verdict in the memory: the same view where it has them."""
    ids = [verdict_id(view, prompt) if _is_decided(view, prompt) else None for prompt in view.prompts]
    if ids == [prompt.verdict_id for prompt in view.prompts]:
        return view
    named = [prompt.model_copy(update={"verdict_id": name}) for prompt, name in zip(view.prompts, ids, strict=True)]
    return view.model_copy(update={"prompts": named})


def verdict_id(view: ReportView, prompt: PromptView) -> str:
    """Return an id of what was measured, not when: the same report has the same ids wherever it is read."""
    quality = prompt.quality
    return short_digest(
        [
            view.base.sha if view.base else None,
            view.head.sha,
            [prompt.name, prompt.base_fingerprint, prompt.head_fingerprint],
            [prompt.verdict, _rules(prompt)],
            [quality.p, quality.delta] if quality else None,
            [prompt.pairs, prompt.regressions, prompt.fixes],
        ]
    )


def lines(view: ReportView) -> Iterator[Line]:
    """Yield a report's lines for the memory; the same ones from a report.json that was loaded."""
    yield from (_verdict(view, prompt) for prompt in view.prompts if _is_decided(view, prompt))
    for prompt in view.prompts:
        yield from _cases(view, prompt)


def new_lines(view: ReportView, known: Collection[str]) -> Iterator[Line]:
    """Yield a report's lines, but for the verdicts whose ids are known."""
    return (line for line in lines(view) if not (isinstance(line, VerdictRecord) and line.id in known))


def _is_decided(view: ReportView, prompt: PromptView) -> bool:
    return view.kind == "check" and prompt.verdict != "no-change"


def _rules(prompt: PromptView) -> list[str]:
    return [finding.rule for finding in prompt.findings if finding.verdict == prompt.verdict]


def _verdict(view: ReportView, prompt: PromptView) -> VerdictRecord:
    quality = prompt.quality
    undecided_blocks = prompt.verdict == "inconclusive" and view.gate.on_inconclusive == "block"
    return VerdictRecord(
        id=verdict_id(view, prompt),
        at=view.generated_at or "",
        base=view.base.sha if view.base else None,
        head=view.head.sha,
        repository=view.repository,
        pull_request=view.pull_request,
        prompt=prompt.name,
        status=prompt.status,
        fingerprints=(_short(prompt.base_fingerprint), _short(prompt.head_fingerprint)),
        mode=view.gate.mode,
        verdict=prompt.verdict,
        blocks=prompt.verdict == "fail" or undecided_blocks,
        rules=tuple(_rules(prompt)),
        p=_deciding_p(quality),
        delta=quality.delta if quality else None,
        pairs=prompt.pairs,
        missing=prompt.errors,
        broken=len(prompt.regressions),
        fixed=len(prompt.fixes),
        measure=quality.measure if quality else None,
        quality=(quality.base, quality.head) if quality else None,
    )


def _deciding_p(quality: QualityView | None) -> float | None:
    """Return the p of the test that decides: of these very cases, where `gate.about` is `goldens`."""
    if quality is None:
        return None
    return quality.p if quality.on_goldens is None else quality.on_goldens.p


def _short(fingerprint: str | None) -> str | None:
    return None if fingerprint is None else fingerprint[:DIGEST_DIGITS]


def _cases(view: ReportView, prompt: PromptView) -> Iterator[CaseRecord]:
    fingerprints = {"base": _short(prompt.base_fingerprint), "head": _short(prompt.head_fingerprint)}
    counts = map(_counts, _select_counted(prompt))
    run = canonical.digest_with([view.generated_at, prompt.name, fingerprints], counts)[:DIGEST_DIGITS]
    for case in _select_counted(prompt):
        for tally in case.tallies:
            yield CaseRecord(
                run=run,
                at=view.generated_at or "",
                prompt=prompt.name,
                fingerprint=fingerprints[tally.arm] or "",
                case=case.id,
                digest=case.digest or "",
                model=tally.model,
                passes=tally.passes,
                fails=tally.fails,
                chosen=tally.on_disagreement,
            )


def _select_counted(prompt: PromptView) -> Iterator[CaseView]:
    return (case for case in prompt.case_details if case.tallies and case.digest)


def _counts(case: CaseView) -> list[object]:
    return [case.id, case.digest, [tally.model_dump() for tally in case.tallies]]
