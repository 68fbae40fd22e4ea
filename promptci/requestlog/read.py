"""The request log of an application: JSON lines in one file or many, read as a stream and as data."""

import glob
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from promptci.errors import InputError, Problem, UsageError
from promptci.files.lines import JsonError
from promptci.requestlog import line
from promptci.requestlog.model import LateMark, Observation, RequestLog

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
    files: dict[Path, None] = {}
    for pattern in patterns:
        if not glob.has_magic(pattern) and not Path(pattern).is_file():
            raise UsageError(f"There is no file `{pattern}`", "Give --log a request log, or a glob in quotes.")
        # Path.glob takes no pattern that begins at the root.
        names = glob.glob(pattern, recursive=True)  # noqa: PTH207
        files |= dict.fromkeys(path for name in names if (path := Path(name)).is_file())
    return sorted(files)


def load_log(paths: Sequence[Path], is_wanted: Callable[[Observation], bool]) -> RequestLog:
    """Read logs; keep the requests for which `is_wanted` holds.

    A second line for the same request is not counted again; it only adds what the first one lacks, such as a late mark.

    Raises
    ------
    InputError
        For a file that cannot be read, too much to read, or too many bad lines.
    """
    builder = _LogBuilder()
    remaining_bytes = MAX_BYTES
    for path in paths:
        try:
            remaining_bytes -= path.stat().st_size
            if remaining_bytes < 0:
                raise _input_error(path, f"the logs are over {MAX_BYTES:,} bytes together", "Give --log fewer days.")
            for number, raw in _read_lines(path):
                builder.take(path, number, raw, is_wanted)
        except OSError as error:
            raise _input_error(
                path, f"it cannot be read: {error.strerror}", "Correct its permissions, or leave it out."
            ) from error
    if builder.invalid_lines > MAX_INVALID_SHARE * builder.lines:
        message = f"{builder.invalid_lines:,} of {builder.lines:,} lines are invalid, over {MAX_INVALID_SHARE:.0%}"
        fix = "Fix what writes the log; the first invalid lines follow."
        raise InputError([Problem(path=str(paths[0]), message=message, hint=fix), *builder.problems])
    return RequestLog(
        requests=builder.requests(),
        files=len(paths),
        lines=builder.lines,
        invalid_lines=builder.invalid_lines,
        repeated_lines=builder.repeated_lines,
        late_lines=builder.late_lines,
        problems=tuple(builder.problems),
    )


@dataclass(slots=True)
class _LogBuilder:
    kept: dict[tuple[str, str], Observation] = field(default_factory=dict)
    """By prompt and id."""
    marks: dict[str, LateMark] = field(default_factory=dict)
    """By id."""
    problems: list[Problem] = field(default_factory=list)
    lines: int = 0
    invalid_lines: int = 0
    repeated_lines: int = 0
    late_lines: int = 0

    def requests(self) -> tuple[Observation, ...]:
        """Return the requests in the order of time, each with what came late."""
        found = [_add_mark(request, self.marks.get(request.id)) for request in self.kept.values()]
        return tuple(sorted(found, key=lambda request: (request.time, request.id)))

    def take(self, path: Path, number: int, raw: bytes, is_wanted: Callable[[Observation], bool]) -> None:
        self.lines += 1
        try:
            observation = _parse_raw(raw)
        except UnicodeDecodeError:
            self.refuse(Problem(path=str(path), line=number, message="the line is not UTF-8", hint="Write UTF-8."))
        except JsonError as error:
            self.refuse(Problem(path=str(path), line=number, message=error.message, hint=error.hint))
        else:
            if isinstance(observation, LateMark):
                self.late_lines += 1
                self.keep_mark(path, observation)
            elif is_wanted(observation):
                self.keep(path, observation)

    def refuse(self, problem: Problem) -> None:
        self.invalid_lines += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def keep_mark(self, path: Path, mark: LateMark) -> None:
        """Keep the earliest of each kind, so that a later one changes nothing that was decided before."""
        before = self.marks.get(mark.id)
        if before is not None:
            first, second = sorted((before, mark), key=lambda each: each.time)
            mark = replace(
                first,
                quality=second.quality if first.quality is None else first.quality,
                signal=second.signal if first.signal is None else first.signal,
                cost_usd=second.cost_usd if first.cost_usd is None else first.cost_usd,
            )
        elif len(self.marks) == MAX_REQUESTS:
            raise _input_error(path, f"the log holds more than {MAX_REQUESTS:,} late marks", "Give --log fewer days.")
        self.marks[mark.id] = mark

    def keep(self, path: Path, observation: Observation) -> None:
        before = self.kept.get((observation.prompt, observation.id))
        if before is not None:
            self.repeated_lines += 1
            observation = _merge(before, observation)
        elif len(self.kept) == MAX_REQUESTS:
            raise _input_error(path, f"the log holds more than {MAX_REQUESTS:,} requests", "Give --log fewer days.")
        self.kept[observation.prompt, observation.id] = observation


def _parse_raw(raw: bytes) -> Observation | LateMark:
    if len(raw) > MAX_LINE_BYTES:
        raise JsonError(f"the line is over {MAX_LINE_BYTES:,} bytes", "Leave messages and answers out of the log.")
    return line.parse_line(raw.decode("utf-8"))


def _merge(before: Observation, late: Observation) -> Observation:
    """Add what only the later line knows; earlier values win."""
    return replace(
        before,
        quality=late.quality if before.quality is None else before.quality,
        signal=late.signal if before.signal is None else before.signal,
        cost_usd=late.cost_usd if before.cost_usd is None else before.cost_usd,
    )


def _add_mark(request: Observation, mark: LateMark | None) -> Observation:
    """Add what came late, where it was not known at once."""
    if mark is None:
        return request
    late = max(mark.time, request.time)
    if request.quality is None and mark.quality is not None:
        request = replace(request, quality=mark.quality, scored=late)
    if request.signal is None and mark.signal is not None:
        request = replace(request, signal=mark.signal, signalled=late)
    return request if request.cost_usd is not None else replace(request, cost_usd=mark.cost_usd)


def _read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the lines that are not blank, with their numbers; an unterminated last line is still being written."""
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


def _input_error(path: Path, message: str, fix: str) -> InputError:
    return InputError([Problem(path=str(path), message=message, hint=fix)])
