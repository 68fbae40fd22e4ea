"""Constants of a program or values of a data file as prompts: each has its own name, fingerprint and place."""

from collections.abc import Iterable, Iterator, Sequence

from promptci.errors import Problem
from promptci.lazy_dataclass import dataclass
from promptci.prompts.formats.text_layout import lay_out_messages, to_prompt_name
from promptci.prompts.model import Message, Prompt
from promptci.prompts.options import Syntax
from promptci.prompts.patterns import selects
from promptci.prompts.source import ParsedFile, PromptSource
from promptci.prompts.template import template_text
from promptci.prompts.template.message_images import MessageImage
from promptci.prompts.template.template_text import Template, Variable

ROLES = {
    "system": "system", "developer": "developer", "user": "user", "human": "user", "assistant": "assistant",
    "ai": "assistant",
}  # fmt: skip
"""Roles of messages, as programs write them."""
MAX_SHOWN_NAMES = 5
MAX_CONSTANTS = 2000
"""Prompts of one file."""


@dataclass(frozen=True, slots=True)
class CodeText:
    """A text as a program writes it: what stands there, and the variables between."""

    parts: tuple[str | Variable, ...]
    syntax: Syntax | None = None
    """How the text itself writes variables, where the program says so."""


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """One message of a list."""

    role: str
    text: CodeText
    images: tuple[MessageImage, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Constant:
    """One constant, or why it cannot be read."""

    selector: str
    """`:SYSTEM_PROMPT` or `#/summarize/system`."""
    line: int
    value: CodeText | tuple[CodeMessage, ...] | None
    unreadable: str = ""
    """The reason, where there is no value."""
    notes: tuple[str, ...] = ()

    @property
    def states_no_syntax(self) -> bool:
        """Whether the program leaves open how the text writes variables."""
        texts = [self.value] if isinstance(self.value, CodeText) else [message.text for message in self.value or ()]
        return all(text.syntax is None for text in texts)

    @property
    def name(self) -> str:
        """The name of the constant: `SYSTEM_PROMPT`, or `summarize.system` for a path."""
        return self.selector.lstrip(":#/").replace("/", ".")


def select_prompts(source: PromptSource, constants: Iterable[Constant]) -> ParsedFile:
    """Return the prompts that the selectors mean; what they mean and cannot be read is a problem."""
    known = list(constants)
    if not source.selectors:
        return ParsedFile((), [_describe_missing_selector(source, known)])
    prompts: list[Prompt] = []
    problems: list[Problem] = []
    for constant in known:
        if not any(selects(selector, constant.selector) for selector in source.selectors):
            continue
        if constant.value is None:
            message = f"`{constant.name}` cannot be read: {constant.unreadable}"
            hint = "Write its text in this file, or exclude it by naming the others in `prompts.include`."
            problems.append(Problem(path=source.path, line=constant.line, message=message, hint=hint))
        else:
            mistakes, prompt = build_prompt(source, constant, constant.value)
            problems += mistakes
            prompts += [] if mistakes else [prompt]
    if len(prompts) > MAX_CONSTANTS:
        message = f"{len(prompts)} prompts of this file are meant; the limit is {MAX_CONSTANTS}"
        return ParsedFile((), [Problem(path=source.path, message=message, hint="Write a narrower pattern.")])
    return ParsedFile(prompts, problems)


def _describe_missing_selector(source: PromptSource, constants: Sequence[Constant]) -> Problem:
    names = [constant.selector for constant in constants if constant.value is not None][:MAX_SHOWN_NAMES]
    example = f"`{source.path}{names[0]}`" if names else "such as `src/prompts.py:SYSTEM_PROMPT`"
    others = f" Readable in this file: {', '.join(names)}." if len(names) > 1 else ""
    hint = f"Write {example} in `prompts.include`.{others}"
    return Problem(path=source.path, message="the pattern does not say which part of the file is the prompt", hint=hint)


def build_prompt(
    source: PromptSource, constant: Constant, value: CodeText | tuple[CodeMessage, ...]
) -> tuple[list[Problem], Prompt]:
    """Return the prompt that a constant is, and every mistake in its text."""
    texts = [value] if isinstance(value, CodeText) else [message.text for message in value]
    templates = [_read_text(text, source) for text in texts]
    if isinstance(value, CodeText):
        messages = lay_out_messages(templates[0], constant.name, source.options.user)
    else:
        messages = tuple(
            Message(role=message.role, content=template.content, syntax=template.syntax, images=message.images)
            for message, template in zip(value, templates, strict=True)
        )
    problems = [
        Problem(
            path=source.path, line=constant.line, message=f"`{constant.name}`: {problem.message}", hint=problem.hint
        )
        for template in templates
        for problem in template.problems
    ]
    if not problems and not any(template.content.strip() for template in templates):
        message = f"`{constant.name}` is empty"
        problems.append(Problem(path=source.path, line=constant.line, message=message, hint="Write its text."))
    prompt = Prompt(
        name=to_prompt_name(constant.name),
        path=source.path,
        selector=constant.selector,
        line=constant.line,
        model="",
        messages=messages,
        includes=tuple(_list_included(value, templates)),
        source="\n".join(_list_source(value, templates)),
        notes=tuple(
            f"{source.path}:{constant.line}: {note}" for note in (*constant.notes, *_list_unfilled(constant, templates))
        ),
    )
    return problems, prompt


def _list_unfilled(constant: Constant, templates: Sequence[Template]) -> Iterator[str]:
    """Yield what looks like a variable in texts without one, where nothing says how they write variables."""
    if any(template.has_variables for template in templates):
        return
    for template in templates if constant.states_no_syntax else ():
        note = template_text.describe_unfilled(template.content, in_code=True)
        yield from [f"`{constant.name}`: {note}"] if note else []


def _list_included(value: CodeText | tuple[CodeMessage, ...], templates: Sequence[Template]) -> Iterator[str]:
    yield from (path for template in templates for path in template.includes)
    for message in () if isinstance(value, CodeText) else value:
        yield from (image.file.path for image in message.images if image.file is not None)


def _list_source(value: CodeText | tuple[CodeMessage, ...], templates: Sequence[Template]) -> Iterator[str]:
    if isinstance(value, CodeText):
        yield templates[0].content
        return
    for message, template in zip(value, templates, strict=True):
        yield f"[{message.role}]\n{template.content}\n"


def _read_text(text: CodeText, source: PromptSource) -> Template:
    """Return a text as a template; one without a stated syntax is `{name}` where all of its braces fit that."""
    if any(isinstance(part, Variable) for part in text.parts) and text.syntax is None:
        return template_text.join_parts(text.parts)
    plain = "".join(f"{{{part.name}}}" if isinstance(part, Variable) else part for part in text.parts)
    syntax = text.syntax or source.options.syntax
    if syntax in {None, "{name}", "{{name}}"} and text.syntax is None:
        syntax = "{name}" if template_text.is_format_template(plain) else "{{name}}"
    return template_text.read_template(plain, syntax or "{{name}}", source.path, source.read)
