"""Microsoft's Prompty, versions 1 and 2: settings in YAML, and a Jinja text with lines such as `system:` in it."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from promptci.files.image_file import ImageReader
from promptci.lazy_dataclass import dataclass
from promptci.prompts.formats import front_matter, github_parameters
from promptci.prompts.formats.parse_context import ParseContext, find_misspelt
from promptci.prompts.formats.text_layout import to_prompt_name
from promptci.prompts.model import Message, Prompt
from promptci.prompts.source import ParsedFile, PromptSource
from promptci.prompts.template import message_images, template_text
from promptci.prompts.template.message_images import MessageImage

KEYS = (
    "name", "displayName", "description", "version", "authors", "tags", "metadata", "model", "inputs", "outputs",
    "sample", "tools", "template", "promptci", "kind", "$schema",
)  # fmt: skip
MODEL_KEYS = ("id", "api", "configuration", "parameters", "options", "response", "provider", "connection", "apiType")
ROLE_LINE = re.compile(
    r"^[ \t]*#?[ \t]*(?P<role>system|developer|user|assistant)(?:\[[^\]\n]*\])?[ \t]*:[ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)
PARAMETERS = {"maxOutputTokens": "max_tokens", "topP": "top_p", "topK": "top_k", "stopSequences": "stop",
              "allowMultipleToolCalls": "parallel_tool_calls"}  # fmt: skip
_IMAGE = re.compile(r"!\[[^\]]*\]\((?P<url>[^)\"\n]*)(?:\"[^)\n]*)?\)")
"""An image of Markdown, as the original finds it; a title after the address is not sent."""
_REFERENCE = re.compile(r"\$\{(?:env|file):[^}\n]*\}")


@dataclass(frozen=True, slots=True)
class _RoleText:
    role: str
    text: str
    line: int


def parse(source: PromptSource) -> ParsedFile:
    """Return the prompt of a file, or every mistake in it."""
    parts = front_matter.split_settings(source.path, source.text)
    context = ParseContext(source.path, parts.document)
    settings = parts.settings
    context.check_keys(settings, KEYS, "a Prompty file")
    _check_template_kind(settings, context)
    messages: list[Message] = []
    included: list[str] = []
    reader = ImageReader(source.read)
    for part in _split_messages(parts.text, parts.line):
        template = template_text.read_template(part.text, "jinja", source.path, source.read)
        for problem in template.problems:
            context.add_line_problem(part.line + problem.row, problem.message, problem.hint)
        included += template.includes
        images = _read_images(template.content, part.line, reader, context)
        included += [image.file.path for image in images if image.file is not None]
        messages.append(Message(role=part.role, content=template.content, syntax="trimmed-jinja", images=images))
    if not messages:
        context.add_line_problem(parts.line, "the prompt is empty", "Write a line `system:` and a text after it.")
    model, parameters = _read_model(settings, context)
    written = {"modelParameters": parameters}
    response_format, schema = github_parameters.parse_response_format(written, context)
    prompt = Prompt(
        name=to_prompt_name(context.get_text(settings, "name") or _name_from_path(source.path)),
        path=source.path,
        line=parts.line,
        description=context.get_text(settings, "description") or "",
        model=model,
        parameters=github_parameters.parse_parameters(written, context),
        response_format=response_format,
        json_schema=schema,
        messages=tuple(messages),
        includes=tuple(dict.fromkeys(included)),
        source=source.text,
        settings=settings.get("promptci"),
        settings_line=parts.document.line_of(("promptci",)),
        notes=(*context.notes, *_note_ignored(settings, source)),
    )
    return ParsedFile(() if context.problems else (prompt,), context.problems)


def _name_from_path(path: str) -> str:
    return posixpath.basename(path).removesuffix(".prompty")


def _check_template_kind(settings: Mapping[str, Any], context: ParseContext) -> None:
    """Add a problem for a template that is not Jinja; the bare word and the map of version 2 are the same."""
    template = settings.get("template")
    kind = template.get("format", "jinja2") if isinstance(template, dict) else template or "jinja2"
    kind = kind.get("kind", "jinja2") if isinstance(kind, dict) else kind
    if kind != "jinja2":
        context.add_problem(("template",), f"templates of the kind `{kind}` are not supported", "Write it in Jinja.")


def _split_messages(text: str, line: int) -> Iterator[_RoleText]:
    """Yield the messages that are not empty; text before the first role is the system's."""
    marks = [("system", 0, 0), *((m["role"].lower(), m.start(), m.end()) for m in ROLE_LINE.finditer(text))]
    ends = [start for _, start, _ in marks[1:]] + [len(text)]
    for (role, _, start), end in zip(marks, ends, strict=True):
        content = text[start:end]
        if content.strip():
            lead = len(content) - len(content.lstrip())
            yield _RoleText(role, content.strip(), line + text.count("\n", 0, start + lead))


def _read_images(text: str, line: int, reader: ImageReader, context: ParseContext) -> tuple[MessageImage, ...]:
    """Return the images of a message, which stand in its text as in Markdown."""
    images: dict[str, MessageImage] = {}
    for match in _IMAGE.finditer(text):
        url = match["url"].strip()
        url = url if "{{" in url else url.split(" ")[0]
        row = line + text.count("\n", 0, match.start())
        try:
            images[match[0]] = message_images.read_image(match[0], url, context.path, reader, {})
        except ValueError as error:
            context.add_line_problem(row, str(error), message_images.IMAGE_HINT)
    return tuple(images.values())


def _read_model(settings: Mapping[str, Any], context: ParseContext) -> tuple[str, dict[str, Any]]:
    """Return the name of the model and the parameters, of either version."""
    model = settings.get("model")
    if isinstance(model, str) or model is None:
        return (model or "").strip(), {}
    if not isinstance(model, dict):
        context.add_problem(("model",), "`model` must be a name or a map", "Write `model: {id: gpt-4o-mini}`.")
        return "", {}
    for key in model:
        if key not in MODEL_KEYS and (near := find_misspelt(str(key), MODEL_KEYS)):
            hint = f"Did you mean `{near}`?"
            context.add_problem(("model", key), f"unknown key `{key}` of a Prompty file's `model`", hint)
    connection = model.get("configuration")
    connection = connection if isinstance(connection, dict) else {}
    name = model.get("id") or connection.get("azure_deployment") or connection.get("model") or connection.get("name")
    written = model.get("options", model.get("parameters")) or {}
    if not isinstance(written, dict):
        context.add_problem(("model",), "the parameters of the model must be a map", "Write `temperature: 0`.")
        return "", {}
    extra = written.get("additionalProperties")
    parameters = {PARAMETERS.get(key, key): item for key, item in written.items() if key != "additionalProperties"}
    return str(name or "").strip(), {**parameters, **(extra if isinstance(extra, dict) else {})}


def _note_ignored(settings: Mapping[str, Any], source: PromptSource) -> Iterator[str]:
    inputs = settings.get("inputs")
    items = inputs.values() if isinstance(inputs, dict) else inputs if isinstance(inputs, list) else []
    has_sample = any(isinstance(item, dict) and {"sample", "default", "example"} & set(item) for item in items)
    if has_sample or settings.get("sample"):
        yield f"{source.path}: samples and defaults of inputs are not filled in: give each case its variables."
    if settings.get("tools"):
        yield f"{source.path}: `tools` is not sent."
    if reference := _REFERENCE.search(str(settings.get("model", ""))):
        yield f"{source.path}: `{reference[0][:60]}` is not resolved. Set `provider.model` in promptci.yml."
