"""`promptci check`."""

import os
from dataclasses import replace
from functools import partial
from typing import Any

import click

from promptci.app.requests import CheckRequest
from promptci.cli import options, result_options, watch
from promptci.cli.result_options import ResultOptions
from promptci.errors import UsageError
from promptci.evaluation import check
from promptci.git.snapshot import WORK_TREE

NOTICE = "testing the working tree, uncommitted changes included; `--head HEAD` tests the last commit"


@click.command("check")
@options.repository_options
@click.option("--base", help="Revision to compare with; default: the merge base with the default branch.")
@click.option("--head", help="Revision to test; `.` is the working tree. Default: `.`, and HEAD where CI is set.")
@options.filter_options
@result_options.result_options
@click.option("--watch", "watches", is_flag=True, help="Check again whenever a file is saved, until Ctrl-C.")
@options.ask_options
@options.shard_option
def command(base: str | None, head: str | None, watches: bool, **others: Any) -> int:
    """Test the prompts that a change touches against the version they replace.

    On a laptop the working tree is tested, so that nothing has to be committed first.

    Exit code: 0 may merge, 1 a regression or a crossed limit, 3 inconclusive where that blocks, 4 could not evaluate,
    2 bad usage or configuration. With --prompt or --case it is never 0: a part of a change cannot pass.

    \b
    Example:
      promptci check                                   # your uncommitted changes
      promptci check --watch                           # again after every save
      promptci check --prompt order --case 'refund-*' --show all
      promptci check --base main --head HEAD --json > report.json
    """  # noqa: D301 - click's sign for lines that stay
    result = result_options.take_result_options(others)
    if watches and (os.environ.get("CI") or head not in (None, WORK_TREE) or others["shard"] is not None):
        raise UsageError("--watch tests the working tree", "Leave out --head and --shard; in CI, leave out --watch.")
    notice = NOTICE if head is None and not os.environ.get("CI") else ""
    head = head or ("HEAD" if os.environ.get("CI") else WORK_TREE)
    request = CheckRequest(base=base, head=head, needs_view=False, **others)
    run_once = partial(_check, request, result, notice)
    return watch.run_on_every_save(run_once, request.root, request.out) if watches else run_once()


def _check(request: CheckRequest, result: ResultOptions, notice: str) -> int:
    """Check once; what is tested is said before the first line of the run, and not where nothing can be tested."""
    pending = [notice] if notice else []

    def say_notice() -> None:
        while pending:
            result.say_before(pending.pop())

    with result.environment() as env:

        def print_line(line: str) -> None:
            say_notice()
            env.print(line)

        outcome = check.check(request, replace(env, print=print_line))
        if not outcome.problems:
            say_notice()
        result.print_result(outcome)
    return outcome.exit_code
