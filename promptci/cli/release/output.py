"""Options and output that the commands of releases share."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from promptci.cli import console
from promptci.cli.options import find_top
from promptci.documents.document import Document
from promptci.errors import UsageError
from promptci.redact import Redactor
from promptci.rollout.deployments.commit import CommitTarget
from promptci.rollout.deployments.environment_file import FOLDER
from promptci.wording import join_names

Command = TypeVar("Command", bound=Callable[..., Any])


def dry_run_option(command: Command) -> Command:
    """Add `--dry-run`."""
    return click.option("--dry-run", is_flag=True, help="Print what would happen; write and commit nothing.")(command)


def reads_only(command: Command) -> Command:
    """Add `--dry-run` to a command that writes nothing in any case."""
    option = click.option(
        "--dry-run", is_flag=True, expose_value=False, help="Changes nothing: this command only reads and prints."
    )
    return option(command)


def environment_option(command: Command) -> Command:
    """Add `--env`, which is required; the error where it is missing names the environments that there are."""
    description = "Environment, required: `production` is deployments/production.yml."
    return click.option("--env", "environment", callback=_require_environment, help=description)(command)


def _require_environment(ctx: click.Context, _: click.Parameter, value: str | None) -> str | None:
    if value is None and not ctx.resilient_parsing:
        folder = find_top(ctx.params.get("root") or Path()) / FOLDER
        names = sorted(path.stem for path in folder.glob("*.yml"))
        listed = (
            f"Environments there: {join_names(names)}" if names else "There is none yet: `--env production` begins one"
        )
        raise UsageError("--env is missing, which names the environment", f"{listed}.")
    return value


def push_options(command: Command) -> Command:
    """Add where a commit goes: `--push`, `--remote` and `--branch`."""
    command = click.option(
        "--branch", help="With --push: branch to push to, such as one for a pull request; default: the remote's own."
    )(command)
    command = click.option("--remote", default="origin", show_default=True, help="Where to push to.")(command)
    return click.option(
        "--push",
        is_flag=True,
        help="Commit onto the remote's branch and push; where somebody was faster, once more on top of it.",
    )(command)


def commit_target(push: bool, remote: str, branch: str | None) -> CommitTarget:
    """Return where a commit goes, by the options.

    Raises
    ------
    UsageError
        For a branch without a push, which would change nothing.
    """
    if branch is not None and not push:
        raise UsageError("--branch is the branch to push to, and nothing is pushed", "Pass --push as well.")
    return CommitTarget(push=push, remote=remote, branch=branch)


def json_option(command: Command) -> Command:
    """Add `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def print_json(document: Document) -> None:
    """Print a result for programs, without secrets, as lines are printed."""
    click.echo(document.redacted(Redactor.from_environ(os.environ)).dump(), nl=False)


def print_result(document: Document, lines: Iterable[str], *, as_json: bool) -> None:
    """Print a result, as JSON or as lines."""
    if as_json:
        print_json(document)
        return
    for line in lines:
        console.say(line)
