"""Golden cases as YAML: a list of cases, or a map with the list under `cases`."""

from functools import partial

from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.goldens import parse
from promptci.goldens.model import Case
from promptci.goldens.parse import KeyPath


def parse_yaml(path: str, text: str) -> tuple[list[Case], list[Problem]]:
    """Give the cases that can be used, and every problem of the others."""
    try:
        document = strict_yaml.load(text, path)
    except InputError as error:
        return [], list(error.problems)
    value, start = document.value, KeyPath()
    if isinstance(value, dict) and list(value) == ["cases"]:
        value, start = value["cases"], ("cases",)
    if value is None:
        return [], []
    if not isinstance(value, list):
        what = "golden cases in YAML are a list, or a map with nothing but that list under `cases`"
        return [], [Problem(path=path, line=document.line_of(), message=what, hint="Write `- id: …`.")]
    problems: list[Problem] = []
    cases = []
    for index, item in enumerate(value):
        inner = partial(_line, document, (*start, index))
        cases.append(parse.parse_case(item, path, inner(()), problems, inner))
    return [case for case in cases if case is not None], problems


def _line(document: strict_yaml.YamlDocument, start: KeyPath, place: KeyPath) -> int:
    return document.line_of((*start, *place))
