"""Options and output that the commands of releases share."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from promptci.cli import console
from promptci.documents.document import Document

Command = TypeVar("Command", bound=Callable[..., Any])


def dry_run_option(command: Command) -> Command:
    """Add `--dry-run`."""
    return click.option("--dry-run", is_flag=True, help="Print what would happen; write and commit nothing.")(command)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def print_result(document: Document, lines: Iterable[str], *, as_json: bool) -> None:
    """Print a result, as JSON or as lines."""
    if as_json:
        click.echo(document.dump(), nl=False)
        return
    for line in lines:
        console.say(line)
