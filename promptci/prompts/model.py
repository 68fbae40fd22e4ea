"""Prompt: messages, model, parameters and response format, with the fingerprint that decides whether to run."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.prompts.template import render

MessageSyntax = Literal["fill", "jinja", "trimmed-jinja", "script-jinja", "plain"]
"""`fill`: `{{name}}` variables and nothing else. `plain`: the text is sent as it is.

`trimmed-jinja`: without whitespace at either end once it is filled in. `script-jinja`: values as JavaScript writes
them.
"""
JINJA_SYNTAXES = frozenset(("jinja", "trimmed-jinja", "script-jinja"))

if TYPE_CHECKING:
    from collections.abc import Mapping

    from promptci.files import canonical
    from promptci.prompts.evaluators import LlmEvaluator, StringEvaluator
    from promptci.prompts.jinja import evaluate, expressions, parse
    from promptci.prompts.template.message_images import MessageImage
else:
    canonical = lazy_import("promptci.files.canonical")
    evaluate = lazy_import("promptci.prompts.jinja.evaluate")
    expressions = lazy_import("promptci.prompts.jinja.expressions")
    parse = lazy_import("promptci.prompts.jinja.parse")


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn of the conversation, as a template."""

    role: str
    """`system`, `user` or `assistant`."""
    content: str
    """Text with `{{name}}` variables, or a Jinja template."""
    syntax: MessageSyntax = "fill"
    images: tuple[MessageImage, ...] = ()
    """Images that stand in the text as marks, and are sent in their places."""

    @property
    def variables(self) -> set[str]:
        """Names of the variables that the message uses."""
        if self.syntax == "plain":
            return set()
        find = parse.find_variables if self.syntax in JINJA_SYNTAXES else render.find_variables
        return find(self.content)

    @property
    def identity(self) -> list[Any]:
        """What of it can change an answer."""
        images = {image.mark: image.identity for image in self.images}
        syntax = self.syntax if self.syntax != "fill" or images else ""
        return [self.role, self.content, *filter(None, (syntax, images))]

    def fill(self, variables: Mapping[str, Any], max_chars: float = render.MAX_MESSAGE_CHARS) -> str:
        """Return the text with the variables filled in; raises MissingVariable, MessageTooLong and TemplateError."""
        if self.syntax == "plain":
            return self.content
        if self.syntax == "fill":
            return render.render(self.content, variables, max_chars=max_chars)
        try:
            text = evaluate.fill(self.content, variables, max_chars, like_script=self.syntax == "script-jinja")
        except expressions.UndefinedVariableError as error:
            raise render.MissingVariable(str(error)) from None
        return text.strip() if self.syntax == "trimmed-jinja" else text


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """One prompt file at one revision."""

    name: str
    """Unique within a revision. It is the name of goldens, releases and deployments."""
    written_name: str | None = None
    """Name in the file, where another file has it too; None: `name` is the only one."""
    path: str
    """The file."""
    selector: str = ""
    """What of the file it is: `:SYSTEM_PROMPT`, `#/summarize/system`; empty: all of it."""
    line: int = 1
    """Where it begins in the file."""
    description: str = ""
    model: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """By their names in the request: `max_tokens`, `temperature`, `tools`, …"""
    response_format: str = "text"
    """`text`, `json_object` or `json_schema`."""
    json_schema: Mapping[str, Any] | None = None
    """Parsed: `name`, `schema`, maybe `strict`."""
    messages: tuple[Message, ...]
    test_data: tuple[Mapping[str, Any], ...] = ()
    test_data_lines: tuple[int, ...] = ()
    """Line of each testData item, for errors."""
    own_cases: tuple[Mapping[str, Any], ...] = ()
    """Cases in the file, in the form of golden files."""
    evaluators: tuple[StringEvaluator | LlmEvaluator, ...] = ()
    includes: tuple[str, ...] = ()
    """Files whose text was put in place of `{{> file}}`."""
    source: str = ""
    """The text of the file, or of its part that this prompt is, for the diff in the report."""
    application: str = ""
    """Id of the revision of the application that answers, where that is not a model alone."""
    endpoint: str = ""
    """Id of the endpoint that answers it, where that is not the one of all prompts."""
    settings: Any = None
    """Section `promptci` of the file, as written: what this prompt has of its own. None: there is none."""
    settings_line: int = 1
    notes: tuple[str, ...] = ()
    """What a reader should know, such as keys that are ignored."""
    _fingerprint: str | None = field(default=None, init=False, repr=False, compare=False)
    """Cached value of `fingerprint`."""

    @property
    def address(self) -> str:
        """Where it is: the file, and what of it. Unique within a revision."""
        return f"{self.path}{self.selector}"

    @property
    def variables(self) -> frozenset[str]:
        """Names of the variables that the messages use; of `{{order.id}}` both the whole and `order`."""
        names = {name for message in self.messages for name in message.variables}
        return frozenset(names | {name.split(".")[0] for name in names})

    @property
    def last_user_message(self) -> str | None:
        """Template of the last message of the user; None where there is none, or one of Jinja."""
        last = next((message for message in reversed(self.messages) if message.role == "user"), None)
        return last.content if last is not None and last.syntax == "fill" else None

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything that can change an answer, and nothing else."""
        if self._fingerprint is None:
            application = {"application": self.application} if self.application else {}
            content = {
                **application,
                "model": self.model,
                "parameters": dict(self.parameters),
                "response_format": self.response_format,
                "json_schema": self.json_schema,
                "messages": [message.identity for message in self.messages],
            }
            object.__setattr__(self, "_fingerprint", canonical.digest(content))
        return self._fingerprint or ""
