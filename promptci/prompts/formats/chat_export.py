"""Prompts that other tools write as JSON or YAML: told apart by what is in the file, not by its name.

OpenAI's chat requests, exports of Langfuse and LangSmith, serialized prompts of LangChain, and promptfoo's
configuration.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from promptci.errors import InputError, Problem
from promptci.files.image_file import ImageReader
from promptci.lazy_dataclass import dataclass
from promptci.prompts.formats import github_parameters
from promptci.prompts.formats.code import constants
from promptci.prompts.formats.code.constants import ROLES, CodeMessage, CodeText, Constant
from promptci.prompts.formats.github_prompt import name_from_path
from promptci.prompts.formats.parse_context import name_key
from promptci.prompts.formats.text_layout import to_prompt_name
from promptci.prompts.model import Message, Prompt
from promptci.prompts.options import Syntax
from promptci.prompts.promptfoo import load as promptfoo
from promptci.prompts.promptfoo.config import READ_AS_PROMPTFOO
from promptci.prompts.source import ParsedFile, PromptSource
from promptci.prompts.template import message_images
from promptci.prompts.template.message_images import MessageImage

LANGCHAIN_ROLES = {
    "SystemMessagePromptTemplate": "system", "HumanMessagePromptTemplate": "user",
    "AIMessagePromptTemplate": "assistant", "SystemMessage": "system", "HumanMessage": "user", "AIMessage": "assistant",
}  # fmt: skip
LANGCHAIN_SYNTAX: dict[str, Syntax] = {"f-string": "{name}", "mustache": "{{name}}", "jinja2": "jinja"}
OPENAI_KEYS = ("model", "messages", "name", "description", "response_format")
MAX_DEPTH = 20


class UnreadableExportError(Exception):
    """A part of an export that promptci cannot read; the text says which."""


@dataclass(kw_only=True, slots=True)
class Export:
    """A prompt as another tool wrote it."""

    kind: str
    reason: str
    """By what it was told."""
    value: CodeText | tuple[CodeMessage, ...] = ()
    name: str = ""
    model: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_export(source: PromptSource, value: Any) -> ParsedFile | None:
    """Return the prompts of a file that another tool wrote; None where it is none of those that are known."""
    if isinstance(value, Mapping) and "prompts" in value and {"providers", "targets", "tests"} & set(value):
        return _read_promptfoo(source)
    try:
        export = _find_export(value, _Parts(source.path, ImageReader(source.read)))
    except UnreadableExportError as error:
        hint = "docs/formats.md lists what is read."
        return ParsedFile((), [Problem(path=source.path, message=str(error), hint=hint)])
    return None if export is None else _build_prompt(source, export)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Reads the content parts of messages: texts, and images of the repository."""

    path: str
    reader: ImageReader

    def read(self, content: Any) -> tuple[str, tuple[MessageImage, ...]]:
        """Return the text of a message and the images in it."""
        try:
            return message_images.read_content(content, self.path, self.reader)
        except ValueError as error:
            raise UnreadableExportError(f"{error}. {message_images.IMAGE_HINT}") from error


def _find_export(value: Any, parts: _Parts) -> Export | None:
    readers: tuple[Callable[[Any, _Parts], Export | None], ...] = (_read_langchain, _read_langfuse, _read_openai)
    return next((export for reader in readers if (export := reader(value, parts)) is not None), None)


def _read_openai(value: Any, parts: _Parts) -> Export | None:
    messages = value.get("messages") if isinstance(value, Mapping) else value
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        return None
    reason = "it is a list of `role` and `content`" if value is messages else "it has `messages`"
    export = Export(kind="an OpenAI chat request", reason=reason, value=_read_messages(messages, parts))
    if isinstance(value, Mapping):
        export.name, export.model = str(value.get("name") or ""), str(value.get("model") or "")
        export.parameters = {key: item for key, item in value.items() if key not in OPENAI_KEYS[:4]}
    return export


