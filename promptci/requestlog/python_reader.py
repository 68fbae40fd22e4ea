"""Read a log file line by line: where duckdb is not installed, and for files with odd bytes."""

from collections.abc import Iterator
from pathlib import Path

from promptci.errors import Problem
from promptci.files.lines import JsonError
from promptci.requestlog import line
from promptci.requestlog.batch import LogBatch, WantedRequests, keep_selected
from promptci.requestlog.columns import (
    NO_POINT,
    RequestColumns,
    Texts,
    columns_of,
    concatenate_columns,
    mark_columns_of,
)
from promptci.requestlog.model import LateMark, Observation
from promptci.runtime import point

MAX_LINE_BYTES = 1024 * 1024
"""Bytes of one line; a longer one is bad."""
MAX_PARSED = 10_000
"""Requests that are kept as objects, which take more memory than columns."""
MAX_PROBLEMS = 20
"""Bad lines that are named."""


class LineParser:
    """Parses lines into requests and marks, and names the bad ones."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)
        self.requests: list[Observation] = []
        self.numbers: list[int] = []
        """The lines of `requests`."""
        self.marks: list[LateMark] = []
        self.problems: list[Problem] = []
        self.invalid_lines = 0

    def parse(self, number: int, raw: bytes) -> None:
        """Parse one line."""
        try:
            if len(raw) > MAX_LINE_BYTES:
                message = f"the line is over {MAX_LINE_BYTES:,} bytes"
                raise JsonError(message, "Leave messages and answers out of the log.")  # noqa: TRY301 - one place names
            parsed = line.parse_line(raw.decode("utf-8"))
        except UnicodeDecodeError:
            self._refuse(number, "the line is not UTF-8", "Write UTF-8.")
        except JsonError as error:
            self._refuse(number, error.message, error.hint)
        else:
            if isinstance(parsed, LateMark):
                self.marks.append(parsed)
            else:
                self.requests.append(parsed)
                self.numbers.append(number)

    def _refuse(self, number: int, message: str, hint: str) -> None:
        self.invalid_lines += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(Problem(path=self._path, line=number, message=message, hint=hint))


def read_file(path: Path, selection: WantedRequests, texts: Texts) -> LogBatch:
    """Read a file."""
    parser = LineParser(path)
    parts: list[RequestColumns] = []
    lines = 0
    for number, raw in read_lines(path):
        lines += 1
        parser.parse(number, raw)
        if len(parser.requests) == MAX_PARSED:
            parts.append(_take_columns(parser, selection, texts))
    parts.append(_take_columns(parser, selection, texts))
    return LogBatch(
        requests=concatenate_columns(parts, texts),
        marks=mark_columns_of(parser.marks, texts),
        lines=lines,
        invalid_lines=parser.invalid_lines,
        problems=tuple(parser.problems),
    )


def _take_columns(parser: LineParser, selection: WantedRequests, texts: Texts) -> RequestColumns:
    """Return the requests that were parsed since the last call."""
    requests, parser.requests, parser.numbers = parser.requests, [], []
    return keep_selected(columns_of(requests, texts, points_of(requests, selection)), selection)


def points_of(requests: list[Observation], selection: WantedRequests) -> list[int]:
    """Return the point of each request's key under the salt of its prompt."""
    salts = selection.salts
    return [
        point(salts[each.prompt], each.key) if each.key is not None and each.prompt in salts else NO_POINT
        for each in requests
    ]


def read_lines(path: Path) -> Iterator[tuple[int, bytes]]:
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
