"""Golden cases as YAML: a list of cases, or a map with the list under `cases`."""

from promptci.errors import InputError, Problem
from promptci.files import strict_yaml
from promptci.goldens import parse
from promptci.goldens.model import Case


def read(path: str, text: str) -> tuple[list[Case], list[Problem]]:
    """Give the cases that can be used, and every problem of the others."""
    try:
        document = strict_yaml.load(text, path)
    except InputError as error:
        return [], list(error.problems)
    under = isinstance(document.value, dict)
    value = document.value.get("cases") if under else document.value
    if value is None and not under:
        return [], []
    if not isinstance(value, list):
        what = "golden cases in YAML are a list, or a map with a list under `cases`"
        return [], [Problem(path=path, line=1, what=what, fix="Write `- id: …`.")]
    problems: list[Problem] = []
    start: tuple[str | int, ...] = ("cases",) if under else ()
    cases = [parse.case(item, path, document.line((*start, i)), problems) for i, item in enumerate(value)]
    return [case for case in cases if case is not None], problems
