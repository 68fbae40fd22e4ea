"""Files in, a GoldenSet out; errors name file and line, and all of them at once."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from promptci import redact
from promptci.errors import InputError, Problem
from promptci.files.lines import MAX_PROBLEMS, decode_utf8
from promptci.goldens import parse
from promptci.goldens.formats import GOLDEN_FORMATS
from promptci.goldens.model import Case, GoldenSet

SIDE_FILE = re.compile(r"\.(labels|quarantine)\.[^/]*$")
"""Files that stand beside goldens and are none."""
MAX_KEY_NOTES = 3
"""Lines of one file that are named for holding what looks like a key."""


def find_golden_files(
    glob: Callable[[str], list[str]], pattern: str, name: str, escaped: Callable[[str], str]
) -> list[str]:
    """Give the golden files of the prompt `name`; `*.labels.*` and `*.quarantine.*` are none."""
    return [path for path in glob(pattern.replace("{name}", escaped(name))) if not SIDE_FILE.search(path)]


def load_goldens(files: Mapping[str, bytes], more: Iterable[Case] = ()) -> GoldenSet:
    """Read the golden files of one prompt into one set; `more` cases, such as testData, come first.

    Raises
    ------
    InputError
        With every problem of every file, ids used twice among them.
    """
    cases, problems = list(more), []
    notes: list[str] = []
    for path, data in files.items():
        suffix = next((suffix for suffix in GOLDEN_FORMATS if path.endswith(suffix)), None)
        if suffix is None:
            fix = f"Golden files end with {', '.join(GOLDEN_FORMATS)}; rename it, or narrow `prompts.goldens`."
            problems.append(Problem(path=path, message="this matches `prompts.goldens` but cannot be read", hint=fix))
            continue
        try:
            text = decode_utf8(data, path)
            found, wrong = GOLDEN_FORMATS[suffix](path, text)
        except InputError as error:
            problems += error.problems
        else:
            cases += found
            problems += limit_problems(wrong, path)
            notes += _find_secrets(text, path)
    if problems := [*problems, *_find_duplicate_ids(cases)]:
        raise InputError(problems)
    return GoldenSet(paths=tuple(files), cases=tuple(cases), notes=tuple(notes))


def cases_from_test_data(path: str, items: Sequence[Mapping[str, Any]], lines: Sequence[int]) -> list[Case]:
    """Make cases of a prompt file's testData: every key is a variable, `expected` also the expectation.

    An item's `id` names its case; without one its place does.
    """
    return [
        Case(
            id=_own_id(item) or f"testData-{index}",
            vars=dict(item),
            expected=item.get("expected"),
            path=path,
            line=line,
        )
        for index, (item, line) in enumerate(zip(items, lines, strict=True), start=1)
    ]


def _find_secrets(text: str, path: str) -> list[str]:
    """Name the first lines that hold what looks like a key: goldens are copied from logs, and git forgets nothing."""
    if not redact.looks_like_key(text):
        return []
    found = [number for number, line in enumerate(text.split("\n"), start=1) if redact.looks_like_key(line)]
    fix = "It is taken out of what is written here; take it out of git, too, and revoke it."
    return [f"{path}:{number}: this looks like a key. {fix}" for number in found[:MAX_KEY_NOTES]]


def _own_id(item: Mapping[str, Any]) -> str | None:
    """Give an item's `id` where it can serve as one; in GitHub's format it is a variable like any other."""
    value = item.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) and parse.is_case_id(value) else None


def limit_problems(problems: list[Problem], path: str) -> list[Problem]:
    """Keep a list of problems readable: a file of another kind has one for every line."""
    more = len(problems) - MAX_PROBLEMS
    if more <= 0:
        return problems
    rest = Problem(path=path, message=f"there are {more} more problems in this file", hint="Mend these first.")
    return [*sorted(problems, key=lambda p: p.line or 0)[:MAX_PROBLEMS], rest]


def _find_duplicate_ids(cases: Iterable[Case]) -> list[Problem]:
    first: dict[str, Case] = {}
    problems = []
    for case in cases:
        other = first.setdefault(case.id, case)
        if other is not case:
            what = f"the id `{case.id}` is used already, at {other.path}:{other.line}"
            fix = "Give every case an id of its own; it pairs the case with itself over time."
            problems.append(Problem(path=case.path, line=case.line, message=what, hint=fix))
    return problems
