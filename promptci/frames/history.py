"""DataFrame of one kind of record on the branch promptci/history: nights, looks at canaries, alerts, audit entries."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptci.errors import InputError, Problem, UsageError
from promptci.files import gunzip
from promptci.files.lines import decode_utf8, parse_jsonl
from promptci.frames.table import build_table
from promptci.git.data_branch import find_branch
from promptci.usecases.monitoring.history_branch import KINDS

if TYPE_CHECKING:
    import pandas as pd


def load_history(kind: str, repository: str | Path = ".", remote: str = "origin") -> "pd.DataFrame":
    """Return the records of a folder of the history branch, in the order of its files; nested values stay objects.

    `kind` is the folder: `nights`, `canary`, `alerts`, `audit`, `months`. The branch is read as this clone has it;
    `promptci history fetch` brings it up to date. Empty where there is no branch or no such folder.

    Raises
    ------
    InputError
        For a line that is not a JSON object, with its file and line.
    GitError
        If `repository` is not a git repository.
    UsageError
        For a kind that there is not, or if pandas is not installed.
    """
    kinds = [each.folder for each in KINDS]
    if kind not in kinds:
        raise UsageError(f"The history has no kind `{kind}`", f"It has {', '.join(kinds)}.")
    files = find_branch(Path(repository).resolve(), remote).files()
    rows = [row for path, content in files.read_all(kind) for row in _rows(path, content)]
    return build_table(rows, times=("at",))


def _rows(path: str, content: bytes) -> list[dict[str, Any]]:
    if path.endswith(".gz"):
        try:
            content = gunzip.decompress(content)
        except ValueError as error:
            hint = "Restore it from an earlier commit."
            raise InputError([Problem(path=path, message=f"the file cannot be read: {error}", hint=hint)]) from None
    values, problems = parse_jsonl(decode_utf8(content, path), path)
    hint = "Run `promptci history check`."
    problems += [
        Problem(path=path, line=number, message="the line is not a JSON object", hint=hint)
        for number, value in values
        if not isinstance(value, dict)
    ]
    if problems:
        raise InputError(problems)
    return [value for _, value in values]
