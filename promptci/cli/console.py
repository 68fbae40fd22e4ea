"""What a person at the terminal sees: a progress bar, then the verdict, why, and where the report is."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from promptci.app.progress import PlainProgress
from promptci.lazy_import import lazy_import
from promptci.pipeline.environment import Environment, Trigger
from promptci.publish.runner.workflow_commands import plain_text, safe_line
from promptci.redact import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from promptci.app.requests import RunResult
    from promptci.pipeline.environment import Progress
    from promptci.report.terminal import case_lines, styled_text, terminal_text
    from promptci.report.terminal.styled_text import Style, StyledLine
    from promptci.report.terminal.terminal_text import Detail
    from promptci.runs.model import Answer
else:
    case_lines = lazy_import("promptci.report.terminal.case_lines")
    styled_text = lazy_import("promptci.report.terminal.styled_text")
    terminal_text = lazy_import("promptci.report.terminal.terminal_text")

COLOURS = {"pass": "green", "no-change": "green", "inconclusive": "yellow", "fail": "red", "error": "magenta"}


def say(line: str) -> None:
    """Print one line without secrets; control characters and workflow commands in it are made harmless."""
    click.echo(safe_line(Redactor.from_environ(os.environ).redact(line)))


def say_progress(line: str) -> None:
    """Print one line of progress to stderr, so that the result on stdout can be piped."""
    click.echo(safe_line(Redactor.from_environ(os.environ).redact(line)), err=True)


def say_beside(as_json: bool) -> Callable[[str], None]:
    """Return what prints lines beside a result: to stderr where the result on stdout is JSON."""
    return say_progress if as_json else say


def say_nothing(_: str) -> None:
    """Print nothing, for `--quiet`."""


def has_colour() -> bool:
    """Return whether results are printed in colour: on a terminal, unless `NO_COLOR` is set (https://no-color.org)."""
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


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
def environment(tell: Callable[[str], None] = say, *, quiet: bool = False) -> Iterator[Environment]:
    """Yield the environment of this process; stop the progress bar when the command ends.

    `tell` prints the lines before the result, such as the estimate.
    """
    is_watched = sys.stderr.isatty() and not os.environ.get("CI") and not quiet
    progress: Progress = ProgressBar() if is_watched else PlainProgress(say_nothing if quiet else say_progress)
    try:
        yield Environment(
            environ=os.environ,
            progress=progress,
            print=tell,
            now=lambda: datetime.now(UTC),
            trigger=Trigger(scheduled=os.environ.get("GITHUB_EVENT_NAME") == "schedule"),
        )
    finally:
        progress.end()


def print_result(outcome: RunResult, detail: Detail | None = None) -> None:
    """Print the verdict, what decided it prompt by prompt, and where the report is."""
    print_verdict(outcome)
    if outcome.view is not None:
        print_lines(terminal_text.describe_run(outcome.view, detail or terminal_text.Detail()))
    if outcome.paths is not None:
        say(f"report: {outcome.paths.html}")


def print_verdict(outcome: RunResult) -> None:
    """Print the verdict and the headline; nothing after a dry run or for a shard."""
    if outcome.unchanged is not None:
        # No import of the views for a run without changes.
        line = safe_line(f"no-change: {outcome.unchanged}")
        click.secho(line, fg=COLOURS["no-change"], bold=True, color=has_colour())
    elif outcome.view is not None:
        print_lines([case_lines.verdict_line(outcome.view.verdict, outcome.view.headline)])


def print_json(outcome: RunResult) -> None:
    """Print report.json, or the plan of a dry run, and nothing else; nothing for a shard."""
    if outcome.plan is not None:
        click.echo(outcome.plan.redacted(Redactor.from_environ(os.environ)).dump(), nl=False)
    if outcome.paths is not None:
        click.echo(outcome.paths.json.read_text(encoding="utf-8"), nl=False)


def print_lines(lines: Iterable[StyledLine]) -> None:
    """Print styled lines: wrapped on a terminal, in colour where that is wanted, else with signs for changed words."""
    redactor = Redactor.from_environ(os.environ)
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    safe = (styled_text.map_pieces(line, redactor.redact, plain_text) for line in lines)
    paint = _paint if has_colour() else styled_text.mark_words
    for text in styled_text.render(safe, width, paint):
        click.echo(text if has_colour() else safe_line(text), color=has_colour())


def _paint(text: str, style: Style) -> str:
    match style:
        case "strong":
            return click.style(text, bold=True)
        case "muted":
            return click.style(text, dim=True)
        case "good" | "warn" | "bad":
            return click.style(text, fg={"good": "green", "warn": "yellow", "bad": "red"}[style], bold=True)
        case "removed" | "added":
            return click.style(text, fg="red" if style == "removed" else "green")
        case "removed-words" | "added-words":
            return click.style(text, fg="red" if style == "removed-words" else "green", reverse=True)
        case _:
            return text


def open_in_browser(page: Path) -> None:
    """Open the page in the person's browser (`BROWSER` names one); says so where there is none."""
    import webbrowser

    if os.environ.get("CI"):
        say("not opened: this is a CI run")
    elif not webbrowser.open(page.resolve().as_uri()):
        say("no browser was found; open the file yourself, or name a browser in the variable BROWSER")
