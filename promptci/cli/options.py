"""Options that several commands share."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from promptci.errors import UsageError
from promptci.lazy_import import lazy_import
from promptci.pipeline.environment import DEFAULT_OUTPUT_FOLDER

if TYPE_CHECKING:
    from promptci.pipeline import shard
else:
    shard = lazy_import("promptci.pipeline.shard")

LAST_REPORT = DEFAULT_OUTPUT_FOLDER / "report.json"
NO_CACHE = "Ask every question again; the new answers replace the cached ones."
Command = TypeVar("Command", bound=Callable[..., Any])


def find_top(folder: Path) -> Path:
    """Return the top folder of the repository that a folder is in, as seen from here; elsewhere the folder itself."""
    absolute = Path(os.path.abspath(folder))  # noqa: PTH100 - resolve() would follow links
    top = next((each for each in (absolute, *absolute.parents) if (each / ".git").exists()), absolute)
    return folder if top == absolute else Path(os.path.relpath(top))


def place_default(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Return a path that nobody named as one at the top of the repository, also in a folder of it; else as it is."""
    is_default = ctx.get_parameter_source(param.name or "") is ParameterSource.DEFAULT
    return find_top(Path()) / value if is_default and value is not None else value


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
        callback=lambda _, __, value: find_top(value),
        help="A folder of the git repository; default: here.",
    )(command)


class LastReport(click.Path):
    """A report.json; before the first run, the error says what writes one."""

    def __init__(self) -> None:
        super().__init__(exists=True, dir_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path of a file that exists."""
        if Path(value) == LAST_REPORT:
            at_top = find_top(Path()) / LAST_REPORT  # where runs write it, in whatever folder they are called
            value = at_top if at_top.exists() else value
            if Path(value).exists():
                return super().convert(value, param, ctx)
            raise UsageError(
                f"There is no {LAST_REPORT} here yet",
                "`promptci check` and `promptci run` write it, where they are run.",
            )
        return super().convert(value, param, ctx)


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
    command = click.option("--no-cache", "ask_again", is_flag=True, help=NO_CACHE)(command)
    command = click.option(
        "--record",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Also write the answers to a file of recorded answers.",
    )(command)
    return output_option("Folder for the report.")(command)


def output_option(
    description: str, default: Path = DEFAULT_OUTPUT_FOLDER, *, at_top: bool = True
) -> Callable[[Command], Command]:
    """Return a decorator that adds `--out`, a folder; by default at the top of the repository, or else right here."""
    folder = click.Path(file_okay=False, path_type=Path)
    place = place_default if at_top else None
    return click.option("--out", type=folder, default=default, callback=place, show_default=True, help=description)


def prompts_option(command: Command) -> Command:
    """Add `--prompt`, as `prompts`."""
    description = "Name of a prompt, may be given several times; default: all."
    return click.option("--prompt", "prompts", multiple=True, help=description)(command)


def history_options(command: Command) -> Command:
    """Add `--history` and `--remote`."""
    command = click.option("--remote", default="origin", show_default=True, help="Remote to push to.")(command)
    return click.option(
        "--history", is_flag=True, help="Also record the result on the branch promptci/history, and push it."
    )(command)


def filter_options(command: Command) -> Command:
    """Add `--prompt` and `--case`, as `prompts` and `cases`; what is tested by a part of the cases cannot pass."""
    description = "Id of a case, or a pattern such as 'refund-*'; may be given several times. The run cannot pass."
    command = click.option("--case", "cases", multiple=True, help=description)(command)
    description = "Test this prompt only; may be given several times. The run cannot pass."
    return click.option("--prompt", "prompts", multiple=True, help=description)(command)


class Moment(click.DateTime):
    """A time; a mistake is answered by examples, not by the codes of the formats."""

    def __init__(self, *formats: str) -> None:
        super().__init__(formats)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the time; raise click.BadParameter with examples where it is none."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            example = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
            shown = " or ".join(example.strftime(form).replace("+0000", "Z") for form in self.formats)
            self.fail(f"`{value}` is not a time; write it like {shown}.", param, ctx)


def now_option(verb: str) -> Callable[[Command], Command]:
    """Return a decorator that adds `--now`: a time in UTC, by default the clock's; `verb` begins its help."""
    return click.option(
        "--now",
        type=Moment("%Y-%m-%dT%H:%M:%S%z"),
        metavar="TIME",
        callback=lambda _, __, value: datetime.now(UTC) if value is None else value.astimezone(UTC),
        help=f"{verb} as if it were this time, such as 2026-03-02T10:00:00Z; default: now.",
    )
