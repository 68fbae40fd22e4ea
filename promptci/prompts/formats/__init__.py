"""Prompt formats: one module each, and the table that lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.prompts import suffixes
from promptci.prompts.formats import github_prompt

if TYPE_CHECKING:
    from promptci.prompts.formats import dotprompt_prompt, prompty_prompt, text_prompt
    from promptci.prompts.formats.code import data_prompt, python_prompt, script_prompt
    from promptci.prompts.source import ParsedFile, PromptSource
else:  # a run reads few formats
    data_prompt = lazy_import("promptci.prompts.formats.code.data_prompt")
    dotprompt_prompt = lazy_import("promptci.prompts.formats.dotprompt_prompt")
    prompty_prompt = lazy_import("promptci.prompts.formats.prompty_prompt")
    python_prompt = lazy_import("promptci.prompts.formats.code.python_prompt")
    script_prompt = lazy_import("promptci.prompts.formats.code.script_prompt")
    text_prompt = lazy_import("promptci.prompts.formats.text_prompt")


class PromptReader(Protocol):
    """Interface of the modules in this folder that read a format."""

    def parse(self, source: PromptSource, /) -> ParsedFile:
        """Return the prompts of a file and every mistake in it; raise InputError where nothing can be read."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptFormat:
    """One format of prompts in files."""

    reader: PromptReader
    is_marked: bool = False
    """Whether the ending alone shows that a file is a prompt, so that one that no pattern reaches is named."""


PROMPT_FORMATS: dict[str, PromptFormat] = {
    **dict.fromkeys(suffixes.GITHUB, PromptFormat(reader=github_prompt, is_marked=True)),
    **dict.fromkeys(suffixes.PROMPTY, PromptFormat(reader=prompty_prompt)),
    **dict.fromkeys(suffixes.DOTPROMPT, PromptFormat(reader=dotprompt_prompt)),
    **dict.fromkeys((*suffixes.TEXT, *suffixes.JINJA), PromptFormat(reader=text_prompt)),
    **dict.fromkeys(suffixes.PYTHON, PromptFormat(reader=python_prompt)),
    **dict.fromkeys(suffixes.SCRIPT, PromptFormat(reader=script_prompt)),
    **dict.fromkeys(suffixes.DATA, PromptFormat(reader=data_prompt)),
}
"""Formats by the end of the file's name; the first that fits is taken."""
