"""PromptVersion: a prompt and its goldens at one revision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from promptci.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from promptci.goldens.model import GoldenSet
    from promptci.prompts.model import Prompt


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptVersion:
    """A prompt as it was read at one revision, with its golden cases there."""

    prompt: Prompt
    goldens: GoldenSet
