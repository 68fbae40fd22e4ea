"""Plain text, Markdown and Jinja files, each of which is one prompt.

Markdown may begin with settings between two `---` lines.
"""

import posixpath
import re
from collections.abc import Mapping
from typing import Any, get_args

from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.prompts import suffixes
from promptci.prompts.formats import github_parameters
from promptci.prompts.formats.parse_context import ParseContext
from promptci.prompts.formats.text_layout import lay_out_messages, to_prompt_name
from promptci.prompts.model import Prompt
from promptci.prompts.options import SYNTAXES, Syntax
from promptci.prompts.source import ParsedFile, PromptSource
from promptci.prompts.template import template_text
from promptci.prompts.template.template_text import Template

FRONT_MATTER_SUFFIXES = (".md", ".markdown")
FRONT_MATTER_KEYS = (
    "name", "description", "model", "modelParameters", "responseFormat", "jsonSchema", "tools", "toolChoice", "user",
    "syntax", "promptci",
)  # fmt: skip
_FRONT_MATTER = re.compile(r"---[ \t]*\n(?P<settings>.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_OPENING = re.compile(r"---[ \t]*(?:\n|\Z)")


def parse(source: PromptSource) -> ParsedFile:
    """Return the prompt that a file is."""
    document, body, body_line = _split_front_matter(source)
    context = ParseContext(source.path, document)
    settings: Mapping[str, Any] = document.value or {}
    parameters = _parse_parameters(settings, context)
    response_format, schema = github_parameters.parse_response_format(settings, context)
    syntax = _parse_syntax(settings, context, source)
    label = _label(source.path)
    template = template_text.read_template(body.strip("\n"), syntax, source.path, source.read)
    first_line = body_line + len(body) - len(body.lstrip("\n"))
    _add_template_remarks(template, syntax, first_line, context)
    user = context.get_text(settings, "user") if settings.get("user") is not None else source.options.user
    if settings.get("user") is False:
        user = ""
    prompt = Prompt(
        name=to_prompt_name(context.get_text(settings, "name") or label),
        path=source.path,
        line=first_line,
        description=context.get_text(settings, "description") or "",
        model=(context.get_text(settings, "model") or "").strip(),
        parameters=parameters,
        response_format=response_format,
        json_schema=schema,
        messages=lay_out_messages(template, label, user),
        includes=template.includes,
        source=source.text,
        settings=settings.get("promptci"),
        settings_line=document.line_of(("promptci",)),
        notes=tuple(context.notes),
    )
    return ParsedFile(() if context.problems else (prompt,), context.problems)


def _split_front_matter(source: PromptSource) -> tuple[strict_yaml.YamlDocument, str, int]:
    """Return the settings, the text after them, and the line on which it begins; raise InputError for bad settings."""
    is_allowed = source.path.lower().endswith(FRONT_MATTER_SUFFIXES) and _OPENING.match(source.text)
    match = _FRONT_MATTER.match(source.text) if is_allowed else None
    if match is None:
        return strict_yaml.load("", source.path), source.text, 1
    document = strict_yaml.load("\n" + match["settings"], source.path)  # the line break keeps the lines' numbers
    if not isinstance(document.value, dict | None):
        message = "the text between the `---` lines must be a map of settings"
        hint = "Write `model: …`, or begin the file with another line if this is part of the prompt."
        raise InputError([Problem(path=source.path, line=1, message=message, hint=hint)])
    return document, source.text[match.end() :], 1 + source.text.count("\n", 0, match.end())


def _parse_parameters(settings: Mapping[str, Any], context: ParseContext) -> dict[str, Any]:
    """Return the parameters; `temperature: 0` may stand at the top, as other tools write it."""
    top = {
        key: setting
        for key, setting in settings.items()
        if key not in FRONT_MATTER_KEYS and github_parameters.to_wire_name(key) in github_parameters.KNOWN_PARAMETERS
    }
    unknown = [key for key in settings if key not in top]
    context.check_keys(unknown, (*FRONT_MATTER_KEYS, *github_parameters.KNOWN_PARAMETERS), "a prompt's front matter")
    parameters = github_parameters.parse_parameters(settings, context)
    for key, setting in top.items():
        github_parameters.add_parameter(parameters, key, setting, (key,), context)
    return parameters


def _parse_syntax(settings: Mapping[str, Any], context: ParseContext, source: PromptSource) -> Syntax:
    written = settings.get("syntax")
    if written is not None and written not in SYNTAXES:
        hint = f"Use one of {', '.join(get_args(Syntax))}, in quotes."
        context.add_problem(("syntax",), f"unknown syntax `{written}`", hint)
    if source.path.lower().endswith(suffixes.JINJA):
        return "jinja"
    return next((syntax for syntax in SYNTAXES if syntax == written), None) or source.options.syntax or "{{name}}"


def _add_template_remarks(template: Template, syntax: Syntax, first_line: int, context: ParseContext) -> None:
    for problem in template.problems:
        context.add_line_problem(first_line + problem.row, problem.message, problem.hint)
    if not template.content.strip() and not context.problems:
        context.add_line_problem(first_line, "the prompt is empty", "Write its text, or remove the file.")
    if syntax != "{{name}}" or template.problems:
        return
    context.note_unfilled_braces((), template.content)
    if not template.has_variables and (note := template_text.describe_unfilled(template.content)):
        context.notes.append(f"{context.path}:{first_line}: {note}")


def _label(path: str) -> str:
    """Return the file's name without its endings: `prompts/system.md.j2` is `system`."""
    base = posixpath.basename(path)
    for endings in (suffixes.JINJA, suffixes.TEXT, (".prompt",)):
        for suffix in endings:
            if base.lower().endswith(suffix):
                base = base[: -len(suffix)]
                break
    return base or posixpath.basename(posixpath.dirname(path)) or "prompt"
