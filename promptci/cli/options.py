"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from promptci.lazy_import import lazy_import
from promptci.pipeline.environment import DEFAULT_OUTPUT_FOLDER

if TYPE_CHECKING:
    from promptci.pipeline import shard
else:
    shard = lazy_import("promptci.pipeline.shard")

Command = TypeVar("Command", bound=Callable[..., Any])


def repository_options(command: Command) -> Command:
    """Add `--repo` and `--config`."""
    command = click.option(
        "--config",
        "config_path",
        default="promptci.yml",
        show_default=True,
        help="Configuration, within the repository.",
    )(command)
    return click.option(
        "--repo",
        "root",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        default=Path(),
        help="A folder of the git repository; default: here.",
    )(command)


class _Part(click.ParamType["shard.Shard"]):
    """`3/10`."""

    name = "I/N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "shard.Shard":
        """Read it; a usage error of ours says what is wrong."""
        return value if isinstance(value, shard.Shard) else shard.Shard.parse(str(value))


def shard_option(command: Command) -> Command:
    """Add `--shard`."""
    return click.option(
        "--shard",
        type=_Part(),
        help="Ask one part of the run only, such as 3/10, and decide nothing; `promptci merge` joins the parts.",
    )(command)


def ask_options(command: Command) -> Command:
    """Add what every command that asks a model takes."""
    command = click.option("--dry-run", is_flag=True, help="Print the plan and its price; ask nothing.")(command)
    command = click.option("--no-cache", is_flag=True, help="Ask every question again.")(command)
    command = click.option(
        "--record",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Also write the answers to a file of recorded answers.",
    )(command)
    return click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        default=DEFAULT_OUTPUT_FOLDER,
        show_default=True,
        help="Folder for the report.",
    )(command)
