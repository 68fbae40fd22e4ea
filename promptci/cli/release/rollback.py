"""`promptci rollback`."""

from typing import Any

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.usecases.release import rollback
from promptci.usecases.release.rollback import RollbackRequest


@click.command("rollback")
@click.argument("name")
@options.repository_options
@click.option("--to", "version", required=True, metavar="VERSION", help="Release to go back to.")
@click.option("--env", "environments", multiple=True, help="Environment; default: all in which the prompt runs.")
@click.option("--keep-content", is_flag=True, help="Change what runs, and leave the prompt's file as it is.")
@click.option("--because", default="", help="Reason, kept in the commit.")
@output.push_options
@output.dry_run_option
@output.json_option
def command(as_json: bool, push: bool, remote: str, branch: str | None, **others: Any) -> int:
    """Roll a prompt back to a release: one commit restores its file and what environments run; canaries of it end.

    History is not rewritten. Without --push the commit is yours to push, or to open a pull request with. Goldens stay.

    \b
    Example:
      promptci rollback order-extractor --to v1.2.0 --because "refunds go to the wrong queue" --push
      promptci rollback order-extractor --to v1.2.0 --env production --keep-content --dry-run

    Exit code: 0 rolled back, or there already, 2 no such release, 4 git refuses or the release was tampered with.
    """  # noqa: D301 - click's sign for lines that stay
    target = output.commit_target(push, remote, branch)
    summary = rollback.roll_back(RollbackRequest(target=target, **others))
    output.print_result(summary, rollback.summary_lines(summary), as_json=as_json)
    return 0
