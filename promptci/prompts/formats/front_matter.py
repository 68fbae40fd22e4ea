"""Settings between two `---` lines before a text, as Prompty, dotprompt and Markdown have them."""

import re
from collections.abc import Mapping
from typing import Any

from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.lazy_dataclass import dataclass

_FRONT_MATTER = re.compile(
    r"(?P<lead>\s*)(?P<line>---|\+\+\+)[ \t]*\n(?P<settings>.*?)^(?P=line)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE
)
_OPENING = re.compile(r"\s*(?:---|\+\+\+)[ \t]*\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsAndText:
    """The two parts of a file."""

    document: strict_yaml.YamlDocument
    settings: Mapping[str, Any]
    text: str
    line: int
    """On which the text begins."""


def split_settings(path: str, text: str) -> SettingsAndText:
    """Return the settings and the text after them; raise InputError for settings that are not closed, or no map."""
    match = _FRONT_MATTER.match(text)
    if match is None:
        if _OPENING.match(text):
            message = "the settings at the beginning are not closed"
            raise InputError([Problem(path=path, line=1, message=message, hint="Write `---` on a line after them.")])
        return SettingsAndText(document=strict_yaml.load("", path), settings={}, text=text, line=1)
    # The line breaks keep the lines' numbers.
    document = strict_yaml.load("\n" * (match["lead"].count("\n") + 1) + match["settings"], path)
    if not isinstance(document.value, dict | None):
        hint = "Write `name: …` and other keys."
        raise InputError([Problem(path=path, line=1, message="the settings must be a map", hint=hint)])
    line = 1 + text.count("\n", 0, match.end())
    return SettingsAndText(document=document, settings=document.value or {}, text=text[match.end() :], line=line)
