"""PromptOptions: what promptci.yml says about reading prompts, for all that a file does not say itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Syntax = Literal["{{name}}", "{name}", "$name", "jinja"]
"""How a template writes a variable."""
SYNTAXES: tuple[Syntax, ...] = ("{{name}}", "{name}", "$name", "jinja")


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptOptions:
    """Defaults of every prompt of a revision."""

    model: str | None = None
    """Model of prompts that name none."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Parameters by their names in the request, each for prompts that do not set it."""
    user: str | None = None
    """User message after a text that is the system message; empty: texts are whole prompts; None: by the text."""
    syntax: Syntax | None = None
    """None: by the format of the file."""
