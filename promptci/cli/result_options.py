"""Options of commands that end with a verdict: how much of the result is printed, and in which form."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from promptci.cli import console
from promptci.errors import UsageError
from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    from promptci.app.requests import RunResult
    from promptci.pipeline.environment import Environment
    from promptci.report.terminal import terminal_text
else:
    terminal_text = lazy_import("promptci.report.terminal.terminal_text")

Command = TypeVar("Command", bound=Callable[..., Any])
DEFAULT_CASES = 3
PRINT_JSON = "Print report.json, or the plan of a dry run, and nothing else to stdout."
ALL = -1
"""`--show all`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ResultOptions:
    """What the reader wants to see."""

    cases: int | None
    """Broken cases of each prompt; None: all."""
    quiet: bool
    verbose: bool
    as_json: bool
    look: bool
    """Open the page in the browser."""

    def environment(self) -> AbstractContextManager[Environment]:
        """Return the environment for the run: with `--json` only the report goes to stdout."""
        if self.quiet:
            return console.environment(console.say_nothing, quiet=True)
        return console.environment(console.say_progress if self.as_json else console.say)

    def say_before(self, line: str) -> None:
        """Print a line about what will be tested, to stderr."""
        if not self.quiet:
            console.say_progress(line)

    def print_result(self, outcome: RunResult) -> None:
        """Print the result in the form that was asked for."""
        if self.as_json:
            console.print_json(outcome)
        elif self.quiet:
            console.print_verdict(outcome)
        elif outcome.view is None:
            console.print_result(outcome)
        else:
            cases = terminal_text.ALL_CASES if self.cases is None else self.cases
            console.print_result(outcome, terminal_text.Detail(cases=cases, verbose=self.verbose))
        if self.look and outcome.paths is not None:
            console.open_in_browser(outcome.paths.html)


class _Cases(click.ParamType[int]):
    """A number of cases, or `all`."""

    name = "N|all"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        text = str(value)
        if text == "all":
            return ALL
        if not text.isdecimal():
            self.fail(f"`{text}` is neither a number nor `all`", param, ctx)
        return int(text)


def result_options(command: Command) -> Command:
    """Add `--show`, `--quiet`, `--verbose`, `--json` and `--open`, for `take_result_options`."""
    options = (
        click.option("--show", type=_Cases(), help="Broken cases to print of each prompt; default: 3."),
        click.option("--quiet", "-q", is_flag=True, help="Print the verdict alone."),
        click.option("--verbose", "-v", is_flag=True, help="Print every metric, finding, note and broken case."),
        click.option("--json", "as_json", is_flag=True, help=PRINT_JSON),
        click.option("--open", "look", is_flag=True, help="Open the report in the browser."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def take_result_options(options: dict[str, Any]) -> ResultOptions:
    """Take the options of `result_options` out of a command's arguments.

    Raises
    ------
    UsageError
        Where two of them contradict each other.
    """
    names = ("show", "quiet", "verbose", "as_json", "look")
    show, quiet, verbose, as_json, look = (options.pop(name) for name in names)
    if quiet + verbose + as_json > 1:
        raise UsageError("--quiet, --verbose and --json exclude each other", "Choose one of them.")
    cases = {None: None if verbose else DEFAULT_CASES, ALL: None}.get(show, show)
    return ResultOptions(cases=cases, quiet=quiet, verbose=verbose, as_json=as_json, look=look)
