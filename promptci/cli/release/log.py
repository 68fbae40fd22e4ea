"""`promptci log`."""

from typing import Any

import click

from promptci.cli import options
from promptci.cli.release import output
from promptci.usecases.release import prompt_log
from promptci.usecases.release.prompt_log import PromptLogRequest


@click.command("log")
@click.argument("name")
@options.repository_options
@click.option("--rev", "revision", default="HEAD", show_default=True, help="Deployments up to this commit.")
@output.reads_only
@output.json_option
def command(as_json: bool, **others: Any) -> int:
    """List what happened to a prompt: releases and deployments, newest first.

    Who, when, why, the pull request, who approved, and the verdict, as tags and commits have them.

    \b
    Example:
      promptci log order-extractor

    Exit code: 0 shown, 1 a tag was moved or changed, 2 nothing is known of the
    prompt.
    """  # noqa: D301 - click's sign for lines that stay
    log = prompt_log.list_events(PromptLogRequest(**others))
    output.print_result(log, prompt_log.log_lines(log), as_json=as_json)
    return log.exit_code
