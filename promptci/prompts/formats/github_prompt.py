"""GitHub's `.prompt.yml`: every key with its original meaning, and an error with a line for each mistake."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.lazy_import import lazy_import
from promptci.prompts import suffixes
from promptci.prompts.formats import github_parameters
from promptci.prompts.formats.parse_context import KeyPath, ParseContext
from promptci.prompts.model import Message, Prompt
from promptci.prompts.source import ParsedFile, PromptSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from promptci.files import image_file
    from promptci.prompts import includes
    from promptci.prompts.formats import github_evaluators
    from promptci.prompts.includes import ReadFile
    from promptci.prompts.template import message_images
    from promptci.prompts.template.message_images import MessageImage
else:
    image_file = lazy_import("promptci.files.image_file")
    message_images = lazy_import("promptci.prompts.template.message_images")
    includes = lazy_import("promptci.prompts.includes")
    github_evaluators = lazy_import("promptci.prompts.formats.github_evaluators")

PROMPT_KEYS = (
    "name", "description", "model", "modelParameters", "responseFormat", "jsonSchema", "messages", "testData",
    "evaluators", "tools", "toolChoice", "promptci",
)  # fmt: skip
ROLES = ("system", "developer", "user", "assistant")
MAX_NAME_CHARS = 200
INCLUDE_START = "{{>"
MAX_INCLUDE_ERRORS = 20
"""Includes of one message that are named for leading nowhere."""


def parse(source: PromptSource) -> ParsedFile:
    """Return the prompt of a file, or every mistake in it."""
    path, text, read = source.path, source.text, source.read
    document = strict_yaml.load(text, path)
    value = document.value
    if not isinstance(value, dict):
        message = "a prompt file must be a map with `model` and `messages`"
        raise InputError([Problem(path=path, line=1, message=message, hint="See docs/prompt-files.md.")])
    context = ParseContext(path, document)
    context.check_keys(value, PROMPT_KEYS, "a prompt file")
    messages, included = _parse_messages(value, context, read)
    test_data, test_data_lines = _parse_test_data(value, context)
    response_format, schema = github_parameters.parse_response_format(value, context)
    prompt = Prompt(
        name=_parse_name(value, context),
        path=path,
        description=context.get_text(value, "description") or "",
        model=(context.get_text(value, "model") or "").strip(),
        parameters=github_parameters.parse_parameters(value, context),
        response_format=response_format,
        json_schema=schema,
        messages=messages,
        test_data=test_data,
        test_data_lines=test_data_lines,
        evaluators=github_evaluators.parse_evaluators(value, context) if "evaluators" in value else (),
        includes=included,
        source=text,
        settings=value.get("promptci"),
        settings_line=document.line_of(("promptci",)),
        notes=tuple(context.notes),
    )
    return ParsedFile(() if context.problems else (prompt,), context.problems)


def _parse_name(value: Mapping[str, Any], context: ParseContext) -> str:
    name = context.get_text(value, "name")
    if name == "":
        name = name_from_path(context.path)
    if name is not None and not (name.strip() and name.isprintable() and len(name) <= MAX_NAME_CHARS):
        message = f"a prompt's name must be one line of at most {MAX_NAME_CHARS} characters"
        context.add_problem(("name",), message, "Name it like `order-extractor`.")
    return name or ""


def name_from_path(path: str) -> str:
    """Return the name of a prompt whose file gives none: its file name without endings, else its folder."""
    folder, base = posixpath.split(path)
    name = next((base.removesuffix(suffix) for suffix in suffixes.GITHUB if base.endswith(suffix)), base)
    return name or posixpath.basename(folder) or "prompt"


def _parse_messages(
    value: Mapping[str, Any], context: ParseContext, read: ReadFile
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Return the messages, and the files they include."""
    written = value.get("messages")
    if not isinstance(written, list) or not written:
        message = "`messages` must be a list with at least one message"
        context.add_problem(("messages",), message, "Add `- role: user`.")
        return (), ()
    messages: list[Message] = []
    included: list[str] = []
    reader = image_file.ImageReader(read)
    for index, item in enumerate(written):
        place = ("messages", index)
        images: tuple[MessageImage, ...] = ()
        if not isinstance(item, dict):
            context.add_problem(place, "a message must be a map with `role` and `content`", "Write `- role: user`.")
            continue
        context.check_keys(item, ("role", "content"), "a message", place)
        role = _parse_role(item, place, context)
        if isinstance(item.get("content"), list):
            texts, images = _parse_parts(item, place, context, reader)
            item = {**item, "content": texts}  # noqa: PLW2901 - the same message, its parts as one text
        content, paths = _parse_content(item, place, context, read)
        included.extend(paths)
        if content is not None:
            included.extend(image.file.path for image in images if image.file is not None)
            messages.append(Message(role=role, content=content, images=images))
    if not messages and not context.problems:
        context.add_problem(("messages",), "all messages are empty", "Write the `content` of at least one message.")
    return tuple(messages), tuple(dict.fromkeys(included))


