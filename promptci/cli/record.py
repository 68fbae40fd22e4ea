"""`promptci record`."""

import os
from pathlib import Path
from typing import Any

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.errors import UsageError
from promptci.redact import Redactor
from promptci.usecases.setup import record
from promptci.usecases.setup.record import RecordRequest


@click.command("record")
@click.argument("answers", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--list", "is_list", is_flag=True, help="Print the cases, a line of JSON each, for a program to answer.")
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("answers.jsonl"),
    show_default=True,
    help="Recording to write, for `provider: {kind: recorded, path: …}`.",
)
@click.option("--head", default=".", show_default=True, help="Revision; `.` is the working tree.")
@options.prompts_option
@options.repository_options
@output.dry_run_option
@output.json_option
def command(answers: Path | None, to: Path, *, is_list: bool, dry_run: bool, as_json: bool, **selection: Any) -> int:
    """Make a file of recorded answers from what a program of your own wrote to ANSWERS.

    `promptci record --list` prints the cases. Your program answers each line with `{"id": …, "text": …}`, as for
    `kind: command`; see docs/application.md.

    \b
    Example:
      promptci record --list > cases.jsonl
      promptci record my-answers.jsonl --to answers.jsonl
    """  # noqa: D301 - click's sign for lines that stay
    request = RecordRequest(**selection)
    if is_list == (answers is not None):
        raise UsageError("name either --list or the file with the answers", "First list, then record.")
    if answers is None:
        click.echo(record.list_cases(request), nl=False)
        return 0
    redactor = Redactor.from_environ(os.environ)
    written = record.record_answers(request, answers, to, redactor, dry_run=dry_run)
    output.print_result(written, written.lines(), as_json=as_json)
    return 0
