"""Prompts in YAML, JSON and TOML files, by the path of their keys: `prompts.yaml#/summarize/system`.

A value is a text, a list of messages with `role` and `content`, or a map of `system` and `user` texts.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from promptci.errors import InputError, Problem
from promptci.files import lines, strict_yaml
from promptci.prompts.formats import chat_export
from promptci.prompts.formats.code.constants import ROLES, CodeMessage, CodeText, Constant, select_prompts
from promptci.prompts.source import ParsedFile, PromptSource

MAX_VALUES = 20_000
MAX_CHARS = 2**22
MAX_DEPTH = 50


def parse(source: PromptSource) -> ParsedFile:
    """Return the prompts that the selectors mean; without any, those of a file that another tool wrote."""
    if not source.selectors:
        exported = chat_export.read_export(source, _parse_value(source.path, source.text)[0])
        if exported is not None:
            return exported
    return select_prompts(source, list_values(source.path, source.text))


def list_values(path: str, text: str) -> list[Constant]:
    """Return every value of a file that may be a prompt; raise InputError for a file that cannot be read."""
    value, document = _parse_value(path, text)
    values: list[Constant] = []
    for keys, item in _walk((), value):
        if len(values) >= MAX_VALUES:
            raise _refusal(path, f"the file has more than {MAX_VALUES:,} values", None)
        line = document.line_of(keys) if document else _find_line(text, keys)
        values.append(_read_value(keys, item, line))
    return values


def _parse_value(path: str, text: str) -> tuple[Any, strict_yaml.YamlDocument | None]:
    """Return what a file holds, and for YAML its document, which knows the lines."""
    if len(text) > MAX_CHARS:
        raise _refusal(path, f"the file has more than {MAX_CHARS:,} characters", None)
    if path.lower().endswith((".yaml", ".yml")):
        document = strict_yaml.load(text, path)
        return document.value, document
    if path.lower().endswith(".json"):
        try:
            return lines.parse_json(text), None
        except lines.JsonError as error:
            raise InputError([Problem(path=path, message=error.message, hint=error.hint)]) from error
    return _parse_toml(path, text), None


def _parse_toml(path: str, text: str) -> Any:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        match = re.search(r"line (\d+)", str(error))
        message = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise _refusal(path, f"not valid TOML: {message}", int(match[1]) if match else None) from error


def _walk(keys: tuple[str | int, ...], value: Any) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if len(keys) > MAX_DEPTH:
        return
    if keys:
        yield keys, value
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _walk((*keys, str(key)), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk((*keys, index), item)


def _read_value(keys: tuple[str | int, ...], value: Any, line: int) -> Constant:
    selector = "#/" + "/".join(str(key).replace("~", "~0").replace("/", "~1") for key in keys)
    messages = _read_messages(value)
    if isinstance(value, str):
        return Constant(selector=selector, line=line, value=CodeText((value,)))
    if messages:
        return Constant(selector=selector, line=line, value=messages)
    reason = "it is neither a text nor a list of messages"
    return Constant(selector=selector, line=line, value=None, unreadable=reason)


def _read_messages(value: Any) -> tuple[CodeMessage, ...]:
    """Return the messages of a list, or of a map from roles to texts; none for any other value."""
    if isinstance(value, Mapping):
        value = [{"role": role, "content": content} for role, content in value.items()]
    if not isinstance(value, list):
        return ()
    messages = []
    for item in value:
        if not isinstance(item, Mapping) or not {"role", "content"} <= set(item):
            return ()
        if item["role"] not in ROLES or not isinstance(item["content"], str):
            return ()
        messages.append(CodeMessage(ROLES[item["role"]], CodeText((item["content"],))))
    return tuple(messages)


def _find_line(text: str, keys: tuple[str | int, ...]) -> int:
    """Return the line on which the last key is first written; 1 where it is not found."""
    names = [key for key in keys if isinstance(key, str)]
    at = text.find(names[-1]) if names else -1
    return 1 if at < 0 else text.count("\n", 0, at) + 1


def _refusal(path: str, message: str, line: int | None) -> InputError:
    return InputError([Problem(path=path, line=line, message=message, hint="Fix the file, or name another one.")])
