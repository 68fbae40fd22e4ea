"""ParseContext: collects the problems of one prompt file with their lines, and notes for its reader."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from promptci.errors import Problem
from promptci.files import strict_yaml
from promptci.lazy_import import lazy_import
from promptci.prompts.template import render

if TYPE_CHECKING:
    import difflib
else:
    difflib = lazy_import("difflib")

KeyPath = tuple[str | int, ...]
"""Keys and indexes that lead to a value."""
MAX_SHOWN_BRACES = 5
MISSPELLING_CUTOFF = 0.85
"""Similarity from which an unknown key is taken for a misspelt one."""

WRONG_NAMES = {"prompt": "messages"}
"""Keys of other tools, and what they are called here: the nearest name would be another thing."""


class ParseContext:
    """One prompt file while it is parsed."""

    def __init__(self, path: str, document: strict_yaml.YamlDocument) -> None:
        self.path = path
        self.document = document
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def add_problem(self, place: KeyPath, message: str, hint: str, *, row: int | None = None) -> None:
        """Add a problem at a place of the file, or at a row of the text there."""
        line = self.document.line_of(place) if row is None else self.document.text_line_of(place, row)
        self.problems.append(Problem(path=self.path, line=line, message=message, hint=hint))

    def add_line_problem(self, line: int, message: str, hint: str) -> None:
        """Add a problem on a line of the file."""
        self.problems.append(Problem(path=self.path, line=line, message=message, hint=hint))

    def add_note(self, place: KeyPath, text: str) -> None:
        """Add a note about a place of the file."""
        self.notes.append(f"{self.path}:{self.document.line_of(place)}: {text}")

    def note_unfilled_braces(self, place: KeyPath, text: str) -> None:
        """Add a note about template syntax that is not filled in."""
        braces = list(dict.fromkeys(render.find_unfilled_braces(text)))[:MAX_SHOWN_BRACES]
        if braces:
            verb = "is not a variable and is" if len(braces) == 1 else "are not variables and are"
            self.add_note(place, f"{', '.join(f'`{written}`' for written in braces)} {verb} sent as written.")

    def check_keys(self, keys: Iterable[str], known: Iterable[str], owner: str, place: KeyPath = ()) -> None:
        """Add a problem for a misspelt key, and a note for any other unknown one, which is ignored as GitHub does."""
        known = tuple(known)
        for key in keys:
            if key in known:
                continue
            meant = WRONG_NAMES.get(key)
            if close := meant if meant in known else find_misspelt(key, known):
                self.add_problem((*place, key), f"unknown key `{key}` of {owner}", f"Did you mean `{close}`?")
            else:
                self.add_note((*place, key), f"`{key}` is not a key of {owner} and is ignored.")

    def get_text(self, value: Mapping[str, Any], key: str, place: KeyPath = ()) -> str | None:
        """Return a text, empty where it is missing; None, and a problem, where something else is there.

        A number or boolean is the text as written: GitHub compares with `1.10`, not 1.1, for `equals: 1.10`.
        """
        text = value.get(key)
        if text is None or isinstance(text, str):
            return text or ""
        if isinstance(text, int | float):
            return self.document.scalar_text_of((*place, key)) or ""
        self.add_problem((*place, key), f"`{key}` must be a text", "Write it in quotes.")
        return None


def find_misspelt(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that `name` is probably meant to be; case, and `_` or `-`, do not matter."""
    by_spelling = {_normalize(key): key for key in known}
    written = _normalize(name)
    swapped = [spelling for spelling in by_spelling if _is_swapped(written, spelling)]
    close = swapped or difflib.get_close_matches(written, by_spelling, n=1, cutoff=MISSPELLING_CUTOFF)
    return by_spelling[close[0]] if close else None


def name_key(name: str, known: Iterable[str]) -> str:
    """Return an unknown key in quotes, with the known one that it is probably meant to be."""
    near = find_misspelt(name, known)
    return f"`{name}` (did you mean `{near}`?)" if near else f"`{name}`"


def _is_swapped(written: str, known: str) -> bool:
    """Return whether two neighbouring letters are all that differs, as in `modle`."""
    if len(written) != len(known):
        return False
    places = [place for place, (a, b) in enumerate(zip(written, known, strict=True)) if a != b]
    if len(places) != 2 or places[1] != places[0] + 1:
        return False
    return written[places[0]] == known[places[1]] and written[places[1]] == known[places[0]]


def _normalize(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
