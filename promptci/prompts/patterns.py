"""Patterns of `prompts.include`: a glob of files, and for files with several prompts a glob of what is in them.

`prompts/**/*.md`, `src/prompts.py:*_PROMPT` (constants of a program), `prompts.yaml#/*/system` (values by their path).
"""

import fnmatch
import re
from typing import NamedTuple

ANY_PART = (":*", ":*.*", ":*.*.*", "#/*", "#/*/*", "#/*/*/*", "#/*/*/*/*")
"""Selectors of what most files hold."""
_CODE_SELECTOR = re.compile(r"(?P<files>.*?(?:\.[a-z]+|[*}])):(?P<names>[\w$*?.\[\]!-]+)")
_POINTER_START = "#/"


class PromptPattern(NamedTuple):
    """One pattern, in its parts."""

    files: str
    """Glob of files."""
    selector: str
    """`:SYSTEM_PROMPT`, `#/summarize/system`, or empty."""


def parse_pattern(text: str) -> PromptPattern:
    """Split a pattern into its glob of files and its selector."""
    files, pointer, path = text.partition(_POINTER_START)
    if pointer:
        return PromptPattern(files, pointer + path)
    match = _CODE_SELECTOR.fullmatch(text)
    return PromptPattern(text, "") if match is None else PromptPattern(match["files"], f":{match['names']}")


def selects(selector: str, address: str) -> bool:
    """Return whether a selector means a prompt of its file, whose address within the file is `:NAME` or `#/a/b`.

    `*` stands for any characters of one name, between slashes in `#/*/system` and between dots in `:PROMPTS.*`.
    """
    if not selector:
        return False
    separator = "/" if selector.startswith(_POINTER_START) else "."
    parts, names = selector.split(separator), address.split(separator)
    return len(parts) == len(names) and all(map(fnmatch.fnmatchcase, names, parts))
