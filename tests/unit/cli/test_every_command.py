"""Promises about every command, kept by walking the tree of commands."""

import shlex
from collections.abc import Iterator

import click
import pytest

from promptci.cli.command_group import group

TOPICS = (
    "alerts",
    "audit",
    "bundle",
    "canary",
    "deploy",
    "diff",
    "drift",
    "history",
    "log",
    "monitor",
    "release",
    "rollback",
    "show",
    "site",
    "status",
    "versions",
)


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield name and command of everything that can be run."""
    if not isinstance(command, click.Group) or command.invoke_without_command:
        yield " ".join(path), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from walk(command.get_command(context, name) or click.Command(name), (*path, name))


COMMANDS = dict(walk(group))
OWN = {name: command for name, command in COMMANDS.items() if name.partition(" ")[0] in TOPICS}


def option_names(command: click.Command) -> set[str]:
    return {name for parameter in command.params for name in parameter.opts} | {"--help"}


def examples(command: click.Command) -> list[list[str]]:
    """Return the command lines in the help of a command, as words."""
    block = (command.help or "").partition("Example:\n")[2].partition("\n\n")[0].replace("\\\n", "")
    return [shlex.split(line) for line in block.splitlines() if line.strip()]


def find_command(words: list[str]) -> "click.Command | None":
    """Return the command that a command line runs."""
    return COMMANDS.get(" ".join(words[1:3])) or COMMANDS.get(" ".join(words[1:2]))


def test_every_topic_has_commands() -> None:
    assert {name.partition(" ")[0] for name in OWN} == set(TOPICS)


@pytest.mark.parametrize("name", OWN)
def test_help_shows_an_example_that_this_command_line_understands(name: str) -> None:
    lines = examples(OWN[name])
    assert [line for line in lines if find_command(line) is OWN[name]], lines
    for line in lines:
        command = find_command(line) if line[0] == "promptci" else None
        if command is not None:
            used = {word.partition("=")[0] for word in line if word.startswith("--")}
            assert used <= option_names(command), line


EXCEPTIONS = {
    ("", "--json"): "prints what to type next, for a person",
    ("", "--dry-run"): "reads only",
    ("demo", "--json"): "a show for people; its report.json is beside the page",
    ("demo", "--dry-run"): "writes into a folder of its own, which it marks",
    ("doctor", "--dry-run"): "reads only, but with --ask, which is the opposite of a dry run",
    ("goldens sample", "--json"): "prints lines of JSON in any case",
    ("judge label", "--json"): "a dialogue with a person",
    ("judge label", "--dry-run"): "a dialogue with a person; `q` ends it with nothing written",
    ("merge", "--dry-run"): "writes a report into a folder that is named for it",
    ("power", "--dry-run"): "reads only",
    ("report", "--dry-run"): "writes a report into a folder that is named for it",
}
"""Options that a command does not have, and why."""


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("option", ["--json", "--dry-run"])
def test_every_command_can_be_read_by_programs_and_tried_dry(name: str, option: str) -> None:
    assert (option in option_names(COMMANDS[name])) is ((name, option) not in EXCEPTIONS)


def test_exceptions_are_commands() -> None:
    assert {name for name, _ in EXCEPTIONS} <= COMMANDS.keys()
