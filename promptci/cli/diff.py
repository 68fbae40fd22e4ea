"""`promptci diff`."""

from pathlib import Path

import click

from promptci.cli import console
from promptci.usecases.reporting import diff
from promptci.usecases.reporting.diff import Format

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("diff")
@click.argument("first", type=_FILE)
@click.argument("second", type=_FILE)
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "json"]), default="text", show_default=True, help="Form."
)
def command(first: Path, second: Path, form: Format) -> int:
    """Show what changed from the run of FIRST to the run of SECOND, two report.json files.

    The versions under test are compared, over the cases that have the same text and judge in both. Where another model
    answered, or no case is shared, the numbers are not set beside each other, and the reason is given.
    """
    with console.environment() as env:
        text = diff.diff_runs(first, second, form, env)
        for line in text.splitlines():
            console.say(line)
    return 0
