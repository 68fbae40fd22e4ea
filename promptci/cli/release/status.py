"""`promptci status`."""

from typing import Any

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.usecases.release import status
from promptci.usecases.release.status import StatusRequest


@click.command("status")
@options.repository_options
@click.option("--env", "environment", help="One environment; default: all.")
@click.option("--rev", "revision", default="HEAD", show_default=True, help="Commit whose deployment files are read.")
@output.reads_only
@output.json_option
def command(as_json: bool, **others: Any) -> int:
    """Show what runs in each environment: since when, by whom, on which evidence, and what it replaced.

    It reads the committed deployment files. What an application really loaded is in its request log.

    \b
    Example:
      promptci status
      promptci status --env production --json

    Exit code: 0 all is as released, 1 something that runs is not, 2 nothing is deployed or a file is wrong.
    """  # noqa: D301 - click's sign for lines that stay
    document = status.find_status(StatusRequest(**others))
    output.print_result(document, status.status_lines(document), as_json=as_json)
    return document.exit_code
