"""Prompt formats: one module each, and the table that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from promptci.prompts.formats import github_prompt

if TYPE_CHECKING:
    from promptci.prompts.includes import ReadFile
    from promptci.prompts.model import Prompt


class PromptFormat(Protocol):
    """Interface of the modules in this folder."""

    def parse(self, path: str, text: str, read: ReadFile) -> Prompt:
        """Return the prompt; raise InputError with every mistake in the file."""
        ...


PROMPT_FORMATS: dict[str, PromptFormat] = {".prompt.yml": github_prompt, ".prompt.yaml": github_prompt}
"""Parsers by the end of the file's name."""
