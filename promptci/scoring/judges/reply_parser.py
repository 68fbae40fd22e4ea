"""Parse a judge's reply: lenient about its form, strict about its content."""

import json
import re
from typing import Any

from promptci.files import lines
from promptci.lazy_dataclass import dataclass

MAX_SEARCHED_CHARS = 20_000
"""Characters at the end of an answer that are searched for JSON."""
_DECODER = json.JSONDecoder()
_FLAT = re.compile(r"\{[^{}]*\}")
_LAST_COMMA = re.compile(r",\s*\}\Z")
_TEXTS = re.compile(r""""(?:[^"\\]|\\.)*"|'((?:[^'\\]|\\.)*)'""", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsedReply:
    """A judge's parsed reply; `score` is None if the reply is unusable."""

    score: float | None
    summary: str


def json_objects(text: str) -> list[dict[str, Any]]:
    """Return the JSON objects that stand in a text, in order; those within others and within texts are none.

    Prose and fences around them do not matter. A comma before the closing brace and single quotes are forgiven, a
    missing brace and a key given twice are not.
    """
    text = text[-MAX_SEARCHED_CHARS:]
    objects = []
    position = text.find("{")
    while position >= 0:
        value, position = _read_at(text, position)
        if isinstance(value, dict):
            objects.append(value)
        position = text.find("{", position)
    return objects


def _read_at(text: str, position: int) -> tuple[Any, int]:
    """Return the object that begins here, or None, and where to look for the next."""
    try:
        _, end = _DECODER.raw_decode(text, position)
        written = text[position:end]
    except (ValueError, RecursionError):
        flat = _FLAT.match(text, position)
        if flat is None:
            return None, position + 1
        written, end = _repair_json(flat.group()), flat.end()
    try:
        return lines.parse_json(written), end
    except lines.JsonError:
        return None, end


def _repair_json(written: str) -> str:
    """Write an object as JSON that was written as Python or with a comma too many."""
    return _TEXTS.sub(_double_quote, _LAST_COMMA.sub("}", written))


def _double_quote(text: re.Match[str]) -> str:
    return text[0] if text[1] is None else json.dumps(text[1].replace("\\'", "'"), ensure_ascii=False)
