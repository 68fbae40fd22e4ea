"""Read a log file by DuckDB: ten times as fast as line by line, and with the same result."""

from __future__ import annotations

import codecs
import glob
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from promptci.lazy_import import lazy_import
from promptci.requestlog import duckdb_sql, python_reader
from promptci.requestlog.batch import LogBatch, WantedRequests, keep_selected
from promptci.requestlog.columns import (
    ARRAYS,
    KINDS,
    MARK_ARRAYS,
    NO_POINT,
    NO_USER,
    TEXT_ARRAYS,
    Array,
    MarkColumns,
    RequestColumns,
    Texts,
    columns_of,
    mark_columns_of,
)
from promptci.requestlog.python_reader import LineParser, points_of
from promptci.runtime import point

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = lazy_import("duckdb")

CHUNK_BYTES = 2**20
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "1GB",
    "enable_external_access": "true",
    "autoinstall_known_extensions": "false",
}


def read_file(path: Path, selection: WantedRequests, texts: Texts) -> LogBatch:
    """Read a file; one with bytes that DuckDB reads otherwise goes line by line."""
    lines = _count_lines(path)
    if lines is None or glob.has_magic(str(path)):
        return python_reader.read_file(path, selection, texts)
    with duckdb.connect(config=CONFIG) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(duckdb_sql.parse_query(), {"path": str(path)})
        return _Parsed(connection, lines, selection, texts).batch(path)


def _count_lines(path: Path) -> int | None:
    """Return the number of finished lines; None where a line has odd bytes, or is too long."""
    count = 0
    with path.open("rb") as file:
        rest = b""
        while chunk := file.read(CHUNK_BYTES):
            whole, newline, tail = (rest + chunk).rpartition(b"\n")
            # Only a line that began in an earlier chunk can be that long.
            longest = max(len(whole.partition(b"\n")[0]), len(tail))
            if longest > python_reader.MAX_LINE_BYTES or not _is_plain(whole, is_first=not count):
                return None
            count += whole.count(b"\n") + len(newline)
            rest = tail
    return count


def _is_plain(data: bytes, *, is_first: bool) -> bool:
    """Return whether DuckDB finds the same lines and texts in some whole lines."""
    if not data.isascii():
        try:
            data.decode()
        except UnicodeDecodeError:
            return False
    # DuckDB takes a carriage return for the end of a line, and leaves out a byte order mark.
    return b"\0" not in data and b"\r" not in data and not (is_first and data.startswith(codecs.BOM_UTF8))


class _Parsed:
    """The table `parsed` of one file."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, lines: int, selection: WantedRequests, texts: Texts
    ) -> None:
        self._connection, self._lines, self._selection, self._texts = connection, lines, selection, texts

    def batch(self, path: Path) -> LogBatch:
        """Return its requests and marks; the doubtful lines are parsed by Python."""
        parser = LineParser(path)
        for number, text in self._execute(duckdb_sql.DOUBTFUL).fetchall():
            parser.parse(number, text.encode())
        requests, places = self._requests()
        if parser.requests:
            added = columns_of(parser.requests, self._texts, points_of(parser.requests, self._selection))
            joined = {name: np.concatenate([getattr(requests, name), getattr(added, name)]) for name in ARRAYS}
            order = np.argsort(np.concatenate([places, np.array(parser.numbers) - 1]), kind="stable")
            requests = RequestColumns(texts=self._texts, **joined).select(order)
        ((lines,),) = self._execute(duckdb_sql.COUNT).fetchall()
        return LogBatch(
            requests=keep_selected(requests, self._selection),
            marks=self._marks(parser),
            lines=lines,
            invalid_lines=parser.invalid_lines,
            problems=tuple(parser.problems),
        )

    def _execute(self, query: str) -> duckdb.DuckDBPyConnection:
        return self._connection.execute(query, {"lines": self._lines})

    def _fetch(self, query: str) -> dict[str, Array]:
        return {name: _filled(column) for name, column in self._execute(query).fetchnumpy().items()}

    def _requests(self) -> tuple[RequestColumns, Array]:
        columns = self._fetch(duckdb_sql.REQUESTS)
        groups = self._connection.execute(duckdb_sql.GROUPS).fetchall()
        groups.sort()
        place = np.searchsorted(np.array([group[0] for group in groups], "u8"), columns["text_group"])
        arrays: dict[str, Array] = {
            name: np.array([self._texts.number_of(group[index]) for group in groups], "i4")[place]
            if groups
            else np.zeros(0, "i4")
            for index, name in enumerate(TEXT_ARRAYS, start=1)
        }
        arrays |= {
            "user": columns["user_hash"],
            "scored": columns["time"],
            "signalled": columns["time"],
            "point": self._points(columns["rowid"]),
        }
        arrays |= {name: columns[name] for name in ARRAYS if name not in arrays}
        typed = {name: column.astype(KINDS[name], copy=False) for name, column in arrays.items()}
        return RequestColumns(texts=self._texts, **typed), columns["rowid"]

    def _points(self, rows: Array) -> Array:
        points = np.full(len(rows), NO_POINT, "i8")
        cursor = self._execute(duckdb_sql.KEYS)
        while chunk := cursor.fetchmany(10_000):
            salted = [(row, self._selection.salts.get(prompt), key) for row, prompt, key in chunk]
            known = [(row, point(salt, key)) for row, salt, key in salted if salt is not None]
            points[np.searchsorted(rows, [row for row, _ in known])] = [value for _, value in known]
        return points

    def _marks(self, parser: LineParser) -> MarkColumns:
        columns, added = self._fetch(duckdb_sql.MARKS), mark_columns_of(parser.marks)
        return MarkColumns(**{name: np.concatenate([columns[name], getattr(added, name)]) for name in MARK_ARRAYS})


def _filled(column: Any) -> Array:
    """Return a column with NaN, or 0, where it is null."""
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    return np.asarray(column.filled(np.nan if column.dtype.kind == "f" else NO_USER))
