"""Golden cases as JSON lines: one case a line, blank lines between them allowed."""

import json
from dataclasses import replace

from promptci.errors import Problem
from promptci.files import lines
from promptci.goldens import parse
from promptci.goldens.model import Assertion, Case

MAX_SHARED = 1000
"""Different lists of assertions of one file."""


def parse_jsonl(path: str, text: str) -> tuple[list[Case], list[Problem]]:
    """Give the cases that can be used, and every problem of the others."""
    values, problems = lines.parse_jsonl(text, path)
    known: dict[str, tuple[Assertion, ...]] = {}
    cases = (parse.parse_case(value, path, line, problems) for line, value in values)
    return [_sharing(case, known) for case in cases if case is not None], problems


def _sharing(case: Case, known: dict[str, tuple[Assertion, ...]]) -> Case:
    """Give the case with the assertions of an earlier one, where these are the same: they may take more room than it.

    Many cases share a few; where each has its own, no more than some are looked up.
    """
    named = [[*assertion.content, assertion.name] for assertion in case.assertions]
    written = json.dumps(named)
    if written not in known and len(known) < MAX_SHARED:
        known[written] = case.assertions
    return replace(case, assertions=known.get(written, case.assertions))
