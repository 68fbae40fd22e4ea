"""`promptci memory`."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from promptci.cli import console, options
from promptci.cli.release import output
from promptci.documents.document import Document
from promptci.errors import InputError
from promptci.usecases.reporting import memory, memory_lists
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


def _open_store(root: Path, config_path: str, *, as_json: bool) -> MemoryStore:
    store = memory.open_store(root, config_path, datetime.now(UTC))
    for note in store.past.notes:
        console.say_beside(as_json)(note)
    return store


def _finish(document: Document, lines: Iterable[str], *, as_json: bool) -> int:
    output.print_result(document, lines, as_json=as_json)
    return 0


@command.command("list")
@options.repository_options
@output.reads_only
@output.json_option
@click.option("--advised", is_flag=True, help="Only verdicts that blocked, or would have in mode `block`.")
def list_(root: Path, config_path: str, advised: bool, as_json: bool) -> int:
    """List the verdicts, newest first.

    A line has the verdict's id, its time, the gate's mode, the prompt, the verdict with the rules that decided it, and
    the pull request or commit. `block` blocks a merge, `advise` only reports. `broken` counts cases that passed before
    and fail now, `fixed` the reverse. docs/glossary.md lists the rules.

    \b
    Example:
      promptci memory list --advised
    """  # noqa: D301 - click's sign for lines that stay
    past = _open_store(root, config_path, as_json=as_json).past
    document = memory_lists.list_verdicts(past, blocking_only=advised)
    return _finish(document, memory_lists.verdict_lines(document), as_json=as_json)


@command.command("label")
@options.repository_options
@click.argument("verdict_id", metavar="ID")
@click.argument("label", type=click.Choice(memory.LABELS))
@click.option("--why", required=True, help="How you know.")
@output.dry_run_option
@output.json_option
def label_command(root: Path, config_path: str, *, as_json: bool, **feedback: Any) -> int:
    """Label the verdict ID as correct or incorrect. The last label of a verdict counts.

    \b
    Example:
      promptci memory label 3f9a2c1b incorrect --why 'the golden was wrong'
    """  # noqa: D301 - click's sign for lines that stay
    request = FeedbackRequest(now=datetime.now(UTC), environ=os.environ, **feedback)
    labelled = memory.label_verdict(_open_store(root, config_path, as_json=as_json), request)
    return _finish(labelled, [labelled.sentence], as_json=as_json)


@command.command("precision")
@options.repository_options
@output.reads_only
@output.json_option
def precision(root: Path, config_path: str, as_json: bool) -> int:
    """Show how often `fail` was correct according to people's labels, with a 95% interval.

    \b
    Example:
      promptci memory precision
    """  # noqa: D301 - click's sign for lines that stay
    document = memory_lists.measure_precision(_open_store(root, config_path, as_json=as_json).past)
    return _finish(document, memory_lists.precision_lines(document), as_json=as_json)


@command.command("flaky")
@options.repository_options
@output.reads_only
@output.json_option
def flaky(root: Path, config_path: str, as_json: bool) -> int:
    """List the cases that passed and failed with the same prompt, question and model.

    \b
    Example:
      promptci memory flaky
    """  # noqa: D301 - click's sign for lines that stay
    document = memory_lists.find_flaky_cases(_open_store(root, config_path, as_json=as_json).past)
    return _finish(document, memory_lists.flaky_lines(document), as_json=as_json)


@command.command("add")
@options.repository_options
@click.argument("reports", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@output.dry_run_option
@output.json_option
def add(root: Path, config_path: str, reports: tuple[Path, ...], dry_run: bool, as_json: bool) -> int:
    """Import REPORTS, the report.json files of other runs. Nothing is counted twice.

    \b
    Example:
      promptci memory add downloads/*/report.json
    """  # noqa: D301 - click's sign for lines that stay
    result = memory.add_reports(_open_store(root, config_path, as_json=as_json), reports, dry_run=dry_run)
    _finish(result, [result.sentence], as_json=as_json)
    if result.problems:
        raise InputError(result.problems)
    return 0
