"""Golden cases as YAML: a list of cases, or a map with the list under `cases`.

Scalars of variables and expectations are the text as written: `+49151…` stays a phone number and `1.10` keeps its zero.
"""

from functools import partial
from typing import Any

from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.goldens import parse
from promptci.goldens.formats.containers import find_list_key
from promptci.goldens.model import Case
from promptci.goldens.parse import KeyPath

TYPED_KEYS = {"assert", "critical", "weight", "tags", "metadata"}
"""Keys whose numbers and booleans are meant as such."""


def parse_yaml(path: str, text: str) -> tuple[list[Case], list[Problem]]:
    """Return the cases that can be used, and every problem of the others."""
    try:
        document = strict_yaml.load(text, path)
    except InputError as error:
        return [], list(error.problems)
    value, start = document.value, KeyPath()
    if (key := find_list_key(value)) is not None:
        value, start = value[key], (key,)
    if value is None:
        return [], []
    if not isinstance(value, list):
        message = "golden cases in YAML must be a list, or a map with only that list under `cases`"
        return [], [Problem(path=path, line=document.line_of(), message=message, hint="Write `- vars: {…}`.")]
    problems: list[Problem] = []
    cases = []
    for index in range(len(value)):
        find_line = partial(_find_line, document, (*start, index))
        item = _as_written(document, value[index], (*start, index))
        cases.append(parse.parse_case(item, path, find_line(()), problems, find_line))
    return [case for case in cases if case is not None], problems


def _as_written(document: strict_yaml.YamlDocument, item: Any, place: KeyPath) -> Any:
    if not isinstance(item, dict):
        return item
    return {
        key: value if key in TYPED_KEYS or value is None else document.as_written((*place, key))
        for key, value in item.items()
    }


def _find_line(document: strict_yaml.YamlDocument, start: KeyPath, place: KeyPath) -> int:
    return document.line_of((*start, *place))
