"""Show where two JSON answers differ, by path, and which reasons repeat the expectation. Pure."""

import json
from collections.abc import Iterator
from itertools import islice, zip_longest

from promptci.present import escape
from promptci.report.model.case import CaseView, MarkView

MAX_JSON_PATHS = 10
MAX_JSON_VALUE_CHARS = 100
_ABSENT = object()


def repeats_expectation(mark: MarkView, case: CaseView) -> bool:
    """Return whether an assertion's reason says no more than the expectation and the answer, which stand above it."""
    return mark.type == "equals" or (mark.type == "one-of" and case.expected is not None)


def changed_json_paths(before: str, after: str) -> Iterator[str]:
    """Return the values that differ between two JSON answers, by path; nothing for other texts."""
    try:
        values = json.loads(before), json.loads(after)
    except (ValueError, RecursionError):
        return
    if all(isinstance(value, dict | list) for value in values):
        yield from islice(_json_differences("$", *values), MAX_JSON_PATHS)


def _json_differences(path: str, before: object, after: object) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _json_differences(f"{path}.{key}", before.get(key, _ABSENT), after.get(key, _ABSENT))
    elif isinstance(before, list) and isinstance(after, list):
        for i, (old, new) in enumerate(zip_longest(before, after, fillvalue=_ABSENT)):
            yield from _json_differences(f"{path}[{i}]", old, new)
    elif before != after or type(before) is not type(after):
        yield f"{path}: {_spell(before)} → {_spell(after)}"


def _spell(value: object) -> str:
    text = "(absent)" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
    return escape.shorten(text, MAX_JSON_VALUE_CHARS)
