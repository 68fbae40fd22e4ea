"""`promptci run`."""

import click

from promptci.app.requests import RunRequest
from promptci.cli import console, options
from promptci.evaluation import run


@click.command("run")
@options.repository_options
@click.option("--head", default=".", show_default=True, help="Revision to test; `.` is the working tree.")
@options.ask_options
@options.shard_option
def command(head: str, **others: object) -> int:
    """Test every prompt at one revision; only the absolute limits decide."""
    request = RunRequest(head=head, **others)  # type: ignore[arg-type]  # click has checked and converted each
    with console.environment() as env:
        outcome = run.run(request, env)
        console.print_result(outcome)
    return outcome.exit_code
