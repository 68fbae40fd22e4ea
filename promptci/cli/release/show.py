"""`promptci show`."""

from typing import Any

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.usecases.release import show
from promptci.usecases.release.show import ShowRequest


@click.command("show")
@click.argument("name", metavar="NAME@VERSION")
@options.repository_options
@output.reads_only
@output.json_option
def command(as_json: bool, **others: Any) -> int:
    """Show a version of a prompt: messages, model, parameters, and how it was released.

    VERSION is a release, a tag, a commit, or `.` for the working tree.

    \b
    Example:
      promptci show order-extractor@v1.3.0
      promptci show order-extractor@.

    Exit code: 0 shown, 1 its tag was moved, 2 no such version, 4 it is not what was released.
    """  # noqa: D301 - click's sign for lines that stay
    shown = show.show_version(ShowRequest(**others))
    output.print_result(shown, show.shown_lines(shown), as_json=as_json)
    return int(bool(shown.release and shown.release.problem))
