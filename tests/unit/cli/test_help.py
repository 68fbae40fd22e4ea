"""The help of every command: an example that the command itself accepts, and a place in the list."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from support.cli_runs import call_promptci

from promptci.cli import command_group

CONTEXT = command_group.group.make_context("promptci", [], resilient_parsing=True)


def walk(command: click.Command, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command and group below one, with the words that call it."""
    yield words, command
    if isinstance(command, click.Group):
        for name in command.list_commands(CONTEXT):
            member = command.get_command(CONTEXT, name)
            assert member is not None
            yield from walk(member, (*words, name))


TREE = dict(walk(command_group.group))


def examples(command: click.Command) -> list[str]:
    """Return the lines under `Example:` in a command's help."""
    _, _, rest = (command.help or "").replace("\\\n", " ").partition("Example:\n")
    return [line.strip() for line in rest.split("\n\n")[0].splitlines()]


@pytest.mark.parametrize("words", TREE, ids=" ".join)
def test_every_command_has_an_example_that_it_accepts(words: tuple[str, ...]) -> None:
    lines = examples(TREE[words])
    assert any(line.startswith(" ".join(["promptci", *words])) for line in lines), lines
    for line in lines:
        for call in re.findall(r"promptci [^|;&]*", line):
            command: click.Command = command_group.group
            arguments = shlex.split(call, comments=True)[1:]
            while isinstance(command, click.Group) and arguments and not arguments[0].startswith("-"):
                named = command.get_command(CONTEXT, arguments.pop(0))
                assert named is not None, call
                command = named
            command.make_context("x", arguments, parent=CONTEXT, resilient_parsing=True)


def test_every_command_is_in_one_group_of_the_help() -> None:
    shown = CliRunner().invoke(command_group.group, ["--help"]).output
    assert [title for title in command_group.COMMAND_GROUPS if f"\n{title}:\n" not in shown] == []
    assert [name for name in command_group.COMMANDS if len(re.findall(rf"^  {name} ", shown, re.MULTILINE)) != 1] == []


def test_commands_are_completed_without_importing_them() -> None:
    items = command_group.group.shell_complete(CONTEXT, "dr")
    assert [(item.value, item.help) for item in items] == [("drift", command_group.COMMANDS["drift"])]


@pytest.mark.parametrize(("words", "meant"), [(["chek"], "check"), (["goldens", "lnt"], "lint"), (["zzz"], "")])
def test_a_misspelt_command_comes_with_the_nearest_one(words: list[str], meant: str, tmp_path: Path) -> None:
    done = call_promptci(words, tmp_path, {})
    assert done.returncode == 2
    assert (f"Did you mean `{meant}`?" in done.stderr) == bool(meant)


@pytest.mark.parametrize("words", [["report"], ["judge", "label", "--prompt", "order"]])
def test_before_the_first_run_a_command_that_reads_its_report_says_what_writes_it(
    words: list[str], tmp_path: Path
) -> None:
    done = call_promptci(words, tmp_path, {})
    assert done.returncode == 2
    assert "There is no promptci-report/report.json here yet. `promptci check`" in done.stderr
