"""Answers from a file: the same run again tomorrow, without key, network or cost; and the recorder that writes it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from promptci.errors import InputError, Problem, ProviderError
from promptci.files import lines, write
from promptci.providers.base import (
    COMPLETION_CODEC,
    NO_HOOKS,
    CallHooks,
    CallKey,
    Completion,
    Provider,
    Request,
    read_text,
)
from promptci.providers.http.errors import api_errors
from promptci.providers.replay import ReplayProvider
from promptci.redact import Redactor

MAX_SHOWN_CHARS = 200
"""Characters of a prompt kept with its answer, for the person who reads the file."""
_RECORD_HINT = "Record it again: `promptci check --record FILE`."


def load_recording(path: Path, *, shown_as: str) -> dict[CallKey, dict[str, Any]]:
    """Return the lines of a recording by request key and replicate; `shown_as` names the file in errors.

    Raises
    ------
    InputError
        Naming each line that is no recorded answer, or the second of its key.
    """
    recorded_lines: dict[CallKey, dict[str, Any]] = {}
    text = lines.decode_utf8(path.read_bytes(), shown_as)
    values, problems = lines.parse_jsonl(text, shown_as)
    for number, value in values:
        try:
            key = _key(value)
            COMPLETION_CODEC.from_json(value.get("completion"))
        except ValueError as error:
            problems.append(Problem(path=shown_as, line=number, message=str(error), hint=_RECORD_HINT))
            continue
        if key in recorded_lines:
            message = "this request has an answer further up"
            problems.append(Problem(path=shown_as, line=number, message=message, hint="Remove one of the two lines."))
        recorded_lines[key] = value
    if problems:
        raise InputError(problems)
    return recorded_lines


def open_recording(path: Path, *, shown_as: str) -> ReplayProvider:
    """Return a provider that answers from a recording and nothing else.

    Raises
    ------
    ProviderError
        If there is no such file.
    InputError
        If the file is not a valid recording.
    """
    if not path.is_file():
        raise ProviderError(f"provider.path: there is no file {shown_as}", _RECORD_HINT)
    rows = load_recording(path, shown_as=shown_as)
    known = {key: COMPLETION_CODEC.from_json(row["completion"]) for key, row in rows.items()}

    def describe_missing(request: Request, replicate: int) -> str:
        excerpt = api_errors.shorten(_last_user_message(request))[:MAX_SHOWN_CHARS]
        return f"{shown_as} holds no answer {replicate + 1} of {request.model} to `{excerpt}`. {_RECORD_HINT}"

    return ReplayProvider(known, name="recorded", missing=describe_missing)


class RecordingProvider:
    """Asks another provider and writes down what it answers, in a file that reads well in a diff."""

    def __init__(self, provider: Provider, path: Path, *, redactor: Redactor | None = None) -> None:
        """Begin with what the file holds already; raises InputError where it cannot be used."""
        self.name = provider.name
        self.concurrency = provider.concurrency
        self._provider = provider
        self._path = path
        self._redactor = redactor or Redactor()
        self._lines = load_recording(path, shown_as=str(path)) if path.exists() else {}

    async def complete(self, request: Request, *, replicate: int, hooks: CallHooks = NO_HOOKS) -> Completion:
        """Ask the other provider; an answer recorded before for the same request is replaced."""
        completion = await self._provider.complete(request, replicate=replicate, hooks=hooks)
        self._lines[request.key, replicate] = dump_recorded(request, replicate, completion, self._redactor)
        return completion

    async def aclose(self) -> None:
        """Write the file, sorted by key so that only what changed shows in a diff; then close the other provider."""
        try:
            dumped = (json.dumps(line, ensure_ascii=False) for _, line in sorted(self._lines.items()))
            write.write_text(self._path, "".join(f"{line}\n" for line in dumped))
        finally:
            await self._provider.aclose()


def dump_recorded(request: Request, replicate: int, completion: Completion, redactor: Redactor) -> dict[str, Any]:
    """Return the line of a recording that holds this answer, redacted."""

    def make_safe(value: Mapping[str, Any]) -> dict[str, Any]:
        return {key: redactor.redact(item) if isinstance(item, str) else item for key, item in value.items()}

    # Taken out before it is cut: half a secret would not be found.
    asked = {"model": request.model, "user": redactor.redact(_last_user_message(request))[:MAX_SHOWN_CHARS]}
    return {
        "key": request.key,
        "replicate": replicate,
        "request": make_safe(asked),
        "completion": make_safe(COMPLETION_CODEC.to_json(completion)),
    }


def _key(value: object) -> CallKey:
    if not isinstance(value, Mapping):
        raise ValueError("a recorded answer is an object")  # noqa: TRY004 - one kind of error for bad content
    key, replicate = value.get("key"), value.get("replicate")
    if not isinstance(key, str) or len(key) != 64:
        raise ValueError("`key` is not the SHA-256 of a request")
    if type(replicate) is not int or replicate < 0:
        raise ValueError("`replicate` is not a number from 0")
    return key, replicate


def _last_user_message(request: Request) -> str:
    user_texts = [read_text(message) for message in request.messages if message["role"] == "user"]
    return (user_texts or [read_text(message) for message in request.messages] or [""])[-1]
