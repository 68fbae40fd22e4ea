"""`promptci check`."""

import click

from promptci.app.requests import CheckRequest
from promptci.cli import console, options
from promptci.evaluation import check


@click.command("check")
@options.repository_options
@click.option("--base", help="Revision to compare with; default: the merge base with the default branch.")
@click.option("--head", default="HEAD", show_default=True, help="Revision to test; `.` is the working tree.")
@options.ask_options
@options.shard_option
def command(base: str | None, head: str, **others: object) -> int:
    """Test the prompts that a change touches against the version they replace.

    Exit code: 0 let it through, 1 a regression or a crossed limit, 3 undecided where that blocks, 4 could not
    evaluate, 2 bad usage or configuration.
    """
    request = CheckRequest(base=base, head=head, **others)  # type: ignore[arg-type]  # click has checked and converted each
    with console.environment() as env:
        outcome = check.check(request, env)
        console.print_result(outcome)
    return outcome.exit_code
