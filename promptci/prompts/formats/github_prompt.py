"""GitHub's `.prompt.yml`: every key, its original meaning, and an error with a line for what cannot be meant."""

import posixpath
from collections.abc import Mapping
from typing import Any

from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.prompts import includes, render
from promptci.prompts.formats import github_evaluators, github_parameters
from promptci.prompts.formats.parse_context import KeyPath, ParseContext
from promptci.prompts.includes import ReadFile
from promptci.prompts.model import Message, Prompt

SUFFIXES = (".prompt.yml", ".prompt.yaml")
KEYS = (
    "name", "description", "model", "modelParameters", "responseFormat", "jsonSchema", "messages", "testData",
    "evaluators",
)  # fmt: skip
ROLES = ("system", "developer", "user", "assistant")
MAX_NAME_CHARS = 200
MAX_INCLUDE_ERRORS = 20
"""Includes of one message that are named for leading nowhere."""


def parse(path: str, text: str, read: ReadFile) -> Prompt:
    """Read a prompt file.

    Raises
    ------
    InputError
        With every mistake in it.
    """
    document = strict_yaml.load(text, path)
    value = document.value
    if not isinstance(value, dict):
        what = "a prompt file is a map with `model` and `messages`"
        raise InputError([Problem(path=path, line=1, message=what, hint="See the page on prompt files.")])
    found = ParseContext(path, document)
    found.note_unknown_keys(value, KEYS, "a prompt file")
    messages, used = _messages(value, found, read)
    data, lines = _test_data(value, found)
    response_format, schema = github_parameters.parse_response_format(value, found)
    prompt = Prompt(
        name=_name(value, found),
        path=path,
        description=found.get_text(value, "description") or "",
        model=_model(value, found),
        parameters=github_parameters.parse_parameters(value, found),
        response_format=response_format,
        json_schema=schema,
        messages=messages,
        test_data=data,
        test_data_lines=lines,
        evaluators=github_evaluators.parse_evaluators(value, found),
        includes=used,
        source=text,
        notes=tuple(found.notes),
    )
    if found.problems:
        raise InputError(found.problems)
    return prompt


def _name(value: Mapping[str, Any], found: ParseContext) -> str:
    name = found.get_text(value, "name")
    if name == "":
        base = posixpath.basename(found.path)
        name = next(base.removesuffix(suffix) for suffix in SUFFIXES if base.endswith(suffix))
    if name is not None and not (name.strip() and name.isprintable() and len(name) <= MAX_NAME_CHARS):
        what = f"a prompt's name is one line of at most {MAX_NAME_CHARS} signs"
        found.add_problem(("name",), what, "Name it like `order-extractor`.")
    return name or ""


def _model(value: Mapping[str, Any], found: ParseContext) -> str:
    model = found.get_text(value, "model")
    if model is not None and not model.strip():
        found.add_problem(("model",), "`model` is missing", "Name the model, such as `model: openai/gpt-4o-mini`.")
    return model or ""


def _messages(
    value: Mapping[str, Any], found: ParseContext, read: ReadFile
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    written = value.get("messages")
    if not isinstance(written, list) or not written:
        found.add_problem(("messages",), "`messages` must be a list with at least one message", "Add `- role: user`.")
        return (), ()
    messages: list[Message] = []
    used: list[str] = []
    for index, item in enumerate(written):
        place = ("messages", index)
        if not isinstance(item, dict):
            found.add_problem(place, "a message is a map with `role` and `content`", "Write `- role: user`.")
            continue
        found.note_unknown_keys(item, ("role", "content"), "a message")
        content, more = _content(item, place, found, read)
        used.extend(more)
        messages.append(Message(role=_role(item, place, found), content=content))
    return tuple(messages), tuple(dict.fromkeys(used))


def _role(item: Mapping[str, Any], place: KeyPath, found: ParseContext) -> str:
    role = found.get_text(item, "role", place)
    if role is not None and role.lower() not in ROLES:
        what = f"there is no role `{role}`" if role else "`role` is missing"
        found.add_problem((*place, "role"), what, f"Use one of {', '.join(ROLES)}.")
    return (role or "").lower()


def _content(
    item: Mapping[str, Any], place: KeyPath, found: ParseContext, read: ReadFile
) -> tuple[str, tuple[str, ...]]:
    place = (*place, "content")
    content = found.get_text(item, "content", place[:-1])
    if content is None:
        return "", ()
    resolved = includes.resolve_includes(content, found.path, read)
    for row, fault in resolved.errors[:MAX_INCLUDE_ERRORS]:
        found.add_problem(place, fault, "Mend the path, relative to the folder of the file it stands in.", row=row)
    if not resolved.text.strip():
        found.add_problem(place, "`content` is empty", "Say something, or take the message out.")
    if odd := [] if resolved.errors else list(dict.fromkeys(render.find_unfilled_braces(resolved.text))):
        line = found.document.line_of(place)
        found.notes.append(f"Line {line}: {', '.join(f'`{o}`' for o in odd[:3])} is no variable and is sent as it is.")
    return resolved.text, resolved.paths


def _test_data(value: Mapping[str, Any], found: ParseContext) -> tuple[tuple[Mapping[str, Any], ...], tuple[int, ...]]:
    written = [] if value.get("testData") is None else value["testData"]
    if not isinstance(written, list):
        found.add_problem(("testData",), "`testData` must be a list of maps", "Write `- input: …`.")
        return (), ()
    for index, item in enumerate(written):
        if not isinstance(item, dict):
            found.add_problem(("testData", index), "an item of `testData` is a map of variables", "Write `- input: …`.")
    items = [
        (item, found.document.line_of(("testData", i))) for i, item in enumerate(written) if isinstance(item, dict)
    ]
    return tuple(item for item, _ in items), tuple(line for _, line in items)
