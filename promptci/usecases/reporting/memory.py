"""A repository's memory: open it, record feedback on a verdict, import reports."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci.config.find import load_revision_config, require_named_config
from promptci.documents.document import Document
from promptci.errors import InputError, Problem, PromptciError, UsageError
from promptci.evaluation.memory import memory_lines, run_memory
from promptci.git.repo import Repo
from promptci.git.snapshot import WORK_TREE
from promptci.git.state_folder import keep_out_of_git
from promptci.lazy_dataclass import dataclass
from promptci.memory.model import MEMORY_LINES, CaseRecord, Feedback, Label, Line, VerdictRecord
from promptci.memory.store import Memory, Past, Retention
from promptci.present import formatting
from promptci.redact import Redactor
from promptci.report.model.report import ReportView

LABELS: tuple[Label, ...] = ("correct", "incorrect")
ACTOR_VARIABLES = ("GITHUB_ACTOR", "USER", "USERNAME")
"""Environment variables that name the person who gives feedback."""
_REPORT_HINT = "Pass a report.json as promptci wrote it."


@dataclass(frozen=True, kw_only=True, slots=True)
class MemoryStore:
    """A repository's memory, opened by a person."""

    folder: Path
    memory: Memory
    past: Past

    def write(self, lines: Sequence[Line]) -> None:
        """Append lines; raise PromptciError if that is not possible."""
        if trouble := self.memory.append(lines):
            raise PromptciError(trouble, "Free disk space or fix the folder's permissions, then try again.")
        keep_out_of_git(self.folder)


def open_store(root: Path, config_path: str, now: datetime) -> MemoryStore:
    """Open the memory that the working tree's promptci.yml names.

    Raises
    ------
    UsageError
        If the configuration turns the memory off.
    """
    snapshot = Repo.discover(root).snapshot(WORK_TREE)
    require_named_config([snapshot], config_path)
    folder = load_revision_config(snapshot, config_path).run.memory
    if folder is None:
        raise UsageError(f"{config_path} turns the memory off", "Set `run.memory` to a folder.")
    memory = run_memory.open_memory(root, folder, now)
    return MemoryStore(folder=root / folder, memory=memory, past=memory.read())


@dataclass(frozen=True, kw_only=True, slots=True)
class FeedbackRequest:
    """A person's label for the verdict whose id is, or begins with, `verdict_id`."""

    verdict_id: str
    label: Label
    why: str
    now: datetime
    environ: Mapping[str, str]
    dry_run: bool = False


class LabelledVerdict(Document):
    """A person's label for a verdict, as it was written or would be."""

    schema_: Literal["promptci/memory-label/v1"] = Field(default="promptci/memory-label/v1", alias="schema")
    id: str = Field(description="Of the verdict.")
    prompt: str
    verdict: str
    label: Label
    why: str
    by: str | None
    at: str
    dry_run: bool = False

    @property
    def sentence(self) -> str:
        """The result in words."""
        verb = "would be" if self.dry_run else "is"
        return f"{self.id} ({self.prompt}: {self.verdict}) {verb} labelled {self.label}."


def label_verdict(store: MemoryStore, request: FeedbackRequest) -> LabelledVerdict:
    """Record feedback on a verdict, but not in a dry run.

    Raises
    ------
    UsageError
        If no verdict, or more than one, has this id, or the reason is empty.
    """
    prefix = request.verdict_id
    matches = [verdict for verdict in store.past.verdicts if prefix and verdict.id.startswith(prefix)]
    if len(matches) != 1:
        message = f"{len(matches)} verdicts begin with `{prefix}`" if matches else f"there is no verdict `{prefix}`"
        hint = "`promptci memory list` lists the verdicts; `promptci memory add report.json` imports one."
        raise UsageError(message, hint)
    if not request.why.strip():
        raise UsageError("--why is empty", "Write in a few words how you know.")
    (verdict,) = matches
    reason = Redactor.from_environ(request.environ).redact(" ".join(request.why.split()))
    by = next((request.environ[name] for name in ACTOR_VARIABLES if request.environ.get(name)), None)
    at = request.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    feedback = Feedback(id=verdict.id, at=at, label=request.label, why=reason, by=by)
    if not request.dry_run:
        store.write([feedback])
    return LabelledVerdict(
        id=verdict.id,
        prompt=verdict.prompt,
        verdict=verdict.verdict,
        label=request.label,
        why=reason,
        by=by,
        at=at,
        dry_run=request.dry_run,
    )


class ImportResult(Document):
    """What an import of reports added, or would add."""

    schema_: Literal["promptci/memory-import/v1"] = Field(default="promptci/memory-import/v1", alias="schema")
    verdicts: list[str] = Field(description="Ids of the added verdicts.")
    cases: int = Field(description="Added results of cases.")
    duplicates: int = Field(description="Lines that the memory already had.")
    too_old: int = Field(description="Lines older than the retention, which were not added.")
    problems: list[Problem] = Field(description="Reports that could not be read.")
    dry_run: bool = False

    @property
    def sentence(self) -> str:
        """The result in words."""
        verb = "would be added" if self.dry_run else "added"
        verdicts, cases = (
            formatting.count(len(self.verdicts), "verdict"),
            formatting.count(self.cases, "case result"),
        )
        parts = [f"{verdicts} and {cases} {verb}"]
        parts += [f"{self.duplicates:,} already there"] if self.duplicates else []
        parts += [f"{self.too_old:,} older than {Retention().keep_days} days skipped"] if self.too_old else []
        return ", ".join(parts) + "."


def add_reports(store: MemoryStore, sources: Sequence[Path], *, dry_run: bool = False) -> ImportResult:
    """Import the lines of report.json files, but not in a dry run; an unreadable report does not stop the others."""
    ids = {verdict.id for verdict in store.past.verdicts}
    runs = {record.run for record in store.past.cases}
    problems: list[Problem] = []
    new: list[Line] = []
    duplicates = 0
    for source in sources:
        try:
            lines = _load_report_lines(source)
        except InputError as error:
            problems += error.problems
            continue
        unknown = [line for line in lines if not _is_known(line, ids, runs)]
        duplicates += len(lines) - len(unknown)
        ids |= {line.id for line in unknown if isinstance(line, VerdictRecord)}
        runs |= {line.run for line in unknown if isinstance(line, CaseRecord)}
        new += unknown
    kept = [line for line in new if not store.memory.is_too_old(line)]
    if kept and not dry_run:
        store.write(kept)
    return ImportResult(
        verdicts=[line.id for line in kept if isinstance(line, VerdictRecord)],
        cases=sum(isinstance(line, CaseRecord) for line in kept),
        duplicates=duplicates,
        too_old=len(new) - len(kept),
        problems=problems,
        dry_run=dry_run,
    )


def _is_known(line: Line, ids: set[str], runs: set[str]) -> bool:
    if isinstance(line, CaseRecord):
        return line.run in runs
    return isinstance(line, VerdictRecord) and line.id in ids


def _load_report_lines(source: Path) -> Sequence[Line]:
    """Return the memory lines of one report, which may come from anywhere; invalid ones are refused."""
    lines = list(memory_lines.lines(ReportView.load(source.resolve(), str(source))))
    try:
        for line in lines:
            MEMORY_LINES.from_value(MEMORY_LINES.to_value(line))
    except ValueError as error:
        raise InputError([Problem(path=str(source), message=str(error), hint=_REPORT_HINT)]) from error
    return lines
