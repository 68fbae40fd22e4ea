"""`promptci comment`."""

import os
import sys
from pathlib import Path

import click

from promptci.cli import console
from promptci.publish.github import pygithub_client
from promptci.publish.runner.context import ActionContext
from promptci.usecases.reporting import comment


@click.command("comment")
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder or zip file with the report.json of the run that this workflow follows.",
)
def command(source: Path) -> int:
    """Post the comment for a run that had no right to post it, from a workflow that runs after it (`workflow_run`).

    The report counts as untrusted: its size is bounded, it is validated, and rendered again. The token is read from
    GITHUB_TOKEN.

    \b
    Example:
      promptci comment --from promptci-report
    """  # noqa: D301 - click's sign for lines that stay
    token = os.environ.get("GITHUB_TOKEN", "")
    context = ActionContext.from_environ({"INPUT_GITHUB-TOKEN": token, **os.environ, "INPUT_FROM": str(source)})
    return comment.post_comment(source, context, pygithub_client.connect(context), console.say, sys.stdout)
