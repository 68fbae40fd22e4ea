"""Golden cases as JSON lines: one case a line, blank lines between them allowed."""

from promptci.errors import Problem
from promptci.files import lines
from promptci.goldens import parse
from promptci.goldens.model import Case


def read(path: str, text: str) -> tuple[list[Case], list[Problem]]:
    """Give the cases that can be used, and every problem of the others."""
    values, problems = lines.read_jsonl(text, path)
    cases = [parse.case(value, path, line, problems) for line, value in values]
    return [case for case in cases if case is not None], problems
