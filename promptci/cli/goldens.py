"""`promptci goldens`."""

import os
from typing import Any

import click

from promptci.cli import options
from promptci.cli.options import Command
from promptci.cli.release import output
from promptci.redact import Redactor
from promptci.usecases.goldens import golden_sets
from promptci.usecases.goldens.golden_sets import GoldensRequest


def _selection_options(command: Command) -> Command:
    """Add whose goldens are meant, and how the result is printed."""
    command = options.prompts_option(output.json_option(command))
    command = click.option("--head", default=".", show_default=True, help="Revision; `.` is the working tree.")(command)
    return options.repository_options(command)


@click.group("goldens")
def command() -> None:
    """Check the golden cases themselves, and count what is in them."""


@command.command("lint")
@_selection_options
def lint_command(*, as_json: bool, **selection: Any) -> int:
    """Find duplicates, near duplicates, answers that stand in the prompt, unbalanced labels, keys and personal data.

    Exit code: 0 without findings, 1 with some, 4 there are no golden cases.
    """
    document = golden_sets.lint(GoldensRequest(**selection)).redacted(Redactor.from_environ(os.environ))
    output.print_result(document, golden_sets.lint_lines(document), as_json=as_json)
    return int(bool(document.findings))


@command.command("stats")
@_selection_options
def stats_command(*, as_json: bool, **selection: Any) -> int:
    """Count cases, assertions, tags, expected answers and lengths of variables, prompt by prompt."""
    document = golden_sets.count_goldens(GoldensRequest(**selection)).redacted(Redactor.from_environ(os.environ))
    output.print_result(document, golden_sets.stats_lines(document), as_json=as_json)
    return 0
