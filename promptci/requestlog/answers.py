"""Answers of logged requests, with what was asked: kept apart from the request log, and only for a judge."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from promptci.errors import InputError, Problem
from promptci.files.lines import JsonError, parse_json
from promptci.requestlog.aliases import ALIASES
from promptci.requestlog.line import MAX_TEXT_CHARS
from promptci.requestlog.python_reader import read_lines

Parsed = TypeVar("Parsed")
INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"


class LoggedAnswer(NamedTuple):
    """One request's input and output, as texts."""

    id: str
    asked: str
    answered: str


def read_answers(paths: Sequence[Path]) -> Iterator[LoggedAnswer]:
    """Yield the answers of some files; lines without one are passed over, so a log that has them can be read too.

    Raises
    ------
    InputError
        For a line that cannot be read.
    """
    hint = f"Write one JSON object with `promptci.request`, `{INPUT}` and `{OUTPUT}` on each line."
    yield from read_objects(paths, lambda _path, _number, line: _parse(line), hint)


def read_objects(
    paths: Iterable[Path], parse: Callable[[Path, int, dict[str, Any]], Parsed | None], hint: str
) -> Iterator[Parsed]:
    """Yield what `parse` makes of each line's path, number and object; JsonError and None are its ways to say no.

    Raises
    ------
    InputError
        For a line that cannot be read, with the hint.
    """
    for path in paths:
        try:
            for number, raw in read_lines(path):
                try:
                    line = parse_json(raw.decode("utf-8"))
                    if not isinstance(line, dict):
                        raise JsonError("the line is not an object", "")  # noqa: TRY301 - one place adds the hint
                    parsed = parse(path, number, line)
                except (JsonError, UnicodeDecodeError) as error:
                    message = error.message if isinstance(error, JsonError) else "the line is not UTF-8"
                    raise InputError([Problem(path=str(path), line=number, message=message, hint=hint)]) from error
                if parsed is not None:
                    yield parsed
        except OSError as error:
            message = f"it cannot be read: {error.strerror}"
            raise InputError([Problem(path=str(path), message=message, hint="Correct its permissions.")]) from error


def _parse(line: Mapping[str, Any]) -> LoggedAnswer | None:
    if line.get(OUTPUT) is None:
        return None
    request = next((line[alias.name] for alias in ALIASES["id"] if line.get(alias.name)), None)
    if not isinstance(request, str) or len(request) > MAX_TEXT_CHARS:
        raise JsonError("`promptci.request` is missing, or not a short text", "")
    return LoggedAnswer(
        id=request, asked=to_text(line.get(INPUT), INPUT), answered=to_text(line[OUTPUT], OUTPUT, roles=False)
    )


def to_text(value: Any, name: str, *, roles: bool = True) -> str:
    """Return a text as it is; of messages, with the parts that OpenTelemetry's conventions give them, the texts."""
    if isinstance(value, str):
        return value
    if value is None or not isinstance(value, list) or not all(isinstance(message, Mapping) for message in value):
        raise JsonError(f"`{name}` is neither a text nor a list of messages", "")
    return "\n\n".join(
        f"{message.get('role', '')}: {_content(message)}" if roles else _content(message) for message in value
    )


def _content(message: Mapping[str, Any]) -> str:
    content, parts = message.get("content"), message.get("parts")
    if isinstance(content, str):
        return content
    if not isinstance(parts, list):
        return ""
    texts = [part.get("content") for part in parts if isinstance(part, Mapping)]
    return "\n".join(text for text in texts if isinstance(text, str))
