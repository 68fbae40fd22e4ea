"""The request log of an application: JSON lines in one file or many, read as a stream and as data."""

import glob
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from promptci.errors import InputError, Problem, UsageError
from promptci.files.lines import JsonError
from promptci.requestlog import line
from promptci.requestlog.model import Observation, RequestLog

MAX_LINE_BYTES = 1024 * 1024
"""Bytes of one line; a longer one is bad."""
MAX_BYTES = 4 * 1024**3
"""Of all files together."""
MAX_REQUESTS = 2_000_000
"""Requests that are kept."""
MAX_INVALID_SHARE = 0.01
"""Share of bad lines over which a log is refused: what is lost might be of one arm more than of the other."""
MAX_PROBLEMS = 20
"""Bad lines that are named."""


def expand_patterns(patterns: Sequence[str]) -> list[Path]:
    """Return the files of some paths and globs, each once.

    Raises
    ------
    UsageError
        For a path without `*` that is no file. A glob may match nothing: the application may not have written yet.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        if not glob.has_magic(pattern) and not Path(pattern).is_file():
            raise UsageError(f"There is no file `{pattern}`", "Give --log a request log, or a glob in quotes.")
        # Path.glob takes no pattern that begins at the root.
        names = glob.glob(pattern, recursive=True)  # noqa: PTH207
        found |= dict.fromkeys(path for name in names if (path := Path(name)).is_file())
    return sorted(found)


def load_log(paths: Sequence[Path], wanted: Callable[[Observation], bool]) -> RequestLog:
    """Read logs; keep the requests that are wanted.

    A line of a request that is there already is not counted again; what it knows and the earlier one did not, such as
    a mark that came late, is taken from it.

    Raises
    ------
    InputError
        For a file that cannot be read, too much to read, or too many bad lines.
    """
    heap = _LogBuilder()
    left = MAX_BYTES
    for path in paths:
        try:
            left -= path.stat().st_size
            if left < 0:
                raise _input_error(path, f"the logs are over {MAX_BYTES:,} bytes together", "Give --log fewer days.")
            for number, raw in _read_lines(path):
                heap.take(path, number, raw, wanted)
        except OSError as error:
            raise _input_error(
                path, f"it cannot be read: {error.strerror}", "Correct its permissions, or leave it out."
            ) from error
    if heap.invalid_lines > MAX_INVALID_SHARE * heap.lines:
        what = f"{heap.invalid_lines:,} of {heap.lines:,} lines are invalid, over {MAX_INVALID_SHARE:.0%}"
        fix = "Fix what writes the log; the first invalid lines follow."
        raise InputError([Problem(path=str(paths[0]), message=what, hint=fix), *heap.problems])
    return RequestLog(
        requests=tuple(sorted(heap.kept.values(), key=lambda one: (one.time, one.id))),
        files=len(paths),
        lines=heap.lines,
        invalid_lines=heap.invalid_lines,
        repeated_lines=heap.repeated_lines,
        problems=tuple(heap.problems),
    )


@dataclass(slots=True)
class _LogBuilder:
    kept: dict[tuple[str, str], Observation] = field(default_factory=dict)
    """By prompt and id."""
    problems: list[Problem] = field(default_factory=list)
    lines: int = 0
    invalid_lines: int = 0
    repeated_lines: int = 0

    def take(self, path: Path, number: int, raw: bytes, wanted: Callable[[Observation], bool]) -> None:
        self.lines += 1
        try:
            one = _parsed(raw)
        except UnicodeDecodeError:
            self.refuse(Problem(path=str(path), line=number, message="the line is not UTF-8", hint="Write UTF-8."))
        except JsonError as error:
            self.refuse(Problem(path=str(path), line=number, message=error.message, hint=error.hint))
        else:
            if wanted(one):
                self.keep(path, one)

    def refuse(self, problem: Problem) -> None:
        self.invalid_lines += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def keep(self, path: Path, one: Observation) -> None:
        before = self.kept.get((one.prompt, one.id))
        if before is not None:
            self.repeated_lines += 1
            one = _merge(before, one)
        elif len(self.kept) == MAX_REQUESTS:
            raise _input_error(path, f"the log holds more than {MAX_REQUESTS:,} requests", "Give --log fewer days.")
        self.kept[one.prompt, one.id] = one


def _parsed(raw: bytes) -> Observation:
    if len(raw) > MAX_LINE_BYTES:
        raise JsonError(f"the line is over {MAX_LINE_BYTES:,} bytes", "Leave messages and answers out of the log.")
    return line.parse_line(raw.decode("utf-8"))


def _merge(before: Observation, late: Observation) -> Observation:
    """Add what only the later line knows; what was said first stands."""
    return replace(
        before,
        quality=late.quality if before.quality is None else before.quality,
        signal=late.signal if before.signal is None else before.signal,
        cost_usd=late.cost_usd if before.cost_usd is None else before.cost_usd,
    )


def _read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that hold something, with their numbers; a last one without its end is still being written."""
    with path.open("rb") as file:
        number = 0
        while raw := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            whole = raw
            while not raw.endswith(b"\n"):
                if not (raw := file.readline(MAX_LINE_BYTES)):
                    return
            if whole.strip():
                yield number, whole.rstrip(b"\r\n") if len(whole) <= MAX_LINE_BYTES else whole


def _input_error(path: Path, what: str, fix: str) -> InputError:
    return InputError([Problem(path=str(path), message=what, hint=fix)])
