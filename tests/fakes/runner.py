"""What GitHub's runner makes of a log and of its files: its own parsing, step by step, in Python.

Ported from `ActionCommand` and `EnvFileKeyValuePairs` of actions/runner, as they behave on Linux.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

COMMANDS = frozenset(
    {"add-mask", "add-matcher", "remove-matcher", "add-path", "debug", "echo", "error", "group", "endgroup", "notice"}
    | {"warning", "save-state", "set-env", "set-output", "stop-commands", "internal-set-repo-path"}
)
_DATA = (("%0D", "\r"), ("%0A", "\n"), ("%25", "%"))
_PROPERTY = (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"))
_LEGACY = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%25", "%"))
_Rules = tuple[str, tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command the runner would carry out."""

    name: str
    properties: dict[str, str]
    data: str


class FormatError(Exception):
    """The runner fails the step."""


def log(text: str) -> list[Command]:
    """Return the commands in a log; both streams of a process are read line by line, at either line break."""
    return [command for line in re.split("\r\n|\r|\n", text) if (command := parse(line))]


def parse(line: str) -> Command | None:
    """Return the command in a line, if the runner sees one.

    The runner compares by culture, which overlooks invisible characters; so both readings are tried.
    """
    visible = "".join(sign for sign in line if unicodedata.category(sign) != "Cf")
    return _modern(line) or _legacy(line) or _modern(visible) or _legacy(visible)


def _modern(line: str) -> Command | None:
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    return _command(line[2:end], line[end + 2 :], (",", _PROPERTY, _DATA))


def _legacy(line: str) -> Command | None:
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    return _command(line[start + 3 : end], line[end + 1 :], (";", _LEGACY, _LEGACY))


def _command(info: str, data: str, rules: _Rules) -> Command | None:
    between, in_property, in_data = rules
    name, _, rest = info.partition(" ")
    if name.lower() not in COMMANDS:
        return None
    pairs = [pair for part in rest.strip().split(between) if part and len(pair := _pair(part)) == 2]
    properties = {name: _unescape(value, in_property) for name, value in pairs}
    return Command(name=name, properties=properties, data=_unescape(data, in_data))


def _pair(text: str) -> list[str]:
    """Split at the first `=` as .NET does when it is told to leave out empty parts."""
    return [part for part in text.lstrip("=").split("=", 1) if part]


def _unescape(text: str, rules: tuple[tuple[str, str], ...]) -> str:
    for escaped, plain in rules:
        text = text.replace(escaped, plain)
    return text


def key_values(text: str) -> list[tuple[str, str]]:
    """Read an output file; FormatError where the runner would fail the step."""
    return list(_key_values(text))


def _key_values(text: str) -> Iterator[tuple[str, str]]:
    index = 0
    while index < len(text):
        line, index, _ = _line(text, index)
        equals, heredoc = line.find("="), line.find("<<")
        if not line:
            continue
        if equals >= 0 and (heredoc < 0 or equals < heredoc):
            name, _, value = line.partition("=")
            if not name:
                raise FormatError(line)
            yield name, value
        elif heredoc >= 0:
            name, _, delimiter = line.partition("<<")
            if not name or not delimiter:
                raise FormatError(line)
            value, index = _heredoc(text, index, delimiter)
            yield name, value
        else:
            raise FormatError(line)


def _heredoc(text: str, start: int, delimiter: str) -> tuple[str, int]:
    index = end = start
    while True:
        if index >= len(text):
            raise FormatError(f"no {delimiter}")
        line, index, newline = _line(text, index)
        if line == delimiter:
            return text[start:end], index
        if not newline:
            raise FormatError("no line break at the end")
        end = index - len(newline)


def _line(text: str, index: int) -> tuple[str, int, str]:
    end = text.find("\n", index)
    return (text[index:], len(text), "") if end < 0 else (text[index:end], end + 1, "\n")
