"""`promptci audit`."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import click

from promptci.audit.entry import Decision
from promptci.cli import options
from promptci.cli.release import output
from promptci.usecases.audit import entries, record, verify
from promptci.usecases.audit.entries import AuditLogRequest
from promptci.usecases.audit.record import AuditRecordRequest
from promptci.usecases.audit.verify import AuditVerifyRequest


@click.group("audit")
def command() -> None:
    """Show and verify the audit log: every decision, in a chain of lines on the branch promptci/history."""


remote_option = click.option("--remote", default="origin", show_default=True, help="Remote whose copy is read.")


@command.command("log")
@options.repository_options
@remote_option
@click.option("--prompt", metavar="NAME", help="Of one prompt.")
@click.option("--env", "environment", help="Of one environment.")
@click.option("--what", multiple=True, type=click.Choice(get_args(Decision)), help="Of this kind; several are allowed.")
@click.option("--since", metavar="DATE", help="From this day on (UTC), such as 2026-03-01.")
@click.option("--until", metavar="DATE", help="Up to this day, included.")
@output.json_option
def log_command(as_json: bool, config_path: str, **others: Any) -> int:
    """List entries, newest first.

    \b
    Example:
      promptci audit log --prompt order-extractor --since 2026-03-01
      promptci audit log --what rolled-back --what overridden --json

    Exit code: 0 listed, 1 a line cannot be read, 2 there is no log, or no entry fits.
    """  # noqa: D301 - click's sign for lines that stay
    document = entries.list_entries(AuditLogRequest(**others))
    output.print_result(document, entries.entry_lines(document), as_json=as_json)
    return document.exit_code


@command.command("record")
@options.repository_options
@remote_option
@click.option("--rev", "revision", help="Commit whose deployments are recorded; default: the default branch.")
@output.dry_run_option
@output.json_option
def record_command(as_json: bool, config_path: str, **others: Any) -> int:
    """Add the releases and deployments that the log does not have yet, and push it; begin a log where there is none.

    Run it in a workflow after each push to the default branch, and after each release. What is there is not added
    twice.

    \b
    Example:
      promptci audit record --dry-run
      promptci audit record

    Exit code: 0 recorded, or nothing new, 4 the log is damaged or cannot be pushed.
    """  # noqa: D301 - click's sign for lines that stay
    summary = record.record(AuditRecordRequest(environ=os.environ, now=datetime.now(UTC), **others))
    output.print_result(summary, record.record_lines(summary), as_json=as_json)
    return 0


@command.command("verify")
@options.repository_options
@remote_option
@click.option("--rev", "revision", help="Commit whose deployments hold anchors; default: the default branch.")
@click.option(
    "--evidence",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with reports and other files that the log names.",
)
@output.json_option
def verify_command(as_json: bool, **others: Any) -> int:
    """Verify the log of this clone, offline, and name the first entry that was edited, removed, reordered or cut off.

    \b
    Example:
      git fetch origin promptci/history --tags
      promptci audit verify
      promptci audit verify --evidence reports/ --json

    Exit code: 0 everything fits, 1 something does not, 2 there is no log.
    """  # noqa: D301 - click's sign for lines that stay
    result = verify.verify(AuditVerifyRequest(**others))
    output.print_result(result, verify.verification_lines(result), as_json=as_json)
    return result.exit_code
