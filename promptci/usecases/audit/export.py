"""Export an auditor's binder: each change of a period with everything that the log, git and the reports know of it."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

import promptci
from promptci import wording
from promptci.audit.chain import LogHead
from promptci.documents.written_files import WrittenFiles
from promptci.errors import UsageError
from promptci.evaluation.auditing import binder as building
from promptci.evaluation.auditing.material import AuditMaterial
from promptci.files import write
from promptci.git import command
from promptci.lazy_dataclass import dataclass
from promptci.report.binder import page, table
from promptci.report.binder.document import AuditBinder

BinderFormat = Literal["html", "csv", "json"]
RENDERERS: dict[BinderFormat, Callable[[AuditBinder], str]] = {
    "html": page.render_page,
    "csv": table.render_csv,
    "json": AuditBinder.dump,
}
RETENTION = (
    "promptci never deletes the audit log or the tags of releases; `promptci history prune` leaves both alone.",
    "Nights and canaries are kept for 3 years, answers of nights, where they are kept at all, for 35 nights.",
    "promptci records the SHA-256 of reports and other evidence, and does not keep the files.",
    "Store them, and this binder, as long as your rules ask.",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditExportRequest:
    """What is exported."""

    root: Path
    config_path: str
    now: datetime
    remote: str = "origin"
    prompt: str | None = None
    since: str | None = None
    until: str | None = None
    evidence: Path | None = None
    """Folder with report.json files."""


class Verification(NamedTuple):
    """The result of `promptci audit verify`."""

    is_whole: bool
    lines: list[str]


def build_binder(request: AuditExportRequest, verification: Verification) -> AuditBinder:
    """Build the binder; `verification` says whether the log verifies.

    Raises
    ------
    UsageError
        Where there is no log, or nothing of it fits: an empty binder would look like a quiet period.
    """
    material = AuditMaterial(request.root, request.remote, request.config_path, request.evidence)
    since, until = request.since, request.until
    changes = building.choose_changes(material, prompt=request.prompt, since=since, until=until)
    others = [
        each
        for each in material.other
        if request.prompt in {None, each.entry.prompt} and building.is_within(each, since, until)
    ]
    if not changes and not others:
        raise UsageError("No entry of the audit log fits", f"The log has {len(material.lines)} entries; ask for less.")
    last = material.logged[-1] if material.logged else None
    return AuditBinder(
        made_at=f"{request.now:%Y-%m-%dT%H:%M:%SZ}",
        promptci_version=promptci.__version__,
        repository=_find_address(material),
        prompt=request.prompt,
        since=since,
        until=until,
        head=str(LogHead(last.entry.n, last.digest)) if last else None,
        entries=len(material.lines),
        is_whole=verification.is_whole,
        verification=[*verification.lines, *material.unreadable],
        changes=changes,
        other=building.list_entries(others),
        retention=list(RETENTION),
    )


def _find_address(material: AuditMaterial) -> str | None:
    """Return the address of the remote, without a password that it may hold."""
    done = command.try_git(material.repo.root, "config", "--get", "remote.origin.url")
    address = done.stdout.decode(errors="replace").strip()
    scheme, mark, rest = address.rpartition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2] if mark else rest}" or None


def describe_binder(binder: AuditBinder, out: Path, *, dry_run: bool) -> WrittenFiles:
    """Return what the command says."""
    changes = wording.count(len(binder.changes), "change")
    return WrittenFiles(files=[str(out)], notes=[f"{changes} in the binder"], dry_run=dry_run)


def write_binder(binder: AuditBinder, output_format: BinderFormat, out: Path) -> None:
    """Write the binder into a file, whole or not at all."""
    write.write_text(out, RENDERERS[output_format](binder))
