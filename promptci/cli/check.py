"""`promptci check`."""

import os

import click

from promptci.app.requests import CheckRequest
from promptci.cli import console, options
from promptci.evaluation import check
from promptci.git.snapshot import WORK_TREE


@click.command("check")
@options.repository_options
@click.option("--base", help="Revision to compare with; default: the merge base with the default branch.")
@click.option("--head", help="Revision to test; `.` is the working tree. Default: `.`, and HEAD where CI is set.")
@options.ask_options
@options.shard_option
def command(base: str | None, head: str | None, **others: object) -> int:
    """Test the prompts that a change touches against the version they replace.

    Exit code: 0 may merge, 1 a regression or a crossed limit, 3 inconclusive where that blocks, 4 could not evaluate,
    2 bad usage or configuration.
    """
    head = head or ("HEAD" if os.environ.get("CI") else WORK_TREE)
    request = CheckRequest(base=base, head=head, needs_view=False, **others)  # type: ignore[arg-type]  # click has checked and converted each
    with console.environment() as env:
        outcome = check.check(request, env)
        console.print_result(outcome)
    return outcome.exit_code
