"""`promptci audit`."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click

from promptci.audit.entry import Decision
from promptci.cli import options
from promptci.cli.release import output
from promptci.errors import UsageError
from promptci.lazy_import import lazy_import
from promptci.redact import Redactor

if TYPE_CHECKING:
    from promptci.audit import attestations
    from promptci.usecases.audit import entries, explain, export, record, statement, verify
    from promptci.usecases.audit.export import BinderFormat
else:  # each command needs one or two of them, and most of them take longer than a short log
    attestations = lazy_import("promptci.audit.attestations")
    entries, explain, export, record, statement, verify = (
        lazy_import(f"promptci.usecases.audit.{name}")
        for name in ("entries", "explain", "export", "record", "statement", "verify")
    )


@click.group("audit")
def command() -> None:
    """Show and verify the audit log: every decision, in a chain of lines on the branch promptci/history.

    \b
    Example:
      promptci audit log --since 2026-03-01
      promptci audit verify
    """  # noqa: D301 - click's sign for lines that stay


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
Command = TypeVar("Command", bound=Callable[..., Any])


class _Day(click.ParamType["str"]):
    """`2026-03-01`."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the day as entries write it; raises UsageError for another text."""
        try:
            return date.fromisoformat(str(value)).isoformat()
        except ValueError:
            raise UsageError(f"`{value}` is not a day", "Write it like 2026-03-01; days are those of UTC.") from None


def period_options(command: Command) -> Command:
    """Add `--since` and `--until`."""
    command = click.option("--until", type=_Day(), help="Up to this day, included.")(command)
    return click.option("--since", type=_Day(), help="From this day on (UTC), such as 2026-03-01.")(command)


evidence_option = click.option(
    "--evidence", type=FOLDER, help="Folder with the report.json files of runs that the log names."
)
remote_option = click.option("--remote", default="origin", show_default=True, help="Remote whose copy is read.")


@command.command("log")
@options.repository_options
@remote_option
@click.option("--prompt", metavar="NAME", help="Of one prompt.")
@click.option("--env", "environment", help="Of one environment.")
@click.option("--what", multiple=True, type=click.Choice(get_args(Decision)), help="Of this kind; several are allowed.")
@click.option("--by", metavar="NAME", help="By somebody who acted, proposed, tagged, committed or approved.")
@period_options
@output.reads_only
@output.json_option
def log_command(as_json: bool, config_path: str, **others: Any) -> int:
    """List entries, newest first.

    \b
    Example:
      promptci audit log --prompt order-extractor --since 2026-03-01
      promptci audit log --what rolled-back --what overridden --json

    Exit code: 0 listed, 1 a line cannot be read, 2 there is no log, or no entry fits.
    """  # noqa: D301 - click's sign for lines that stay
    document = entries.list_entries(entries.AuditLogRequest(**others))
    output.print_result(document, entries.entry_lines(document), as_json=as_json)
    return document.exit_code


@command.command("record")
@options.repository_options
@remote_option
@click.option("--rev", "revision", help="Commit whose deployments and files are recorded; default: the default branch.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    type=FILE,
    help="report.json of a run: adds checked, blocked and overridden; may be given several times.",
)
@click.option(
    "--canary",
    "canaries",
    multiple=True,
    type=FILE,
    help="canary.json of a look: adds the canaries that are held; may be given several times.",
)
@click.option("--mended", default="", metavar="REASON", help="Adds log-mended: how a damaged log was restored.")
@output.dry_run_option
@output.json_option
def record_command(as_json: bool, reports: tuple[Path, ...], canaries: tuple[Path, ...], **others: Any) -> int:
    """Add the decisions that the log does not have yet, and push it; begin a log where there is none.

    These are the releases, deployments and changes of promptci.yml and golden files that git knows, and what the given
    files say. Run it in a workflow after each push to the default branch, and after each release. What is there is not
    added twice.

    \b
    Example:
      promptci audit record --dry-run
      promptci audit record
      promptci audit record --report promptci-report/report.json

    Exit code: 0 recorded, or nothing new, 4 the log is damaged or cannot be pushed.
    """  # noqa: D301 - click's sign for lines that stay
    request = record.AuditRecordRequest(
        environ=os.environ, now=datetime.now(UTC), reports=reports, canaries=canaries, **others
    )
    summary = record.record(request)
    output.print_result(summary, record.record_lines(summary), as_json=as_json)
    return 0


