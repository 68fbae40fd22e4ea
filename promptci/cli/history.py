"""`promptci history`."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from promptci.cli import console, options
from promptci.errors import InputError
from promptci.history.model import Judgement
from promptci.usecases.reporting import history
from promptci.usecases.reporting.history import Archive


@click.group("history")
def command() -> None:
    """Show what earlier runs found: verdicts, how often they were right, flaky cases.

    The history is in the folder `run.history` of promptci.yml, by default .promptci/history.
    """


def _opened(root: Path, config_path: str) -> Archive:
    archive = history.opened(root, config_path, datetime.now(UTC))
    for note in archive.past.notes:
        console.say(note)
    return archive


def _say(lines: Iterable[str]) -> int:
    for line in lines:
        console.say(line)
    return 0


@command.command("list")
@options.repository
@click.option("--advised", is_flag=True, help="Only those that blocked, or would have in mode `block`.")
def list_(root: Path, config_path: str, advised: bool) -> int:
    """List the verdicts, newest first."""
    return _say(history.listed(_opened(root, config_path).past, advised=advised))


@command.command("mark")
@options.repository
@click.argument("verdict_id", metavar="ID")
@click.argument("judgement", type=click.Choice(history.JUDGEMENTS))
@click.option("--why", required=True, help="How you know.")
def mark(root: Path, config_path: str, verdict_id: str, judgement: Judgement, why: str) -> int:
    """Say whether the verdict ID was right to block, or would have been. The last word counts."""
    archive = _opened(root, config_path)
    return _say([history.mark(archive, verdict_id, judgement, why, (datetime.now(UTC), os.environ))])


@command.command("precision")
@options.repository
def precision(root: Path, config_path: str) -> int:
    """Say how often a `fail` was right, as far as people have judged it, with a 95% interval."""
    return _say(history.precise(_opened(root, config_path).past))


@command.command("flaky")
@options.repository
def flaky(root: Path, config_path: str) -> int:
    """List the cases that have flipped by themselves: same prompt, same question, same model."""
    return _say(history.flaking(_opened(root, config_path).past))


@command.command("add")
@options.repository
@click.argument("reports", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
def add(root: Path, config_path: str, reports: tuple[Path, ...]) -> int:
    """Take in REPORTS, the report.json files of other runs; what is there already is not counted twice."""
    added = history.add(_opened(root, config_path), reports)
    console.say(added.said)
    if added.problems:
        raise InputError(added.problems)
    return 0
