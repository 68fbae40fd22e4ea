"""Templates as people write them, `{name}`, `$name`, `{{name}}` or Jinja, in the two forms that promptci fills in.

`{name}` and `$name` become `{{name}}`. Jinja stays Jinja, with its includes in place.
"""

import re
from collections.abc import Sequence

from promptci.lazy_dataclass import dataclass
from promptci.prompts import includes
from promptci.prompts.includes import ReadFile
from promptci.prompts.jinja import parse as jinja_parse
from promptci.prompts.model import MessageSyntax
from promptci.prompts.options import Syntax
from promptci.prompts.template import render

MAX_TEMPLATE_CHARS = 2**20
_NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*|\[[^\[\]{}'\"]+\])*"
_FORMAT = re.compile(rf"\{{\{{|\}}\}}|\{{\s*(?P<name>{_NAME})\s*\}}|\{{[^{{}}\n]*\}}|[{{}}]")
_DOLLAR = re.compile(r"\$\$|\$(?:(?P<name>[A-Za-z_]\w*)|\{(?P<braced>[A-Za-z_]\w*)\})")
_LIKELY_DOLLAR = re.compile(r"(?<!\$)\$(?:[a-z][a-z0-9_]+\b|\{[A-Za-z_]\w*\})")
"""Variables of `$name` in a text that may mean something else by a dollar."""
_PERCENT = re.compile(r"%\([A-Za-z_]\w*\)[sd]|(?<![%\w])%[sd]\b")
_SHOWN_FIELDS = 3


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """A mistake in a template."""

    row: int
    """Of the text, from 0."""
    message: str
    hint: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A text in a form that promptci fills in."""

    content: str
    syntax: MessageSyntax = "fill"
    includes: tuple[str, ...] = ()
    problems: tuple[TemplateProblem, ...] = ()

    @property
    def has_variables(self) -> bool:
        """Whether a case fills in anything."""
        if self.syntax == "jinja":
            return not self.problems and bool(jinja_parse.find_variables(self.content))
        return bool(render.find_variables(self.content))


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable between two texts."""

    name: str


def read_template(text: str, syntax: Syntax, path: str, read: ReadFile) -> Template:
    """Convert a text of the file `path`; every mistake is among the problems."""
    if len(text) > MAX_TEMPLATE_CHARS:
        message = f"the prompt has {len(text):,} characters; the limit is {MAX_TEMPLATE_CHARS:,}"
        return Template(content="", problems=(TemplateProblem(0, message, "Move data out of the prompt."),))
    if syntax == "jinja":
        return _read_jinja(text, path, read)
    if syntax == "{{name}}":
        resolved = includes.resolve_includes(text, path, read)
        hint = "Paths are relative to the folder of the including file."
        problems = tuple(TemplateProblem(row, message, hint) for row, message in resolved.errors)
        return Template(content=resolved.text, includes=resolved.paths, problems=problems)
    parts, mistakes = _split_format(text) if syntax == "{name}" else (_split_dollars(text), [])
    return join_parts(parts, mistakes)


def join_parts(parts: Sequence[str | Variable], problems: Sequence[TemplateProblem] = ()) -> Template:
    """Return texts and variables as one template of `{{name}}` variables."""
    content, literal, row = [], "", 0
    mistakes = list(problems)
    for part in (*parts, Variable("")):
        if isinstance(part, str):
            literal += part
            continue
        if match := render.VARIABLE.search(literal):
            message = f"`{match[0]}` is plain text here, but would be filled in by promptci"
            hint = "Put the braces into a variable."
            mistakes.append(TemplateProblem(row + literal.count("\n", 0, match.start()), message, hint))
        content.append(literal)
        row += literal.count("\n")
        literal = ""
        if part.name:
            content.append(f"{{{{{part.name}}}}}")
    return Template(content="".join(content), problems=tuple(mistakes))


def is_format_template(text: str) -> bool:
    """Return whether a text is a template for `str.format`: all of its braces name variables, and there is one."""
    parts, problems = _split_format(text)
    return not problems and any(isinstance(part, Variable) for part in parts)


def describe_unfilled(text: str, *, in_code: bool = False) -> str | None:
    """Return a note on what of a text without variables looks like one, and how to have it filled in; None: nothing."""
    fields_by_syntax = {
        "{name}": [
            match[0]
            for match in _FORMAT.finditer(text)
            if match["name"] and text[match.start() - 1 : match.start()] != "$"
        ],
        "$name": [match[0] for match in _LIKELY_DOLLAR.finditer(text)],
        "%": [match[0] for match in _PERCENT.finditer(text)] if in_code else [],
    }
    for syntax, fields in fields_by_syntax.items():
        if not fields:
            continue
        names = list(dict.fromkeys(fields))[:_SHOWN_FIELDS]
        hint = f'If they are variables, set `syntax: "{syntax}"` under `prompts` in promptci.yml.'
        if syntax == "%":
            hint = "If they are variables, write them as `{name}`."
        elif syntax == "{name}" and in_code:
            hint = "If they are variables, write all other braces as `{{` and `}}`."
        return (
            f"{', '.join(f'`{name}`' for name in names)} {'is' if len(names) == 1 else 'are'} sent as written. {hint}"
        )
    return None


def _read_jinja(text: str, path: str, read: ReadFile) -> Template:
    resolved = includes.resolve_jinja_includes(text, path, read)
    content = resolved.text.removesuffix("\n")  # as Jinja does
    hint = "A path is looked up in the folder of the including file and in the folders above it."
    problems = [TemplateProblem(row, message, hint) for row, message in resolved.errors]
    if not problems:
        hint = "docs/formats.md lists what of Jinja is read."
        problems = [TemplateProblem(line - 1, message, hint) for line, message in jinja_parse.find_problems(content)]
    return Template(content=content, syntax="jinja", includes=resolved.paths, problems=tuple(problems))


def _split_format(text: str) -> tuple[list[str | Variable], list[TemplateProblem]]:
    parts: list[str | Variable] = []
    problems = []
    position = 0
    for match in _FORMAT.finditer(text):
        parts.append(text[position : match.start()])
        position = match.end()
        if match[0] in {"{{", "}}"}:
            parts.append(match[0][0])
        elif match["name"]:
            parts.append(Variable(re.sub(r"\[([^\]]*)\]", r".\1", match["name"])))
        else:
            message = f"`{match[0][:40]}` is neither a variable nor plain text for `str.format`"
            hint = "Write `{{` and `}}` for braces, or set `prompts.syntax` to how this file writes variables."
            problems.append(TemplateProblem(text.count("\n", 0, match.start()), message, hint))
    return [*parts, text[position:]], problems


def _split_dollars(text: str) -> list[str | Variable]:
    parts: list[str | Variable] = []
    position = 0
    for match in _DOLLAR.finditer(text):
        parts.append(text[position : match.start()])
        position = match.end()
        name = match["name"] or match["braced"]
        parts.append(Variable(name) if name else "$")
    return [*parts, text[position:]]
