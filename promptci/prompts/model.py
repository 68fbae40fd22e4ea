"""Prompt: messages, model, parameters and response format, with the fingerprint that decides whether to run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from promptci.lazy_import import lazy_import
from promptci.prompts import render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from promptci.files import canonical
    from promptci.prompts.evaluators import LlmEvaluator, StringEvaluator
else:
    canonical = lazy_import("promptci.files.canonical")


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn of the conversation, as a template."""

    role: str
    """`system`, `user` or `assistant`."""
    content: str
    """Text with `{{name}}` variables."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """One prompt file at one revision."""

    name: str
    """Unique within a revision."""
    written_name: str | None = None
    """Name in the file, where another file has it too; None: `name` is the only one."""
    path: str
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
    evaluators: tuple[StringEvaluator | LlmEvaluator, ...] = ()
    includes: tuple[str, ...] = ()
    """Files whose text was put in place of `{{> file}}`."""
    source: str = ""
    """The file's text, for the diff in the report."""
    notes: tuple[str, ...] = ()
    """What a reader should know, such as keys that are ignored."""

    @property
    def variables(self) -> frozenset[str]:
        """Names of the variables that the messages use; of `{{order.id}}` both the whole and `order`."""
        names = {name for message in self.messages for name in render.find_variables(message.content)}
        return frozenset(names | {name.split(".")[0] for name in names})

    @property
    def last_user_message(self) -> str | None:
        """Template of the last message of the user; None where there is none."""
        return next((message.content for message in reversed(self.messages) if message.role == "user"), None)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything that can change an answer, and nothing else."""
        return canonical.digest(
            {
                "model": self.model,
                "parameters": dict(self.parameters),
                "response_format": self.response_format,
                "json_schema": self.json_schema,
                "messages": [[m.role, m.content] for m in self.messages],
            }
        )
