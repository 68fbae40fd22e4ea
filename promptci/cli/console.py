"""What a person at the terminal sees: a progress bar, then the verdict and where the report is."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from promptci.app.progress import PlainProgress
from promptci.lazy_import import lazy_import
from promptci.pipeline.environment import Environment
from promptci.publish.runner.workflow_commands import safe_line
from promptci.redact import Redactor

if TYPE_CHECKING:
    from promptci.app.requests import RunResult
    from promptci.report.text import terminal_text
    from promptci.runs.model import Answer
else:
    terminal_text = lazy_import("promptci.report.text.terminal_text")

COLOURS = {"pass": "green", "no-change": "green", "inconclusive": "yellow", "fail": "red", "error": "magenta"}


def say(line: str) -> None:
    """Print one line without secrets; control characters and workflow commands in it are made harmless."""
    click.echo(safe_line(Redactor.from_environ(os.environ).redact(line)))


def say_progress(line: str) -> None:
    """Print one line of progress to stderr, so that the result on stdout can be piped."""
    click.echo(safe_line(Redactor.from_environ(os.environ).redact(line)), err=True)


class ProgressBar:
    """A progress bar for a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bar = Progress(
            TextColumn("asking"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._bar.add_task("", total=None)
        self._counts = PlainProgress(lambda _: None)

    def begin(self, total: int) -> None:
        """Show the bar."""
        self._counts.begin(total)
        self._bar.update(self._task, total=total)
        self._bar.start()

    def extend(self, count: int) -> None:
        """Make it longer."""
        self._counts.extend(count)
        self._bar.update(self._task, total=self._counts.total)

    def step(self, answer: Answer) -> None:
        """Move it on."""
        self._counts.step(answer)
        self._bar.update(self._task, advance=1, description=self._counts.line().partition(", ")[2])

    def wait(self, reason: str) -> None:
        """Print why it stands still, above it."""
        say_progress(f"waiting: {reason}")

    def end(self) -> None:
        """Leave it standing, complete or not."""
        self._bar.stop()


@contextmanager
def environment() -> Iterator[Environment]:
    """Yield the environment of this process; stop the progress bar when the command ends."""
    progress = ProgressBar() if sys.stderr.isatty() and not os.environ.get("CI") else PlainProgress(say_progress)
    try:
        yield Environment(environ=os.environ, progress=progress, print=say, now=lambda: datetime.now(UTC))
    finally:
        progress.end()


def print_result(outcome: RunResult) -> None:
    """Print the verdict, what decided it prompt by prompt, and where the report is."""
    if outcome.unchanged is not None:
        _print_verdict("no-change", outcome.unchanged)
    elif outcome.view is not None:
        _print_verdict(outcome.view.verdict, outcome.view.headline)
        for line in terminal_text.run_lines(outcome.view):
            say(line)
    if outcome.paths is not None:
        say(f"report: {outcome.paths.html}")


def _print_verdict(verdict: str, headline: str) -> None:
    click.secho(safe_line(f"{verdict}: {headline}"), fg=COLOURS[verdict], bold=True)


def open_in_browser(page: Path) -> None:
    """Open the page in the person's browser (`BROWSER` names one); says so where there is none."""
    import webbrowser

    if os.environ.get("CI"):
        say("not opened: this is a CI run")
    elif not webbrowser.open(page.resolve().as_uri()):
        say("no browser was found; open the file yourself, or name a browser in the variable BROWSER")