@command.command("verify")
@options.repository_options
@remote_option
@click.option("--rev", "revision", help="Commit whose deployments hold anchors; default: the default branch.")
@click.option(
    "--evidence",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with reports and other files that the log names, and their attestations.",
)
@click.option("--signers", type=FILE, help="Whose SSH signatures count, as gpg.ssh.allowedSignersFile of git.")
@click.option("--repository", metavar="OWNER/NAME", help="Repository on GitHub that must have attested the evidence.")
@click.option("--trusted-root", type=FILE, help="Output of `gh attestation trusted-root`; default: in --evidence.")
@output.reads_only
@output.json_option
def verify_command(as_json: bool, repository: str | None, trusted_root: Path | None, **others: Any) -> int:
    """Verify the log of this clone, offline, and name the first entry that was edited, removed, reordered or cut off.

    \b
    Example:
      git fetch origin promptci/history --tags
      promptci audit verify
      promptci audit verify --evidence reports/ --signers allowed_signers --json

    Exit code: 0 everything fits, 1 something does not, 2 there is no log.
    """  # noqa: D301 - click's sign for lines that stay
    checked = attestations.AttestationOptions(repository=repository, trusted_root=trusted_root)
    result = verify.verify(verify.AuditVerifyRequest(attestations=checked, **others))
    output.print_result(result, verify.verification_lines(result), as_json=as_json)
    return result.exit_code


@command.command("export")
@options.repository_options
@remote_option
@click.option(
    "--format",
    "output_format",
    type=click.Choice(("html", "csv", "json")),
    default="html",
    show_default=True,
    help="A page to read and print, a table, or JSON.",
)
@click.option("--prompt", metavar="NAME", help="Of one prompt.")
@period_options
@evidence_option
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File; default: audit-binder.html.")
@output.dry_run_option
@output.json_option
def export_command(output_format: BinderFormat, out: Path | None, dry_run: bool, as_json: bool, **others: Any) -> int:
    """Write an auditor's binder: each change of a period, with who, why, results, exceptions, deployments, rollback.

    A change is in it with its whole story if the period has an entry about it. What is not known stands there as "not
    recorded".

    \b
    Example:
      promptci audit export --since 2026-01-01 --until 2026-03-31 --evidence reports/
      promptci audit export --prompt order-extractor --format csv --out binder.csv

    Exit code: 0 written, 1 written, and the log does not verify, 2 there is no log, or no entry fits.
    """  # noqa: D301 - click's sign for lines that stay
    asked = {name: others[name] for name in ("root", "config_path", "remote", "evidence")}
    result = verify.verify(verify.AuditVerifyRequest(**asked, with_attestations=False))
    verification = export.Verification(result.exit_code == 0, list(verify.verification_lines(result)))
    binder = export.build_binder(export.AuditExportRequest(now=datetime.now(UTC), **others), verification)
    path = out or Path(f"audit-binder.{output_format}")
    if not dry_run:
        export.write_binder(binder.redacted(Redactor.from_environ(os.environ)), output_format, path)
    written = export.describe_binder(binder, path, dry_run=dry_run)
    output.print_result(written, written.lines(), as_json=as_json)
    return result.exit_code


@command.command("explain")
@options.repository_options
@remote_option
@click.argument("name", metavar="NAME@VERSION")
@evidence_option
@output.reads_only
@output.json_option
def explain_command(as_json: bool, **others: Any) -> int:
    """Explain one version: proposed, checked, approved, released, deployed, rolled back, with the evidence.

    \b
    Example:
      promptci audit explain order-extractor@v1.3.0

    Exit code: 0 told, 2 the log does not know the version.
    """  # noqa: D301 - click's sign for lines that stay
    explanation = explain.explain(explain.AuditExplainRequest(**others))
    output.print_result(explanation, explain.explanation_lines(explanation), as_json=as_json)
    return 0


@command.command("statement")
@options.repository_options
@click.option(
    "--report",
    type=options.LastReport(),
    default=options.LAST_REPORT,
    show_default=True,
    help="report.json of the run.",
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder; default: that of the report.")
@output.dry_run_option
@output.json_option
def statement_command(as_json: bool, **others: Any) -> int:
    """Write the in-toto test result of a run, for actions/attest: statement.json, predicate.json and subjects.txt.

    Passed, inconclusive and failed runs become PASSED, WARNED and FAILED. A run that tested nothing, or could not
    evaluate, has none.

    \b
    Example:
      promptci audit statement --report promptci-report/report.json

    Exit code: 0 written, or there is nothing to attest, 4 the report cannot be read.
    """  # noqa: D301 - click's sign for lines that stay
    written = statement.write_statement(statement.AuditStatementRequest(**others))
    output.print_result(written, written.lines(), as_json=as_json)
    return 0
