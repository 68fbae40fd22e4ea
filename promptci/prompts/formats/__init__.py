"""Prompt formats: one module each, and the table that lists them."""

from collections.abc import Callable
from dataclasses import dataclass

from promptci.prompts.formats import data_prompt, github_prompt, python_prompt, script_prompt, text_prompt
from promptci.prompts.source import ParsedFile, PromptSource


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptFormat:
    """One format of prompts in files."""

    parse: Callable[[PromptSource], ParsedFile]
    """Returns the prompts of a file and every mistake in it; may raise InputError where nothing can be read."""
    is_marked: bool = False
    """Whether the ending alone shows that a file is a prompt, so that one that no pattern reaches is named."""


_GITHUB = PromptFormat(parse=github_prompt.parse, is_marked=True)
_TEXT = PromptFormat(parse=text_prompt.parse)

PROMPT_FORMATS: dict[str, PromptFormat] = {
    **dict.fromkeys(github_prompt.SUFFIXES, _GITHUB),
    **dict.fromkeys((*text_prompt.TEXT_SUFFIXES, *text_prompt.JINJA_SUFFIXES), _TEXT),
    **dict.fromkeys(python_prompt.SUFFIXES, PromptFormat(parse=python_prompt.parse)),
    **dict.fromkeys(script_prompt.SUFFIXES, PromptFormat(parse=script_prompt.parse)),
    **dict.fromkeys(data_prompt.SUFFIXES, PromptFormat(parse=data_prompt.parse)),
}
"""Formats by the end of the file's name; the first that fits is taken."""
