"""What was found while reading one prompt file: mistakes with their lines, and notes."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from promptci.errors import Problem
from promptci.files import strict_yaml

KeyPath = tuple[str | int, ...]
"""Keys and indexes that lead to a value."""


class ParseContext:
    """Collects what is wrong with one file, each with its line, and what a reader should know."""

    def __init__(self, path: str, document: strict_yaml.YamlDocument) -> None:
        self.path = path
        self.document = document
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def add_problem(self, place: KeyPath, what: str, fix: str, *, row: int | None = None) -> None:
        """Note a mistake at a place of the file, or at a row of the text there."""
        line = self.document.line_of(place) if row is None else self.document.text_line_of(place, row)
        self.problems.append(Problem(path=self.path, line=line, message=what, hint=fix))

    def note_unknown_keys(self, keys: Iterable[str], known: Iterable[str], of: str) -> None:
        """Note the keys that are ignored, as GitHub ignores them, and the ones that were perhaps meant."""
        for key in keys:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                meant = f" Did you mean `{near[0]}`?" if near else ""
                self.notes.append(f"`{key}` is not a key of {of} and was ignored.{meant}")

    def get_text(self, value: Mapping[str, Any], key: str, place: KeyPath = ()) -> str | None:
        """Give a text, empty where it is missing; None where something else stands there, which is a mistake.

        A number or true and false are texts as written: `equals: 1.10` is what GitHub compares with, not 1.1.
        """
        found = value.get(key)
        if found is None or isinstance(found, str):
            return found or ""
        if isinstance(found, int | float):
            return self.document.scalar_text_of((*place, key)) or ""
        self.add_problem((*place, key), f"`{key}` must be a text", "Write it in quotes.")
        return None
