"""Fetch, append to, prune and check the branch promptci/history."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci import wording
from promptci.audit.entry import AuditEntry
from promptci.documents.document import Document
from promptci.errors import UsageError
from promptci.evaluation.nights.night_records import ANSWERS, NIGHTS
from promptci.git.data_branch import BranchFiles, DataBranch, find_branch
from promptci.git.repo import Repo
from promptci.history import branch_records
from promptci.history.record_kind import RecordKind
from promptci.lazy_dataclass import dataclass
from promptci.monitor.alerts.line import ALERTS
from promptci.monitor.month import MONTHS
from promptci.report.canary_look import CANARIES

KINDS: tuple[RecordKind, ...] = (
    RecordKind(path="audit/%Y-%m.jsonl", document=AuditEntry, writer="promptci audit record"),
    NIGHTS,
    CANARIES,
    ALERTS,
    MONTHS,
    ANSWERS,
)
"""Every kind of line on the branch: a new one is a row here, and a `Document` where its line is made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryRequest:
    """Which branch."""

    root: Path
    remote: str = "origin"
    dry_run: bool = False


class HistoryDocument(Document):
    """What a command found on the history branch, or did to it."""

    schema_: Literal["promptci/history-branch/v1"] = Field(default="promptci/history-branch/v1", alias="schema")
    commit: str | None = Field(description="Commit at which the branch stands; null: there is no such branch.")
    lines: dict[str, int] = Field(default={}, description="Lines by kind.")
    changed: list[str] = Field(default=[], description="Files that were changed, or would be.")
    problems: list[str] = Field(default=[], description="What is wrong, with file and line.")
    dry_run: bool = False

    @property
    def exit_code(self) -> int:
        """1 where something is wrong."""
        return int(bool(self.problems))


def fetch_history(request: HistoryRequest) -> HistoryDocument:
    """Fetch the branch, as shallow as the clone is, and count its lines. Dry: ask only whether there is more."""
    branch = _find_branch(request)
    if request.dry_run:
        files = branch.files()
        changed = [branch.ref] if branch.read_tip() not in {None, files.commit} else []
        return HistoryDocument(commit=files.commit, changed=changed, dry_run=True)
    files = branch.fetch()
    return HistoryDocument(commit=files.commit, lines=branch_records.check_files(files, KINDS)[1])


def append_history(request: HistoryRequest, data: bytes, name: str) -> HistoryDocument:
    """Add the lines of a file to the branch, each to the file of its kind and day.

    Raises
    ------
    InputError
        With every line that cannot be added; then none is.
    """
    lines = branch_records.parse_new_lines(data, name, KINDS)
    return _change(request, lambda files: branch_records.add_lines(files, lines), "Add records")


def prune_history(request: HistoryRequest, now: datetime) -> HistoryDocument:
    """Delete what is kept long enough, in a commit: nothing of the branch's past is rewritten."""
    today = now.date()
    return _change(request, lambda files: branch_records.prune_files(files, KINDS, today), _prune_message(today))


def check_history(request: HistoryRequest) -> HistoryDocument:
    """Check every line of this clone's copy of the branch.

    Raises
    ------
    UsageError
        Where there is none: nothing found is not the same as nothing wrong.
    """
    branch = _find_branch(request)
    files = branch.files()
    if files.commit is None:
        raise UsageError(f"There is no branch {branch.name} here", branch.missing_hint)
    problems, counts = branch_records.check_files(files, KINDS)
    return HistoryDocument(commit=files.commit, lines=counts, problems=[str(problem) for problem in problems])


def history_lines(document: HistoryDocument) -> Iterator[str]:
    """Yield what a person reads."""
    if document.commit is None and not document.changed:
        yield "there is no history branch yet; `promptci history append` and the runs with --history begin it"
    yield from (f"{kind}: {wording.count(count, 'line')}" for kind, count in document.lines.items() if count)
    verb = "would be changed" if document.dry_run else "changed"
    yield from (f"{verb}: {path}" for path in document.changed)
    yield from document.problems


def result_line(document: HistoryDocument) -> str:
    """Return the last line of a command that changes the branch."""
    if not document.changed:
        return "nothing to do"
    verb = "would be changed" if document.dry_run else "changed"
    return f"{wording.count(len(document.changed), 'file')} {verb}"


def _change(
    request: HistoryRequest, change: Callable[[BranchFiles], Mapping[str, bytes | None]], message: str
) -> HistoryDocument:
    branch = _find_branch(request)
    changed: list[str] = []

    def remember(files: BranchFiles) -> dict[str, bytes | None]:
        contents = {path: content for path, content in change(files).items() if files.read(path) != content}
        changed[:] = sorted(contents)
        return contents

    if request.dry_run:
        remember(branch.fetch())
    else:
        branch.append(remember, message)
    return HistoryDocument(commit=branch.files().commit, changed=changed, dry_run=request.dry_run)


def _find_branch(request: HistoryRequest) -> DataBranch:
    return find_branch(Repo.discover(request.root).root, request.remote)


def _prune_message(today: date) -> str:
    return f"Prune records as of {today:%Y-%m-%d}"
