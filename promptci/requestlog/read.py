"""The request log of an application: JSON lines in one file or many, read as data."""

import glob
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from promptci.errors import InputError, Problem, UsageError
from promptci.requestlog import python_reader
from promptci.requestlog.batch import LogBatch, RequestLog, WantedRequests, join_batches
from promptci.requestlog.columnar import duckdb_reader
from promptci.requestlog.columns import Texts
from promptci.requestlog.python_reader import MAX_PROBLEMS

MAX_BYTES = 4 * 1024**3
"""Of all files together."""
MAX_REQUESTS = 2_000_000
"""Requests that are kept, and marks."""
MAX_INVALID_SHARE = 0.01
"""Share of bad lines over which a log is refused: what is lost might be of one arm more than of the other."""


def expand_patterns(patterns: Sequence[str], fix: str = "Give --log a request log, or a glob in quotes.") -> list[Path]:
    """Return the files of some paths and globs, each once; `fix` says what to do where a file is missing.

    Raises
    ------
    UsageError
        For a path without `*` that is no file. A glob may match nothing: the application may not have written yet.
    """
    files: dict[Path, None] = {}
    for pattern in patterns:
        if not glob.has_magic(pattern) and not Path(pattern).is_file():
            raise UsageError(f"There is no file `{pattern}`", fix)
        # Path.glob takes no pattern that begins at the root.
        names = glob.glob(pattern, recursive=True)  # noqa: PTH207
        files |= dict.fromkeys(path for name in names if (path := Path(name)).is_file())
    return sorted(files)


def has_duckdb() -> bool:
    """Return whether DuckDB is installed, which reads a log ten times as fast."""
    return find_spec("duckdb") is not None


def load_log(paths: Sequence[Path], selection: WantedRequests, *, use_duckdb: bool | None = None) -> RequestLog:
    """Read logs, by DuckDB where it is installed; keep the requests that are selected.

    A second line for the same request is not counted again; it only adds what the first one lacks, such as a late mark.

    Raises
    ------
    InputError
        For a file that cannot be read, too much to read, or too many bad lines.
    """
    by_duckdb = has_duckdb() if use_duckdb is None else use_duckdb
    read_file = duckdb_reader.read_file if by_duckdb else python_reader.read_file
    texts = Texts(hash_all=duckdb_reader.hash_texts) if by_duckdb else Texts()
    batches: list[LogBatch] = []
    remaining_bytes, kept = MAX_BYTES, 0
    for path in paths:
        try:
            remaining_bytes -= path.stat().st_size
            if remaining_bytes < 0:
                raise _input_error(path, f"the logs are over {MAX_BYTES:,} bytes together", "Give --log fewer days.")
            batch = read_file(path, selection, texts)
        except OSError as error:
            fix = "Correct its permissions, or leave it out."
            raise _input_error(path, f"it cannot be read: {error.strerror}", fix) from error
        batches.append(batch)
        kept += len(batch.requests) + len(batch.marks)
        if kept > MAX_REQUESTS:
            message = f"the log holds more than {MAX_REQUESTS:,} requests and marks"
            raise _input_error(path, message, "Give --log fewer days.")
    return _join(paths, batches, texts)


def _join(paths: Sequence[Path], batches: Sequence[LogBatch], texts: Texts) -> RequestLog:
    lines = sum(batch.lines for batch in batches)
    invalid_lines = sum(batch.invalid_lines for batch in batches)
    problems = tuple(problem for batch in batches for problem in batch.problems)[:MAX_PROBLEMS]
    if invalid_lines > MAX_INVALID_SHARE * lines:
        message = f"{invalid_lines:,} of {lines:,} lines are invalid, over {MAX_INVALID_SHARE:.0%}"
        fix = "Fix what writes the log; the first invalid lines follow."
        raise InputError([Problem(path=str(paths[0]), message=message, hint=fix), *problems])
    requests, repeated_lines = join_batches(batches, texts)
    return RequestLog(
        requests=requests,
        files=len(paths),
        lines=lines,
        invalid_lines=invalid_lines,
        repeated_lines=repeated_lines,
        late_lines=sum(len(batch.marks) for batch in batches),
        problems=problems,
    )


def _input_error(path: Path, message: str, fix: str) -> InputError:
    return InputError([Problem(path=str(path), message=message, hint=fix)])
