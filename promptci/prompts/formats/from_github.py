"""GitHub's `.prompt.yml`: every key, its original meaning, and an error with a line for what cannot be meant."""

import posixpath
from collections.abc import Mapping
from typing import Any

from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.prompts import includes
from promptci.prompts.formats import github_evaluators, github_settings
from promptci.prompts.formats.findings import Findings
from promptci.prompts.includes import Read
from promptci.prompts.model import Message, Prompt

SUFFIXES = (".prompt.yml", ".prompt.yaml")
KEYS = (
    "name", "description", "model", "modelParameters", "responseFormat", "jsonSchema", "messages", "testData",
    "evaluators",
)  # fmt: skip
ROLES = ("system", "user", "assistant")


def parse(path: str, text: str, read: Read) -> Prompt:
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
        raise InputError([Problem(path=path, line=1, what=what, fix="See the page on prompt files.")])
    found = Findings(path, document)
    found.notes += [f"`{key}` is not a key of a prompt file and was ignored." for key in value if key not in KEYS]
    messages, used = _messages(value, found, read)
    data, lines = _test_data(value, found)
    response_format, schema = github_settings.response_format(value, found)
    model = found.text(value, "model")
    if not model:
        found.wrong((), "`model` is missing", "Name the model, such as `model: openai/gpt-4o-mini`.")
    prompt = Prompt(
        name=found.text(value, "name") or _stem(path),
        path=path,
        description=found.text(value, "description"),
        model=model,
        parameters=github_settings.parameters(value, found),
        response_format=response_format,
        json_schema=schema,
        messages=messages,
        test_data=data,
        test_data_lines=lines,
        evaluators=github_evaluators.evaluators(value, found),
        includes=used,
        source=text,
        notes=tuple(found.notes),
    )
    if found.problems:
        raise InputError(found.problems)
    return prompt


def _stem(path: str) -> str:
    name = posixpath.basename(path)
    return next(name.removesuffix(suffix) for suffix in SUFFIXES if name.endswith(suffix))


def _messages(value: Mapping[str, Any], found: Findings, read: Read) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    written = value.get("messages")
    if not isinstance(written, list) or not written:
        found.wrong(("messages",), "`messages` must be a list with at least one message", "Add `- role: user`.")
        return (), ()
    messages: list[Message] = []
    used: list[str] = []
    for index, item in enumerate(written):
        place = ("messages", index)
        if not isinstance(item, dict):
            found.wrong(place, "a message is a map with `role` and `content`", "Write `- role: user`.")
            continue
        role = found.text(item, "role", place).lower()
        if role not in ROLES:
            found.wrong((*place, "role"), f"there is no role `{role}`", f"Use one of {', '.join(ROLES)}.")
        content = found.text(item, "content", place)
        if not content.strip():
            found.wrong((*place, "content"), "`content` is empty", "Say something, or take the message out.")
        try:
            content, more = includes.resolve(content, found.path, read)
        except includes.IncludeError as error:
            found.wrong((*place, "content"), str(error), "Mend the path, relative to the prompt file's folder.")
        else:
            used.extend(more)
        messages.append(Message(role=role, content=content))
    return tuple(messages), tuple(dict.fromkeys(used))


def _test_data(value: Mapping[str, Any], found: Findings) -> tuple[tuple[Mapping[str, Any], ...], tuple[int, ...]]:
    written = value.get("testData") or []
    if not isinstance(written, list):
        found.wrong(("testData",), "`testData` must be a list of maps", "Write `- input: …`.")
        return (), ()
    for index, item in enumerate(written):
        if not isinstance(item, dict):
            found.wrong(("testData", index), "an item of `testData` is a map of variables", "Write `- input: …`.")
    items = [(item, found.document.line(("testData", i))) for i, item in enumerate(written) if isinstance(item, dict)]
    return tuple(item for item, _ in items), tuple(line for _, line in items)
