"""Prompt formats: one module each, and the table that lists them."""

from typing import Protocol

from promptci.prompts.formats import from_github
from promptci.prompts.includes import Read
from promptci.prompts.model import Prompt


class Format(Protocol):
    """A module of this folder."""

    def parse(self, path: str, text: str, read: Read) -> Prompt:
        """Give the prompt; InputError with every mistake in the file."""
        ...


FORMATS: dict[str, Format] = {".prompt.yml": from_github, ".prompt.yaml": from_github}
"""By the end of the file's name."""
