"""Google's dotprompt: settings in YAML, and a Handlebars template with `{{role "system"}}` between its messages."""

import posixpath
from collections.abc import Mapping
from typing import Any

from promptci.errors import InputError
from promptci.files.lines import decode_utf8
from promptci.prompts.formats import front_matter, github_parameters
from promptci.prompts.formats.parse_context import ParseContext
from promptci.prompts.formats.text_layout import to_prompt_name
from promptci.prompts.model import Message, Prompt
from promptci.prompts.source import ParsedFile, PromptSource
from promptci.prompts.template import handlebars

KEYS = (
    "name", "variant", "version", "description", "model", "config", "input", "output", "tools", "metadata", "promptci",
    "maxTurns", "toolDefs",
)  # fmt: skip
PARAMETERS = {"maxOutputTokens": "max_tokens", "stopSequences": "stop", "topP": "top_p", "topK": "top_k"}
NOT_SENT = ("version", "apiKey")
"""Keys of `config` that are no parameters of a request."""


def parse(source: PromptSource) -> ParsedFile:
    """Return the prompt of a file, or every mistake in it."""
    parts = front_matter.split_settings(source.path, source.text)
    context = ParseContext(source.path, parts.document)
    settings = parts.settings
    context.check_keys([key for key in settings if "." not in str(key)], KEYS, "a dotprompt file")
    partials: list[str] = []
    text = parts.text.strip()
    first_line = parts.line + len(parts.text[: parts.text.find(text)].splitlines()) if text else parts.line
    messages, problems = handlebars.translate(text, lambda name: _read_partial(source, name, partials))
    for problem in problems:
        context.add_line_problem(first_line + problem.row, problem.message, problem.hint)
    if not messages and not problems:
        context.add_line_problem(first_line, "the prompt is empty", "Write its text, or remove the file.")
    parameters = {"modelParameters": _map_parameters(settings, context)}
    prompt = Prompt(
        name=to_prompt_name(context.get_text(settings, "name") or _name_from_path(source.path)),
        path=source.path,
        line=first_line,
        description=context.get_text(settings, "description") or "",
        model=(context.get_text(settings, "model") or "").strip(),
        parameters=github_parameters.parse_parameters(parameters, context),
        response_format="json_object" if _get_map(settings, "output").get("format") == "json" else "text",
        messages=tuple(_build_message(message) for message in messages),
        includes=tuple(dict.fromkeys(partials)),
        source=source.text,
        settings=settings.get("promptci"),
        settings_line=parts.document.line_of(("promptci",)),
        notes=(*context.notes, *_note_ignored(settings, source.path)),
    )
    return ParsedFile(() if context.problems else (prompt,), context.problems)


def _build_message(message: handlebars.TranslatedMessage) -> Message:
    # Jinja takes one line break from the end of a template.
    content = f"{message.content}\n" if message.content.endswith("\n") else message.content
    return Message(role=message.role, content=content, syntax="script-jinja")


def _name_from_path(path: str) -> str:
    """Return the file's name without its ending; `name.variant.prompt` is the prompt `name.variant`."""
    return posixpath.basename(path).removesuffix(".prompt")


def _read_partial(source: PromptSource, name: str, partials: list[str]) -> str | None:
    path = posixpath.join(posixpath.dirname(source.path), f"_{name}.prompt")
    try:
        data = source.read(path)
        if data is None:
            return None
        partials.append(path)
        return front_matter.split_settings(path, decode_utf8(data, path)).text.strip()
    except InputError:
        return None


def _get_map(settings: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = settings.get(key)
    return value if isinstance(value, dict) else {}


def _map_parameters(settings: Mapping[str, Any], context: ParseContext) -> dict[str, Any]:
    if not isinstance(settings.get("config"), dict | None):
        context.add_problem(("config",), "`config` must be a map", "Write `temperature: 0` under it.")
    config = _get_map(settings, "config")
    return {PARAMETERS.get(key, key): setting for key, setting in config.items() if key not in NOT_SENT}


def _note_ignored(settings: Mapping[str, Any], path: str) -> list[str]:
    notes = []
    if _get_map(settings, "input").get("default"):
        notes.append(f"{path}: `input.default` is not filled in: give each case its variables.")
    if _get_map(settings, "output").get("schema"):
        notes.append(f"{path}: `output.schema` is not sent. Check answers with the assertion `json-schema`.")
    if settings.get("tools") or settings.get("toolDefs"):
        notes.append(f"{path}: `tools` names tools that are defined elsewhere, so they are not sent.")
    return notes
