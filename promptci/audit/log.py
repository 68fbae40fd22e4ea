"""Read the audit log of the history branch, and add entries to it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from pydantic import ValidationError

import promptci
from promptci.audit.chain import AuditLine, LogHead, digest_line
from promptci.audit.entry import ZERO_DIGEST, Actor, AuditEntry, AuditTools
from promptci.errors import InputError, Problem, UsageError
from promptci.git.data_branch import BranchFiles, DataBranch

FOLDER = "audit"
NewEntry = Mapping[str, object]
"""The fields of an entry but `n`, `prev`, `at`, `by` and `tool`."""


def read_lines(files: BranchFiles) -> list[AuditLine]:
    """Return every line of the log, in the order of its files, one per month."""
    lines: list[AuditLine] = []
    for path, content in files.read_all(FOLDER):
        if path.endswith(".jsonl"):
            rows = content.removesuffix(b"\n").split(b"\n")
            lines += [AuditLine(path, number, row) for number, row in enumerate(rows, start=1)]
    return lines


def require_lines(branch: DataBranch) -> list[AuditLine]:
    """Return the log that this clone has.

    Raises
    ------
    UsageError
        Where there is none: nothing found is not the same as nothing wrong.
    """
    lines = read_lines(branch.files())
    if not lines:
        hint = f"It is in the folder `{FOLDER}` of the branch {branch.name}."
        raise UsageError("There is no audit log here", f"{hint} {branch.missing_hint}")
    return lines


def parse_entries(lines: Iterable[AuditLine]) -> tuple[list[AuditEntry], list[str]]:
    """Return the entries, and what is wrong with each line that is none."""
    entries: list[AuditEntry] = []
    problems: list[str] = []
    entries.extend(iterate_entries(lines, problems))
    return entries, problems


def iterate_entries(lines: Iterable[AuditLine], problems: list[str]) -> Iterator[AuditEntry]:
    """Yield the entries, and add to `problems` what is wrong with each line that is none.

    Nothing is kept, because most of the time of a long log would go into collecting garbage.
    """
    for line in lines:
        try:
            yield parse_entry(line)
        except InputError as error:
            problems.append(str(error))


def parse_entry(line: AuditLine) -> AuditEntry:
    """Return the entry of a line; raises InputError for a line that is none."""
    try:
        return AuditEntry.model_validate_json(line.content)
    except ValidationError:
        return AuditEntry.parse(line.content, line.place)  # slower, and tells what is wrong


def read_head(files: BranchFiles) -> LogHead | None:
    """Return the last entry's number and digest; None for an empty log.

    Raises
    ------
    InputError
        If the last line is not an entry: nothing may be chained to it.
    """
    paths = [path for path in files.list_paths(FOLDER) if path.endswith(".jsonl")]
    if not paths:
        return None
    content = (files.read(paths[-1]) or b"").removesuffix(b"\n")
    last = content.rsplit(b"\n", 1)[-1]
    try:
        entry = AuditEntry.parse(last, paths[-1])
    except InputError as error:
        hint = "Find out who changed the log: `promptci audit verify` names the entry."
        problem = Problem(path=paths[-1], message="the last line is not an entry of the audit log", hint=hint)
        raise InputError([problem]) from error
    return LogHead(entry.n, digest_line(last))


def append_entries(
    branch: DataBranch, find_entries: Callable[[BranchFiles], Sequence[NewEntry]], *, now: datetime, by: Actor
) -> LogHead | None:
    """Add entries to the log, in one commit, and return its head; a log that does not exist is begun.

    `find_entries` returns what is missing, given the branch's files. It is called again where another writer was
    faster, and the entries are chained to that writer's.

    Raises
    ------
    GitError
        If the branch cannot be read or pushed.
    InputError
        If the log's last line is damaged.
    """
    head: LogHead | None = None

    def change(files: BranchFiles) -> dict[str, bytes | None]:
        nonlocal head
        contents, head = chain_entries(files, find_entries(files), now=now, by=by)
        return contents

    branch.append(change, "Add to the audit log")
    return head


def chain_entries(
    files: BranchFiles, entries: Sequence[NewEntry], *, now: datetime, by: Actor
) -> tuple[dict[str, bytes | None], LogHead | None]:
    """Return the branch's new contents with the entries added, and the log's head after them.

    Raises
    ------
    InputError
        If the log's last line is damaged.
    """
    head = read_head(files)
    if head is None:
        entries = [{"what": "log-began"}, *entries]
    if not entries:
        return {}, head
    path = _segment(files, now)
    content = files.read(path) or b""
    for fields in entries:
        line = _chain(head, {"by": by, **fields}, now).line()
        head = LogHead(head.n + 1 if head else 1, digest_line(line))
        content += line + b"\n"
    return {"FORMAT": b"1\n", path: content}, head


def _segment(files: BranchFiles, at: datetime) -> str:
    """Return the file for new entries: this month's, or the newest where a clock is behind it."""
    path = f"{FOLDER}/{at:%Y-%m}.jsonl"
    return max([path, *(known for known in files.list_paths(FOLDER) if known.endswith(".jsonl"))])


def _chain(head: LogHead | None, fields: NewEntry, at: datetime) -> AuditEntry:
    values = {
        "n": head.n + 1 if head else 1,
        "prev": head.digest if head else ZERO_DIGEST,
        "at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "tool": AuditTools(promptci=promptci.__version__),
    }
    return AuditEntry.model_validate({**values, **fields})
