"""List entries of the audit log."""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import Field

from promptci.audit import log
from promptci.audit.entry import AuditEntry
from promptci.documents.document import Document
from promptci.errors import UsageError
from promptci.git.data_branch import find_branch
from promptci.git.repo import Repo
from promptci.lazy_dataclass import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditLogRequest:
    """Which entries are asked for; None: all."""

    root: Path
    remote: str = "origin"
    prompt: str | None = None
    environment: str | None = None
    what: tuple[str, ...] = ()
    since: str | None = None
    """UTC, as `2026-03-01`; included."""
    until: str | None = None
    """Included."""
    by: str | None = None
    """Part of the name of somebody who had a part in it."""


class AuditLogDocument(Document):
    """Entries of the audit log, newest first."""

    schema_: Literal["promptci/audit-log/v1"] = Field(default="promptci/audit-log/v1", alias="schema")
    entries: list[AuditEntry]
    total: int = Field(description="Entries of the whole log.")
    unreadable: list[str] = Field(description="Lines that are no entries; `promptci audit verify` says more.")

    @property
    def exit_code(self) -> int:
        """1 where a line cannot be read."""
        return int(bool(self.unreadable))


def list_entries(request: AuditLogRequest) -> AuditLogDocument:
    """Return the entries that were asked for.

    Raises
    ------
    UsageError
        Where there is no log, or none of its entries fits.
    """
    repo = Repo.discover(request.root)
    lines = log.require_lines(find_branch(repo.root, request.remote))
    entries, unreadable = log.parse_entries(lines)
    chosen = [entry for entry in entries if _fits(request, entry)]
    if not chosen and not unreadable:
        raise UsageError("No entry of the audit log fits", f"The log has {len(entries)} entries; ask for less.")
    return AuditLogDocument(entries=chosen[::-1], total=len(lines), unreadable=unreadable)


def entry_lines(document: AuditLogDocument) -> Iterator[str]:
    """Yield what a person reads."""
    yield from (describe_entry(entry) for entry in document.entries)
    yield from (f"problem: {problem}" for problem in document.unreadable)


def describe_entry(entry: AuditEntry) -> str:
    """Return an entry in one line."""
    subject = " ".join(part for part in (entry.prompt, f"in {entry.environment}" if entry.environment else "") if part)
    people = [approval.login for approval in entry.approved if entry.what != "overridden"]
    parts = [
        f"{entry.what} {subject}".strip(),
        entry.versions_text,
        f"verdict {entry.verdict}" if entry.verdict else "",
        f"pull request {entry.change.pull_request}" if entry.change and entry.change.pull_request else "",
        f"approved by {', '.join(people)}" if people else "",
        entry.why,
    ]
    recorder = entry.by.actor or entry.by.kind
    change = entry.change
    doer = change.author.partition(" <")[0] if change and change.author else recorder
    at = (change.at if change else None) or entry.at
    parts.append(f"recorded {entry.at} by {recorder}" if (doer, at) != (recorder, entry.at) else "")
    return f"{entry.n}  {at}  {doer}: {'; '.join(part for part in parts if part)}"


def _fits(request: AuditLogRequest, entry: AuditEntry) -> bool:
    return (
        request.prompt in {None, entry.prompt}
        and request.environment in {None, entry.environment}
        and (not request.what or entry.what in request.what)
        and (request.since is None or entry.at >= request.since)
        and (request.until is None or entry.at[: len(request.until)] <= request.until)
        and (request.by is None or any(request.by.casefold() in name.casefold() for name in _people(entry)))
    )


def _people(entry: AuditEntry) -> Iterator[str]:
    """Yield the names of everybody who had a part in a decision, and the ids of their accounts."""
    change = entry.change
    yield from filter(None, (entry.by.actor, str(entry.by.actor_id or "")))
    if change is not None:
        yield from filter(None, (change.author, change.proposed_by))
    for approval in entry.approved:
        yield from filter(None, (approval.login, str(approval.id or "")))
