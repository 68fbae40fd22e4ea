"""PromptOptions: what promptci.yml says about reading prompts, for all that a file does not say itself."""

from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from promptci.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from promptci.prompts.model import Prompt

Syntax = Literal["{{name}}", "{name}", "$name", "jinja"]
"""How a template writes a variable."""
SYNTAXES: tuple[Syntax, ...] = ("{{name}}", "{name}", "$name", "jinja")


class OptionsOverride(Protocol):
    """Model and parameters that some prompts have of their own."""

    @property
    def model(self) -> str | None:
        """Model of those that name none; None: that of all prompts."""
        ...

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Parameters by their names in the request."""
        ...

    def applies_to(self, prompt: "Prompt", /) -> bool:
        """Return whether a prompt is one of them."""
        ...


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
    overrides: tuple[OptionsOverride, ...] = ()
    """The later counts more."""
