"""Golden cases as JSON lines: one case on each line; blank lines are skipped."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

from promptci.errors import Problem
from promptci.files import lines
from promptci.goldens import parse
from promptci.goldens.model import Assertion, Case

MAX_SHARED = 1000
"""Distinct lists of assertions of one file that are kept for sharing."""


def parse_jsonl(path: str, text: str) -> tuple[list[Case], list[Problem]]:
    """Return the cases that can be used, and every problem of the others."""
    values, problems = lines.parse_jsonl(text, path)
    if problems and _is_one_json_value(text):
        message = "the whole file is one JSON value, and this format has one object on each line"
        hint = "Rename the file to end with .json, or write each case on a line of its own."
        return [], [Problem(path=path, line=1, message=message, hint=hint)]
    return parse_values(path, values, problems), problems


def _is_one_json_value(text: str) -> bool:
    if not text.lstrip().startswith(("[", "{")) or "\n" not in text.strip():
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def parse_values(path: str, values: Iterable[tuple[int, object]], problems: list[Problem]) -> list[Case]:
    """Return the cases of (line, value) pairs, and add each mistake to `problems`."""
    return list(iterate_values(path, values, problems))


def iterate_values(path: str, values: Iterable[tuple[int, object]], problems: list[Problem]) -> Iterator[Case]:
    """Yield the cases of (line, value) pairs, and add each mistake to `problems`."""
    shared: dict[str, tuple[Assertion, ...]] = {}
    cases = (parse.parse_case(value, path, line, problems) for line, value in values)
    return (_share_assertions(case, shared) for case in cases if case is not None)


def _share_assertions(case: Case, shared: dict[str, tuple[Assertion, ...]]) -> Case:
    """Return the case with the equal assertions of an earlier case: they may take more memory than the case itself.

    Many cases share a few lists; where each has its own, only the first are looked up.
    """
    if not case.assertions:
        return case
    key = json.dumps([[*assertion.content, assertion.name] for assertion in case.assertions])
    if key not in shared and len(shared) < MAX_SHARED:
        shared[key] = case.assertions
    return replace(case, assertions=shared.get(key, case.assertions))
