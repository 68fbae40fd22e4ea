"""What was found while reading one prompt file: mistakes with their lines, and notes."""

from collections.abc import Mapping
from typing import Any

from promptci.errors import Problem
from promptci.files import strict_yaml


class Findings:
    """Collects what is wrong with one file, each with its line, and what a reader should know."""

    def __init__(self, path: str, document: strict_yaml.Document) -> None:
        self.path = path
        self.document = document
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def wrong(self, place: tuple[str | int, ...], what: str, fix: str) -> None:
        """Note a mistake at a place of the file."""
        self.problems.append(Problem(path=self.path, line=self.document.line(place), what=what, fix=fix))

    def text(self, value: Mapping[str, Any], key: str, place: tuple[str | int, ...] = ()) -> str:
        """Give a text that may be missing; anything else there is a mistake."""
        found = value.get(key)
        if found is None:
            return ""
        if isinstance(found, str):
            return found
        if isinstance(found, int | float) and not isinstance(found, bool):
            return str(found)
        self.wrong((*place, key), f"`{key}` must be a text", "Write it in quotes.")
        return ""
