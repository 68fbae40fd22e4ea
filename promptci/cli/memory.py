"""`promptci memory`."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from promptci.cli import console, options
from promptci.cli.release import output
from promptci.errors import InputError
from promptci.memory.model import Label
from promptci.usecases.reporting import memory
from promptci.usecases.reporting.memory import FeedbackRequest, MemoryStore


@click.group("memory")
def command() -> None:
    """Show earlier runs: verdicts, how often they were correct, flaky cases.

    The memory is in the folder `run.memory` of promptci.yml, by default .promptci/memory.

    \b
    Example:
      promptci memory list
      promptci memory flaky
    """  # noqa: D301 - click's sign for lines that stay


def _open_store(root: Path, config_path: str) -> MemoryStore:
    store = memory.open_store(root, config_path, datetime.now(UTC))
    for note in store.past.notes:
        console.say(note)
    return store


def _print_all(lines: Iterable[str]) -> int:
    for line in lines:
        console.say(line)
    return 0


@command.command("list")
@options.repository_options
@output.reads_only
@click.option("--advised", is_flag=True, help="Only verdicts that blocked, or would have in mode `block`.")
def list_(root: Path, config_path: str, advised: bool) -> int:
    """List the verdicts, newest first.

    \b
    Example:
      promptci memory list --advised
    """  # noqa: D301 - click's sign for lines that stay
    return _print_all(memory.list_verdicts(_open_store(root, config_path).past, blocking_only=advised))


@command.command("label")
@options.repository_options
@click.argument("verdict_id", metavar="ID")
@click.argument("label", type=click.Choice(memory.LABELS))
@click.option("--why", required=True, help="How you know.")
def label_command(root: Path, config_path: str, verdict_id: str, label: Label, why: str) -> int:
    """Label the verdict ID as correct or incorrect. The last label of a verdict counts.

    \b
    Example:
      promptci memory label 3f9a2c1b incorrect --why 'the golden was wrong'
    """  # noqa: D301 - click's sign for lines that stay
    request = FeedbackRequest(verdict_id=verdict_id, label=label, why=why, now=datetime.now(UTC), environ=os.environ)
    return _print_all([memory.label_verdict(_open_store(root, config_path), request)])


@command.command("precision")
@options.repository_options
@output.reads_only
def precision(root: Path, config_path: str) -> int:
    """Show how often `fail` was correct according to people's labels, with a 95% interval.

    \b
    Example:
      promptci memory precision
    """  # noqa: D301 - click's sign for lines that stay
    return _print_all(memory.precision_report(_open_store(root, config_path).past))


@command.command("flaky")
@options.repository_options
@output.reads_only
def flaky(root: Path, config_path: str) -> int:
    """List the cases that passed and failed with the same prompt, question and model.

    \b
    Example:
      promptci memory flaky
    """  # noqa: D301 - click's sign for lines that stay
    return _print_all(memory.flaky_report(_open_store(root, config_path).past))


@command.command("add")
@options.repository_options
@click.argument("reports", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
def add(root: Path, config_path: str, reports: tuple[Path, ...]) -> int:
    """Import REPORTS, the report.json files of other runs. Nothing is counted twice.

    \b
    Example:
      promptci memory add downloads/*/report.json
    """  # noqa: D301 - click's sign for lines that stay
    result = memory.add_reports(_open_store(root, config_path), reports)
    console.say(result.sentence)
    if result.problems:
        raise InputError(result.problems)
    return 0
