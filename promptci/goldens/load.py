"""Golden files in, a GoldenSet out; errors name file and line, and all of them at once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from promptci import redact
from promptci.errors import InputError, Problem
from promptci.files.lines import decode_utf8, limit_problems
from promptci.goldens.duplicates import describe_duplicates
from promptci.goldens.formats import GOLDEN_FORMATS
from promptci.goldens.identity import assign_ids
from promptci.goldens.model import Case, GoldenSet
from promptci.goldens.parse import find_intended_key, is_case_id

MAX_KEY_NOTES = 3
"""Lines of one file that are named for holding what looks like a key."""


def load_goldens(files: Mapping[str, bytes], extra_cases: Iterable[Case] = ()) -> GoldenSet:
    """Load the golden files of one prompt as one set; `extra_cases`, such as testData, come first.

    Raises
    ------
    InputError
        With every problem of every file, among them ids that are used twice.
    """
    cases, problems = list(extra_cases), []
    notes: list[str] = []
    for path, data in files.items():
        suffix = next((suffix for suffix in GOLDEN_FORMATS if path.endswith(suffix)), None)
        if suffix is None:
            hint = f"Golden files end with {', '.join(GOLDEN_FORMATS)}. Rename the file, or narrow `prompts.goldens`."
            problems.append(
                Problem(path=path, message="the file matches `prompts.goldens` but has no known ending", hint=hint)
            )
            continue
        try:
            text = decode_utf8(data, path)
            file_cases, file_problems = GOLDEN_FORMATS[suffix](path, text)
        except InputError as error:
            problems += error.problems
        else:
            cases += file_cases
            problems += limit_problems(file_problems, path)
            notes += _find_secrets(text, path)
    if problems := [*problems, *_find_duplicate_ids(cases)]:
        raise InputError(problems)
    notes += describe_duplicates(cases)
    return GoldenSet(paths=tuple(files), cases=tuple(assign_ids(cases)), notes=tuple(notes))


def cases_from_test_data(path: str, items: Sequence[Mapping[str, Any]], lines: Sequence[int]) -> list[Case]:
    """Return the cases of a prompt file's testData: every key is a variable, `expected` also the expectation.

    An item's `id` is a variable too, as in GitHub's format, and names the case where it can.
    """
    return [
        Case(
            id=case_id or "",
            has_written_id=case_id is not None,
            vars=dict(item),
            expected=item.get("expected"),
            path=path,
            line=line,
        )
        for item, line in zip(items, lines, strict=True)
        for case_id in [_written_id(item)]
    ]


def find_test_data_slips(
    path: str, items: Sequence[Mapping[str, Any]], lines: Sequence[int], used: Iterable[str]
) -> list[Problem]:
    """Return a problem for each key that looks like `expected` and that no message uses: nothing would check it."""
    used = set(used)
    return [
        Problem(
            path=path,
            line=line,
            message=f"`{key}` would be a variable that no message uses, but looks like `expected`",
            hint="Write `expected`, or take it out.",
        )
        for item, line in zip(items, lines, strict=True)
        for key in item
        if key not in used and find_intended_key(key, ("expected",))
    ]


def _find_secrets(text: str, path: str) -> list[str]:
    """Name the first lines that hold what looks like a key: goldens are copied from logs, and git forgets nothing."""
    if not redact.looks_like_key(text):
        return []
    numbers = [number for number, line in enumerate(text.split("\n"), start=1) if redact.looks_like_key(line)]
    hint = "The report redacts it. Revoke the key, and remove it from git."
    return [f"{path}:{number}: this looks like a key. {hint}" for number in numbers[:MAX_KEY_NOTES]]


def _written_id(item: Mapping[str, Any]) -> str | None:
    value = item.get("id")
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value.strip() if isinstance(value, str) and is_case_id(value) else None


def _find_duplicate_ids(cases: Iterable[Case]) -> list[Problem]:
    first_by_id: dict[str, Case] = {}
    problems = []
    for case in cases:
        if not case.has_written_id:
            continue
        first = first_by_id.setdefault(case.id, case)
        if first is not case:
            message = f"the id `{case.id}` is already used at {first.path}:{first.line}"
            hint = "Give every case its own id, or leave ids out: the variables identify the case then."
            problems.append(Problem(path=case.path, line=case.line, message=message, hint=hint))
    return problems
