"""Golden cases as JSON: a list of cases, or a map with the list under `cases`, `tests` and the like."""

import json
import re
from collections.abc import Iterator

from promptci.errors import Problem
from promptci.files import lines
from promptci.goldens.formats.containers import LIST_KEYS, find_list_key
from promptci.goldens.formats.jsonl_goldens import parse_values
from promptci.goldens.model import Case

_LIST_START = re.compile(r"\s*\[")
_KEYS = ", ".join(f"`{key}`" for key in LIST_KEYS)
_BETWEEN = re.compile(r"[\s,]*")


def parse_json(path: str, text: str) -> tuple[list[Case], list[Problem]]:
    """Return the cases that can be used, and every problem of the others."""
    if not text.strip():
        return [], []
    try:
        value = lines.parse_json(text)
    except lines.JsonError as error:
        if text.lstrip().startswith("{"):
            values, problems = lines.parse_jsonl(text, path)
            if not problems:  # lines of JSON under this ending, as `Dataset.to_json` writes them
                return parse_values(path, values, problems), problems
        return [], [Problem(path=path, message=error.message, hint=error.hint)]
    key = find_list_key(value)
    start = _LIST_START.match(text)
    if key is not None:
        value, start = value[key], re.search(rf'"{key}"\s*:\s*\[', text)
    if not isinstance(value, list):
        message = f"golden cases in JSON must be a list, or a map with only that list under {_KEYS}"
        return [], [Problem(path=path, line=1, message=message, hint='Write [{"vars": {…}, "expected": "…"}].')]
    problems = []
    return parse_values(
        path, zip(_find_lines(text, start.end() if start else 0), value, strict=False), problems
    ), problems


def _find_lines(text: str, position: int) -> Iterator[int]:
    """Yield the line of each element of the list that begins at a position of a valid JSON text."""
    decoder = json.JSONDecoder()
    line, counted = 1, 0
    while (between := _BETWEEN.match(text, position)) and text[between.end() : between.end() + 1] not in {"]", ""}:
        element = between.end()
        line += text.count("\n", counted, element)
        counted = element
        yield line
        _, position = decoder.raw_decode(text, element)
