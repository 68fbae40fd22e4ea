"""`promptci explain`."""

import os
from typing import Any

import click

from promptci.app.requests import CheckRequest
from promptci.cli import console, options, result_options
from promptci.evaluation import check
from promptci.git.snapshot import WORK_TREE
from promptci.report.terminal import explanation_lines

UNEXPLAINED, NOT_EVALUATED = 3, 4


@click.command("explain")
@options.repository_options
@click.option("--base", help="Revision to compare with; default: the merge base with the default branch.")
@click.option("--head", help="Revision to test; `.` is the working tree. Default: `.`, and HEAD where CI is set.")
@click.option(
    "--calls",
    "explain_calls",
    type=click.IntRange(1, 10_000),
    help="Calls at most, over all failed prompts; default: `explain.calls` of promptci.yml.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan and its price; ask nothing.")
@click.option("--no-cache", "ask_again", is_flag=True, help=options.NO_CACHE)
@click.option("--json", "as_json", is_flag=True, help=result_options.PRINT_JSON)
@options.output_option("Folder for the report.")
def command(head: str | None, as_json: bool, **others: Any) -> int:
    """Find out which edit of a change broke its prompts: check it, then ask the broken cases with edits undone.

    Answers of an earlier check come from the cache. A check that fails asks this by itself; here it can have more
    calls, and every edit is listed.

    Exit code: 0 an edit is named for every prompt that failed, 3 none is named or none failed, 4 could not evaluate,
    2 bad usage or configuration.

    \b
    Example:
      promptci explain
      promptci explain --dry-run
      promptci explain --base main --head HEAD --calls 600
    """  # noqa: D301 - click's sign for lines that stay
    head = head or ("HEAD" if os.environ.get("CI") else WORK_TREE)
    with console.environment(console.say_progress) as env:
        outcome = check.check(CheckRequest(head=head, **others), env)
    if as_json:
        console.print_json(outcome)
    if others["dry_run"]:
        return outcome.exit_code
    if not as_json:
        console.print_verdict(outcome)
        if outcome.view is not None:
            console.print_lines(explanation_lines.describe_explanation(outcome.view))
    if outcome.view is None or outcome.view.verdict == "error":
        return NOT_EVALUATED
    return 0 if explanation_lines.is_explained(outcome.view) else UNEXPLAINED
