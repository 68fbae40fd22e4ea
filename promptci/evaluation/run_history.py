"""What a run knows of earlier ones, read before it asks; what it leaves to later ones, written when it has decided."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path

from promptci.app.requests import RunRequest
from promptci.files import canonical
from promptci.git.snapshot import Snapshot
from promptci.git.state_folder import find_folder_problem
from promptci.history.gate_precision import Precision, compute_precision
from promptci.history.model import CaseRecord, Line, VerdictRecord, short_digest
from promptci.history.store import History, Past
from promptci.pipeline.ask.asking import keep_out_of_git
from promptci.pipeline.collection.collect import CollectedRun
from promptci.pipeline.environment import Environment
from promptci.report.build.history_view import DIGEST_DIGITS
from promptci.report.build.run_facts import RunFacts
from promptci.report.model.report import CaseView, PromptView, ReportView


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """The history as a run found it."""

    folder: Path | None = None
    """None: nothing is to be written."""
    history: History | None = None
    """None: none is kept, or none that may be used."""
    past: Past = field(default_factory=Past)
    notes: tuple[str, ...] = ()
    judge: str = ""
    asked_afresh: bool = True

    @property
    def precision(self) -> Precision | None:
        """Of the verdicts so far; None where no history is kept."""
        return None if self.history is None else compute_precision(self.past.verdicts, self.past.latest_feedback)

    def told(self, facts: RunFacts) -> RunFacts:
        """Return the facts with what is known from before."""
        return replace(
            facts,
            judge_digest=self.judge,
            answers_are_fresh=self.asked_afresh,
            case_history=self.past.cases,
            verdict_history=self.past.verdicts,
            precision=self.precision,
        )


NONE = Memory()


def recall(gathered: CollectedRun, head: Snapshot, request: RunRequest, env: Environment) -> Memory:
    """Read the history.

    A history that lies in git is not used: whoever can commit it could make any case flaky and any gate precise.
    """
    config = gathered.config
    memory = Memory(
        judge=canonical.digest([config.judge.model, gathered.rubric]),
        asked_afresh=request.answers is None and config.provider.kind != "recorded",
    )
    if config.run.history is None:
        return memory
    folder = Path(config.run.history).as_posix()
    if problem := find_folder_problem(request.root, request.root / folder, head):
        return replace(memory, notes=(f"The history in {folder} was not used: {problem}.",))
    history = opened(request.root, folder, env.now())
    past = history.read()
    writes = request.answers is None  # a report that is drawn again was written down when it was first drawn
    return replace(
        memory, history=history, past=past, notes=past.notes, folder=request.root / folder if writes else None
    )


def opened(root: Path, folder: str, now: datetime) -> History:
    """Return the history in a folder, named in notes as in promptci.yml."""
    return History(root / folder, today=now.date(), label=folder)


def keep(view: ReportView, memory: Memory) -> ReportView:
    """Write a run down, and give its view with the names of its verdicts; where that failed, with a note."""
    view = identified(view)
    if memory.history is None or memory.folder is None:
        return view
    known = {one.id for one in memory.past.verdicts}
    new = (line for line in lines(view) if not (isinstance(line, VerdictRecord) and line.id in known))
    if (first := next(new, None)) is None:
        return view
    trouble = memory.history.append(chain([first], new))
    if trouble is None:
        keep_out_of_git(memory.folder)
        return view
    return view.model_copy(update={"notes": [*view.notes, trouble]})


def identified(view: ReportView) -> ReportView:
    """Return the view with each verdict's name in the history."""
    named = [
        prompt.model_copy(update={"verdict_id": verdict_id(view, prompt) if _decided(view, prompt) else None})
        for prompt in view.prompts
    ]
    return view.model_copy(update={"prompts": named})


def verdict_id(view: ReportView, prompt: PromptView) -> str:
    """Name what was found, not when: the same report has the same names wherever it is read."""
    found = prompt.quality
    return short_digest(
        [
            view.base.sha if view.base else None,
            view.head.sha,
            [prompt.name, prompt.base_fingerprint, prompt.head_fingerprint],
            [prompt.verdict, _rules(prompt)],
            [found.p, found.delta] if found else None,
            [prompt.pairs, prompt.regressions, prompt.fixes],
        ]
    )


def lines(view: ReportView) -> Iterator[Line]:
    """Yield the lines that a report leaves in a history; the same ones from a report.json that was loaded."""
    yield from (_verdict(view, prompt) for prompt in view.prompts if _decided(view, prompt))
    for prompt in view.prompts:
        yield from _cases(view, prompt)


def _decided(view: ReportView, prompt: PromptView) -> bool:
    return view.kind == "check" and prompt.verdict != "no-change"


def _rules(prompt: PromptView) -> list[str]:
    return [finding.rule for finding in prompt.findings if finding.verdict == prompt.verdict]


def _verdict(view: ReportView, prompt: PromptView) -> VerdictRecord:
    found = prompt.quality
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
        p=found.p if found else None,
        delta=found.delta if found else None,
        pairs=prompt.pairs,
        broken=len(prompt.regressions),
        fixed=len(prompt.fixes),
        measure=found.measure if found else None,
        quality=(found.base, found.head) if found else None,
    )


def _short(fingerprint: str | None) -> str | None:
    return None if fingerprint is None else fingerprint[:DIGEST_DIGITS]


def _cases(view: ReportView, prompt: PromptView) -> Iterator[CaseRecord]:
    fingerprints = {"base": _short(prompt.base_fingerprint), "head": _short(prompt.head_fingerprint)}
    counts = map(_counts, _counted(prompt))
    run = canonical.digest_with([view.generated_at, prompt.name, fingerprints], counts)[:DIGEST_DIGITS]
    for case in _counted(prompt):
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


def _counted(prompt: PromptView) -> Iterator[CaseView]:
    return (case for case in prompt.case_details if case.tallies and case.digest)


def _counts(case: CaseView) -> list[object]:
    return [case.id, case.digest, [tally.model_dump() for tally in case.tallies]]
