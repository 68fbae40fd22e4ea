"""The memory of earlier runs: loaded before a run asks, extended when it has decided."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from promptci.files import canonical
from promptci.git.state_folder import find_folder_problem, keep_out_of_git
from promptci.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from promptci.app.requests import RunRequest
    from promptci.git.snapshot import Snapshot
    from promptci.memory.gate_precision import Precision
    from promptci.memory.model import CaseRecord
    from promptci.memory.store import Memory, Past
    from promptci.pipeline.collection.collected_run import CollectedRun
    from promptci.pipeline.environment import Environment
    from promptci.report.build.run_facts import RunFacts
    from promptci.report.model.report import ReportView


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryContext:
    """The memory as a run finds it."""

    folder: Path | None = None
    """None: nothing is to be written."""
    memory: Memory | None = None
    """None: none is kept, or none that may be used."""
    past: Past | None = None
    """What earlier runs left; None without a memory."""
    notes: tuple[str, ...] = ()
    judge_digest: str = ""
    answers_are_fresh: bool = True

    @property
    def precision(self) -> Precision | None:
        """Precision of the verdicts so far; None where no memory is kept."""
        if self.past is None:
            return None
        from promptci.memory.gate_precision import compute_precision

        return compute_precision(self.past.verdicts, self.past.latest_feedback)

    def enrich(self, facts: RunFacts) -> RunFacts:
        """Return the facts of a run with what earlier runs add to them."""
        return replace(
            facts,
            judge_digest=self.judge_digest,
            answers_are_fresh=self.answers_are_fresh,
            earlier_cases=self.past.cases if self.past else (),
            earlier_verdicts=self.past.verdicts if self.past else (),
            precision=self.precision,
        )


NO_MEMORY = MemoryContext()


def load(collected: CollectedRun, head: Snapshot, request: RunRequest, env: Environment) -> MemoryContext:
    """Load the memory.

    A memory that lies in git is not used: whoever can commit it could make any case flaky and any gate precise.
    """
    config = collected.config
    context = MemoryContext(
        judge_digest=digest_judge(collected),
        answers_are_fresh=request.answers is None and all(provider.kind != "recorded" for provider in config.endpoints),
    )
    if config.run.memory is None:
        return context
    folder = Path(config.run.memory).as_posix()
    if problem := find_folder_problem(request.root, request.root / folder, head):
        return replace(context, notes=(f"The memory in {folder} was not used: {problem}.",))
    memory = open_memory(request.root, folder, env.now())
    past = memory.read()
    writes = request.answers is None  # a report that is rendered again was recorded when it was first written
    return replace(
        context, memory=memory, past=past, notes=past.notes, folder=request.root / folder if writes else None
    )


def digest_judge(collected: CollectedRun) -> str:
    """Return a digest of the judge, which the identity of a judged case contains."""
    return canonical.digest([collected.config.judge.model, collected.rubric])


@dataclass(frozen=True, kw_only=True, slots=True)
class EarlierCases:
    """How cases fared in earlier runs."""

    cases: tuple[CaseRecord, ...] = ()
    notes: tuple[str, ...] = ()
    """Why there are none, or not all."""


def read_earlier_cases(root: Path, folder: str | None, head: Snapshot, now: datetime) -> EarlierCases:
    """Read how cases fared in earlier runs, without adding anything; a memory that lies in git is not used."""
    if folder is None:
        return EarlierCases(notes=("promptci.yml turns the memory of earlier runs off.",))
    folder = Path(folder).as_posix()
    if problem := find_folder_problem(root, root / folder, head):
        return EarlierCases(notes=(f"the memory in {folder} was not used: {problem}.",))
    past = open_memory(root, folder, now).read()
    missing = () if past.cases or past.notes else (f"there is no memory of earlier runs in {folder}.",)
    return EarlierCases(cases=past.cases, notes=(*past.notes, *missing))


def open_memory(root: Path, folder: str, now: datetime) -> Memory:
    """Return the memory in a folder, named in notes as in promptci.yml."""
    from promptci.memory.store import Memory

    return Memory(root / folder, today=now.date(), label=folder)


def name_verdicts(view: ReportView) -> ReportView:
    """Return the view with the ids of its verdicts; the same view where it has them."""
    if not view.prompts:
        return view
    from promptci.evaluation.memory import memory_lines

    return memory_lines.add_verdict_ids(view)


def record(view: ReportView, context: MemoryContext) -> ReportView:
    """Append a run to the memory; return its view with the ids of its verdicts and, where that failed, a note."""
    if not view.prompts:
        return view
    from promptci.evaluation.memory import memory_lines

    view = name_verdicts(view)
    if context.memory is None or context.folder is None:
        return view
    known = {verdict.id for verdict in context.past.verdicts} if context.past else set()
    new = memory_lines.new_lines(view, known)
    if (first := next(new, None)) is None:
        return view
    trouble = context.memory.append(chain([first], new))
    if trouble is None:
        keep_out_of_git(context.folder)
        return view
    return view.model_copy(update={"notes": [*view.notes, trouble]})