def _is_message(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get("role") in ROLES and "content" in item


def _read_messages(messages: list[Any], parts: _Parts) -> tuple[CodeMessage, ...]:
    return tuple(_read_message(ROLES[item["role"]], item["content"], parts) for item in messages)


def _read_message(role: str, content: Any, parts: _Parts, syntax: Syntax | None = None) -> CodeMessage:
    text, images = parts.read(content)
    return CodeMessage(role, CodeText((text,), syntax), images)


def _read_langfuse(value: Any, parts: _Parts) -> Export | None:
    if not isinstance(value, Mapping) or not {"type", "config", "labels", "version"} & set(value):
        return None
    prompt = value.get("prompt")
    export = Export(kind="a Langfuse prompt", reason="it has `prompt` beside `type`, `config`, `labels` or `version`")
    if isinstance(prompt, str):
        export.value = CodeText((prompt,), "{{name}}")
    elif isinstance(prompt, list) and prompt and all(map(_is_message, prompt)):
        export.value = _read_messages(prompt, parts)
    else:
        return None
    settings = value.get("config")
    parameters = dict(settings) if isinstance(settings, Mapping) else {}
    export.name, export.model = str(value.get("name") or ""), str(parameters.pop("model", None) or "")
    export.parameters = parameters
    return export


def _read_langchain(value: Any, parts: _Parts) -> Export | None:
    if isinstance(value, Mapping) and isinstance(value.get("manifest"), Mapping):
        export = _read_langchain(value["manifest"], parts)
        if export is None:
            raise UnreadableExportError("its `manifest` is no prompt of LangChain")
        export.kind, export.reason = "a LangSmith prompt", "it has a `manifest` of LangChain"
        return export
    if not isinstance(value, Mapping) or not ("lc" in value or value.get("_type") in {"prompt", "chat"}):
        return None
    reason = "it has `lc`" if "lc" in value else "it has `_type`"
    export = Export(kind="a LangChain prompt", reason=reason)
    export.value = _read_template(value, export, parts, 0)
    return export


def _class_of(value: Mapping[str, Any]) -> str:
    names = value.get("id")
    return str(names[-1]) if isinstance(names, list) and names else str(value.get("_type", ""))


def _read_template(
    value: Mapping[str, Any], export: Export, parts: _Parts, depth: int
) -> CodeText | tuple[CodeMessage, ...]:
    kind, inner = _class_of(value), value.get("kwargs", value)
    if depth > MAX_DEPTH or not isinstance(inner, Mapping):
        raise UnreadableExportError(f"`{kind[:60]}` cannot be read")
    if kind == "RunnableSequence" and isinstance(inner.get("first"), Mapping):
        export.notes.append("the model of the sequence is not read; set `provider.model`.")
        return _read_template(inner["first"], export, parts, depth + 1)
    if isinstance(inner.get("messages"), list):
        return tuple(_read_langchain_messages(inner["messages"], export, parts))
    return _read_text(inner, kind)


def _read_text(inner: Mapping[str, Any], kind: str) -> CodeText:
    template, syntax = inner.get("template"), LANGCHAIN_SYNTAX.get(str(inner.get("template_format", "f-string")))
    if not isinstance(template, str) or syntax is None:
        raise UnreadableExportError(f"`{kind[:60]}` of LangChain is not read")
    return CodeText((template,), syntax)


def _read_langchain_messages(items: list[Any], export: Export, parts: _Parts) -> Iterator[CodeMessage]:
    for item in items:
        if not isinstance(item, Mapping):
            raise UnreadableExportError("a message of LangChain is not a map")
        kind, inner = _class_of(item), item.get("kwargs", item)
        if kind == "MessagesPlaceholder":
            name = inner.get("variable_name") if isinstance(inner, Mapping) else None
            export.notes.append(f"the placeholder `{name}` is left out; a case's `messages` take its place.")
            continue
        if kind not in LANGCHAIN_ROLES or not isinstance(inner, Mapping):
            raise UnreadableExportError(f"the message `{kind[:60]}` of LangChain is not read")
        prompt = inner.get("prompt")
        if isinstance(prompt, Mapping):
            yield CodeMessage(LANGCHAIN_ROLES[kind], _read_text(prompt.get("kwargs", prompt), kind))
        else:  # a finished message: its braces are text
            yield _read_message(LANGCHAIN_ROLES[kind], inner.get("content"), parts, "{{name}}")


def _build_prompt(source: PromptSource, export: Export) -> ParsedFile:
    origin = f"this is read as {export.kind}, because {export.reason}."
    constant = Constant(selector="", line=1, value=export.value, notes=(origin, *export.notes))
    problems, prompt = constants.build_prompt(source, constant, export.value)
    name = to_prompt_name(export.name or name_from_path(source.path).removesuffix(".json"))
    prompt = replace(prompt, name=name.removesuffix(".yaml").removesuffix(".yml"), model=export.model)
    try:
        prompt = _add_parameters(prompt, export)
    except ValueError as error:
        problems.append(Problem(path=source.path, message=str(error), hint="Remove or correct it."))
    return ParsedFile([] if problems else [prompt], problems)


def _add_parameters(prompt: Prompt, export: Export) -> Prompt:
    settings = dict(export.parameters)
    written = settings.pop("response_format", None)
    kind = written.get("type", "text") if isinstance(written, Mapping) else "text"
    if kind not in github_parameters.RESPONSE_FORMATS:
        raise ValueError(f"unknown response format `{kind}`.")
    schema = written.get("json_schema") if isinstance(written, Mapping) and kind == "json_schema" else None
    known = {key: item for key, item in settings.items() if _is_parameter(key)}
    ignored = [key for key in settings if key not in known]
    names = [name_key(key, (*OPENAI_KEYS, *github_parameters.KNOWN_PARAMETERS)) for key in ignored[:5]]
    notes = [f"{prompt.path}: {name} is not a parameter and is ignored." for name in names]
    return replace(
        prompt,
        parameters=github_parameters.parse_default_parameters(known),
        response_format=kind,
        json_schema=schema,
        notes=(*prompt.notes, *notes),
    )


def _is_parameter(key: str) -> bool:
    return github_parameters.to_wire_name(key) in github_parameters.KNOWN_PARAMETERS


def _read_promptfoo(source: PromptSource) -> ParsedFile:
    """Return the prompts of promptfoo's configuration with its tests as cases; what is left out is noted."""
    files: list[str] = []

    def read(path: str) -> bytes | None:
        if path == source.path:
            return source.text.encode()
        data = source.read(path)
        files.extend([path] if data is not None else [])
        return data

    try:
        settings = promptfoo.load_promptfoo(source.path, read, source.glob)
    except InputError as error:
        return ParsedFile((), error.problems)
    notes = [f"{source.path}: {READ_AS_PROMPTFOO}, because it has `prompts` and `tests`."]
    if settings.incomplete:
        notes.append(f"{source.path}: not run: {settings.describe_incomplete()}.")
    counts = {text: settings.left_out.count(text) for text in settings.left_out}
    notes += [
        f"{source.path}: not scored or not sent: {text}{f', {times} times' if times > 1 else ''}."
        for text, times in counts.items()
    ]
    notes += [f"{source.path}: {text}." for text in settings.notes]
    cases = settings.complete_cases
    prompts = [
        Prompt(
            name=prompt.name,
            path=source.path,
            selector=f"#/prompts/{number}",
            model=settings.model,
            parameters=github_parameters.parse_default_parameters(settings.parameters),
            messages=tuple(
                Message(role=m.role, content=m.content, syntax=m.syntax, images=m.images) for m in prompt.messages
            ),
            own_cases=tuple(cases),
            includes=tuple(dict.fromkeys(files)),
            source="\n".join(f"[{message.role}]\n{message.content}\n" for message in prompt.messages),
            notes=tuple(notes) if number == 0 else (),
        )
        for number, prompt in enumerate(settings.prompts)
    ]
    if not prompts:
        message = f"there is no prompt that can be read. Left out: {'; '.join(counts) or 'nothing'}"
        hint = "docs/from-promptfoo.md lists what is read."
        return ParsedFile((), [Problem(path=source.path, message=message, hint=hint)])
    return ParsedFile(prompts, (), uses_patterns=settings.uses_patterns)