def _parse_role(item: Mapping[str, Any], place: KeyPath, context: ParseContext) -> str:
    role = context.get_text(item, "role", place)
    if role is not None and role.lower() not in ROLES:
        message = f"unknown role `{role}`" if role else "`role` is missing"
        context.add_problem((*place, "role"), message, f"Use one of {', '.join(ROLES)}.")
    return (role or "").lower()


def _parse_parts(
    item: Mapping[str, Any], place: KeyPath, context: ParseContext, reader: image_file.ImageReader
) -> tuple[str, tuple[MessageImage, ...]]:
    """Return content parts as one text, and the images in it."""
    try:
        return message_images.read_parts(item["content"], context.path, reader)
    except ValueError as error:
        context.add_problem((*place, "content"), str(error), message_images.IMAGE_HINT)
        return "", ()


def _parse_content(
    item: Mapping[str, Any], place: KeyPath, context: ParseContext, read: ReadFile
) -> tuple[str | None, tuple[str, ...]]:
    """Return a message's text with its includes in place, or None for an empty one; and the files included."""
    content = context.get_text(item, "content", place)
    place = (*place, "content")
    if content is None:
        return None, ()
    if INCLUDE_START not in content:
        return _check_content(content, place, context), ()
    resolved = includes.resolve_includes(content, context.path, read)
    for row, message in resolved.errors[:MAX_INCLUDE_ERRORS]:
        context.add_problem(place, message, "Paths are relative to the folder of the including file.", row=row)
    if resolved.errors and resolved.text.strip():
        return resolved.text, resolved.paths
    return _check_content(resolved.text, place, context), resolved.paths


def _check_content(text: str, place: KeyPath, context: ParseContext) -> str | None:
    """Return a message's text, None for an empty one, and add notes on what of it is not sent or not filled in."""
    if not text.strip():
        context.add_note(place, "the message is empty and is not sent.")
        return None
    context.note_unfilled_braces(place, text)
    return text


def _parse_test_data(
    value: Mapping[str, Any], context: ParseContext
) -> tuple[tuple[Mapping[str, Any], ...], tuple[int, ...]]:
    """Return the items of `testData`, with scalars as the text in the file, and their lines."""
    written = [] if value.get("testData") is None else value["testData"]
    if not isinstance(written, list):
        context.add_problem(("testData",), "`testData` must be a list of maps", "Write `- input: …`.")
        return (), ()
    items, item_lines = [], []
    for index, item in enumerate(written):
        place = ("testData", index)
        if not isinstance(item, dict):
            context.add_problem(place, "an item of `testData` must be a map of variables", "Write `- input: …`.")
            continue
        items.append(context.document.as_written(place))
        item_lines.append(context.document.line_of(place))
    return tuple(items), tuple(item_lines)
