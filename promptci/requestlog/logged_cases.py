"""Golden cases out of a log: the variables of a logged request, or its conversation, without secrets and people."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from promptci.goldens.checks.personal_data import remove_personal_data
from promptci.prompts.template.filled_messages import LEADING_ROLES
from promptci.redact import Redactor
from promptci.requestlog.aliases import ALIASES
from promptci.requestlog.answers import INPUT, OUTPUT, read_objects, to_text

VARIABLE_KEYS = ("promptci.variables", "gen_ai.prompt.variables", "variables", "vars")
"""Fields of a line under which applications log the variables of the prompt."""
NAMED_INPUT = "gen_ai.prompt.variable."
"""Beginning of a field that holds one variable, as OpenTelemetry's conventions write them."""


class LoggedCase(NamedTuple):
    """What a logged request asked, and what came back."""

    path: str
    line: int
    id: str
    prompt: str
    version: str
    variables: dict[str, Any]
    answered: str
    """Empty where the line has no answer."""
    failed: bool
    """Whether the request failed, or was scored as wrong."""


def read_logged_cases(paths: Sequence[Path], redactor: Redactor) -> Iterator[LoggedCase]:
    """Yield every request with its input, redacted; lines without an input are passed over.

    Raises
    ------
    InputError
        For a line that cannot be read.
    """
    hint = f"Write one JSON object with `{INPUT}` or `{VARIABLE_KEYS[0]}` on each line."
    yield from read_objects(paths, partial(_parse, redactor), hint)


def _parse(redactor: Redactor, path: Path, number: int, line: Mapping[str, Any]) -> LoggedCase | None:
    variables = _find_variables(line)
    if not variables:
        return None
    output = line.get(OUTPUT)
    return LoggedCase(
        path=str(path),
        line=number,
        id=_find_text(line, "id"),
        prompt=_find_text(line, "prompt"),
        version=_find_text(line, "version"),
        variables={name: _clean(value, redactor) for name, value in variables.items()},
        answered="" if output is None else _clean(to_text(output, OUTPUT, roles=False), redactor),
        failed=_has_failed(line),
    )


def _find_text(line: Mapping[str, Any], name: str) -> str:
    value = next((line[alias.name] for alias in ALIASES[name] if line.get(alias.name) not in (None, "")), "")
    return str(value) if isinstance(value, str | int) else ""


def _find_variables(line: Mapping[str, Any]) -> dict[str, Any]:
    written = next((line[key] for key in VARIABLE_KEYS if isinstance(line.get(key), Mapping)), None)
    if written is not None:
        return {str(name): value for name, value in written.items()}
    named = {key.removeprefix(NAMED_INPUT): value for key, value in line.items() if key.startswith(NAMED_INPUT)}
    return named or _read_input(line.get(INPUT))


def _read_input(value: Any) -> dict[str, Any]:
    """Return the user's only message as `input`, or several messages as a conversation, without those of the prompt."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"input": value}
    to_text(value, INPUT)  # names what is wrong with it
    turns = [
        {"role": str(message.get("role") or "user"), "content": to_text([message], INPUT, roles=False)}
        for message in value
        if message.get("role") not in LEADING_ROLES
    ]
    if len(turns) == 1:
        return {"input": turns[0]["content"]}
    return {"messages": turns} if turns else {}


def _has_failed(line: Mapping[str, Any]) -> bool:
    """Return whether a line says that the answer was wrong: an error, a score below a half, or a signal of it."""
    if any(line.get(alias.name) for alias in ALIASES["error"]):
        return True
    scores = [line[alias.name] for alias in ALIASES["quality"] if isinstance(line.get(alias.name), int | float)]
    return bool(scores) and scores[0] < 0.5


def _clean(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return remove_personal_data(redactor.redact(value))
    if isinstance(value, Mapping):
        return {str(key): _clean(item, redactor) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item, redactor) for item in value]
    return value
