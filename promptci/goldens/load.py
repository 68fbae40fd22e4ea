"""Golden files in, a GoldenSet out; errors name file and line, and all of them at once."""

import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from promptci import redact
from promptci.errors import InputError, Problem
from promptci.files.lines import decode_utf8, limit_problems
from promptci.goldens.duplicates import describe_duplicates
from promptci.goldens.formats import BINARY_FORMATS, GOLDEN_FORMATS
from promptci.goldens.identity import assign_ids
from promptci.goldens.images import find_images
from promptci.goldens.large.golden_stream import MAX_KEY_LINES, STREAMS, stream_goldens
from promptci.goldens.large.stored_variables import VariableStore
from promptci.goldens.model import Case, GoldenSet
from promptci.goldens.parse import find_intended_key, is_case_id, parse_case

SUFFIXES = (*GOLDEN_FORMATS, *BINARY_FORMATS)
MAX_BYTES_IN_MEMORY = 4 * 2**20
"""Size of all golden files of a prompt, up to which their cases are in memory."""
MAX_WHOLE_BYTES = 16 * 2**20
"""Of a file in a format that is not read as a stream."""


def load_goldens(files: Mapping[str, bytes | IO[bytes]], extra_cases: Iterable[Case] = ()) -> GoldenSet:
    """Load the golden files of one prompt as one set; `extra_cases`, such as testData, come first.

    A file may be given open. Where the files are large together, they are read as a stream, and the variables of
    their cases stay on disk.

    Raises
    ------
    InputError
        With every problem of every file, among them ids that are used twice.
    """
    cases, problems = list(extra_cases), []
    notes: list[str] = []
    store = VariableStore() if sum(map(_size, files.values())) > MAX_BYTES_IN_MEMORY else None
    for path, source in files.items():
        suffix = next((suffix for suffix in SUFFIXES if path.endswith(suffix)), None)
        if suffix is None:
            problems.append(_describe_ending(path))
            continue
        try:
            if store is not None and suffix in STREAMS:
                file = io.BytesIO(source) if isinstance(source, bytes) else source
                streamed = stream_goldens(path, file, suffix, store)
                cases += streamed.cases
                problems += limit_problems(streamed.problems, path)
                notes += [_describe_key(path, number) for number in streamed.key_lines]
                continue
            data = _read_whole(path, source, suffix)
            if suffix in BINARY_FORMATS:
                file_cases, file_problems = BINARY_FORMATS[suffix](path, data)
                text = "\n".join(json.dumps(dict(case.vars), ensure_ascii=False) for case in file_cases)
            else:
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


def _describe_ending(path: str) -> Problem:
    hint = f"Golden files end with {', '.join(SUFFIXES)}. Rename the file, or narrow `prompts.goldens`."
    if path.endswith(".arrow"):
        hint = "Save the data set with `to_json` or `to_parquet`, which promptci reads; Arrow files it does not."
    return Problem(path=path, message="the file matches `prompts.goldens` but has no known ending", hint=hint)


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
            images=find_images(item),
            path=path,
            line=line,
        )
        for item, line in zip(items, lines, strict=True)
        for case_id in [_written_id(item)]
    ]


def parse_own_cases(path: str, items: Sequence[Mapping[str, Any]]) -> list[Case]:
    """Return the cases that a prompt file holds in the form of golden files; raise InputError with every mistake."""
    problems: list[Problem] = []
    cases = [parse_case(item, path, 1, problems) for item in items]
    if problems:
        raise InputError(problems)
    return [case for case in cases if case is not None]


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
    return [_describe_key(path, number) for number in numbers[:MAX_KEY_LINES]]


def _describe_key(path: str, number: int) -> str:
    return f"{path}:{number}: this looks like a key. The report redacts it. Revoke the key, and remove it from git."


def _size(source: bytes | IO[bytes]) -> int:
    if isinstance(source, bytes):
        return len(source)
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    return size


def _read_whole(path: str, source: bytes | IO[bytes], suffix: str) -> bytes:
    """Return the content of a file whose format cannot be streamed, or that is small."""
    if _size(source) > MAX_WHOLE_BYTES:
        message = f"a {suffix} file of goldens can have at most {MAX_WHOLE_BYTES // 2**20} MiB"
        hint = "Save it as JSON Lines, which are read as a stream."
        raise InputError([Problem(path=path, message=message, hint=hint)])
    return source if isinstance(source, bytes) else source.read()


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
