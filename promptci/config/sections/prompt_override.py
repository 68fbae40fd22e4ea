"""What one prompt has of its own: gate keys, judge, endpoint, model and parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from promptci.git import globs
from promptci.lazy_dataclass import dataclass
from promptci.prompts.model import Prompt
from promptci.prompts.patterns import parse_pattern, selects
from promptci.providers.options import ProviderOptions


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptOverride:
    """One item of `overrides`, or the section `promptci` of a prompt file."""

    prompts: tuple[str, ...] = ()
    """Patterns of prompts, or their names."""
    gate: Mapping[str, Any] = field(default_factory=dict)
    """Fields of the gate's policy."""
    judge: Mapping[str, str | None] = field(default_factory=dict)
    """`model` and `rubric`."""
    model: str | None = None
    """Model of prompts that name none."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Parameters by their names in the request, for prompts that do not set them."""
    endpoint: ProviderOptions | None = None
    """Who answers these prompts; None: who answers all."""
    endpoint_url: str | None = None
    """Base URL of an endpoint of promptci.yml that answers the prompt, as its own file names it."""
    source: str = ""
    """Where it stands, for the report: `overrides[0]`."""

    def applies_to(self, prompt: Prompt) -> bool:
        """Return whether a pattern or a name means this prompt."""
        names = {prompt.name, prompt.written_name}
        return any(pattern in names or _reaches(pattern, prompt) for pattern in self.prompts)


def _reaches(pattern: str, prompt: Prompt) -> bool:
    files, selector = parse_pattern(pattern)
    return globs.matches(files, prompt.path) and (not selector or selects(selector, prompt.selector))


def find_overrides(overrides: Sequence[PromptOverride], prompt: Prompt) -> list[PromptOverride]:
    """Return the overrides of a prompt; of two that set one key, the later counts."""
    return [override for override in overrides if override.applies_to(prompt)]
