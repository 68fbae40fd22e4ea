"""Read a log file by DuckDB: ten times as fast as line by line.

Lines that both readers take mean the same; DuckDB takes some whose JSON has a mistake, as `duckdb_sql` says.
"""

from __future__ import annotations

import codecs
import glob
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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

CHUNK_BYTES = 2**18
NUMBER_BYTES = 64
"""Of the piece before, so that a number at its end is seen whole."""
_LOWER_NO_DIGITS = bytes.maketrans(b"123456789+", b"0" * 10).lower()
"""Translates capitals to small letters, and every digit, and the sign of an exponent, to 0."""
_ODD_NUMBERS = (b"inf", b"nan", b"0" * 19, b"0e000")
"""Parts, so translated, of the numbers that `parse_json` refuses and DuckDB takes: infinite, or whole and over 64 bits.

They are refused also in an attribute that nobody reads.
"""
_BEFORE_NUMBER = tuple(bytes([sign]) for sign in b":,[- \t")
_NUMBER_START = re.compile(rb"[:,\[]\s*-?\Z")
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "1GB",
    "enable_external_access": "true",
    "autoinstall_known_extensions": "false",
}


def read_file(path: Path, selection: WantedRequests, texts: Texts) -> LogBatch:
    """Read a file; one with bytes that DuckDB reads otherwise goes line by line."""
    scan = _scan(path)
    if scan is None or glob.has_magic(str(path)):
        return python_reader.read_file(path, selection, texts)
    with duckdb.connect(config=CONFIG) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(duckdb_sql.parse_query(), {"path": str(path)})
        if scan.suspects:
            numbers = (number for number, _ in python_reader.read_lines(path))
            connection.execute(
                duckdb_sql.DOUBT, {"rows": [row for row, number in enumerate(numbers) if number in scan.suspects]}
            )
        batch = _Parsed(connection, scan, selection, texts).batch(path)
    return python_reader.read_file(path, selection, texts) if batch is None else batch


def hash_texts(values: Sequence[str | None]) -> Array:
    """Return 64 bits of each text's hash, as `parse_query` does: of the text in quotes; NO_USER for none."""
    if not values:
        return np.zeros(0, "u8")
    quoted = [None if value is None else f'"{value}"' for value in values]
    with duckdb.connect(config=CONFIG) as connection:
        hashes = connection.execute(duckdb_sql.HASHES, {"texts": quoted}).fetchnumpy()["hash"]
    return np.where([value is None for value in values], np.uint64(NO_USER), hashes).astype("u8")


@dataclass(frozen=True, slots=True)
class _Scan:
    """What the bytes of a file show."""

    lines: int
    """That are finished, blank ones too."""
    has_tail: bool
    """Whether a line is there that is still being written."""
    suspects: frozenset[int]
    """Lines, counted from 1, that may hold a number which DuckDB reads and `parse_json` refuses."""


def _scan(path: Path) -> _Scan | None:
    """Count lines; None where DuckDB would not find the same lines and texts, or where a line is too long."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    buffer = bytearray(CHUNK_BYTES)
    lines, tail = 0, bytearray()
    suspects: set[int] = set()
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(buffer):
            data = buffer if size == len(buffer) else buffer[:size]
            # DuckDB takes a carriage return for the end of a line, and leaves out a byte order mark.
            if b"\0" in data or b"\r" in data or (not lines and (tail + data[:3]).startswith(codecs.BOM_UTF8)):
                return None
            try:
                if decoder.getstate()[0] or not data.isascii():
                    decoder.decode(data)
            except UnicodeDecodeError:
                return None
            suspects.update(lines + number for number in _find_suspects(tail[-NUMBER_BYTES:] + data))
            lines += data.count(b"\n")
            first, last = data.find(b"\n"), data.rfind(b"\n")
            if len(tail) + (first if first >= 0 else size) > python_reader.MAX_LINE_BYTES:
                return None
            tail = data[last + 1 :] if last >= 0 else tail + data
    return None if decoder.getstate()[0] else _Scan(lines, bool(tail.strip()), frozenset(suspects))


def _find_suspects(data: bytearray) -> Iterator[int]:
    """Yield the lines of a piece of a file, counted from 1, that may hold a number which `parse_json` refuses."""
    translated = data.translate(_LOWER_NO_DIGITS)
    for part in _ODD_NUMBERS:
        at = translated.find(part)
        while at >= 0:
            before = translated[max(0, at - NUMBER_BYTES) : at].rstrip(b"0.")
            if before.endswith(_BEFORE_NUMBER) and _NUMBER_START.search(before):
                yield 1 + translated.count(b"\n", 0, at)
            at = translated.find(part, at + len(part))


class _Parsed:
    """The table `parsed` of one file; the rows are the lines that are not blank."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, scan: _Scan, selection: WantedRequests, texts: Texts
    ) -> None:
        self._connection, self._scan, self._selection, self._texts = connection, scan, selection, texts
        ((rows,),) = connection.execute(duckdb_sql.COUNT).fetchall()
        self._lines = rows - scan.has_tail

    def batch(self, path: Path) -> LogBatch | None:
        """Return its requests and marks; the doubtful lines are parsed by Python. None: the rows are not the lines."""
        parser = LineParser(path)
        doubtful = {row for (row,) in self._execute(duckdb_sql.DOUBTFUL).fetchall()}
        rows: dict[int, int] = {}
        if doubtful or self._lines != self._scan.lines:
            row = -1
            for row, (number, raw) in enumerate(python_reader.read_lines(path)):
                if row in doubtful:
                    rows[number] = row
                    parser.parse(number, raw)
            if row + 1 != self._lines:
                return None
        requests, places = self._requests()
        if parser.requests:
            added = columns_of(parser.requests, self._texts, points_of(parser.requests, self._selection))
            joined = {name: np.concatenate([getattr(requests, name), getattr(added, name)]) for name in ARRAYS}
            order = np.argsort(np.concatenate([places, [rows[number] for number in parser.numbers]]), kind="stable")
            requests = RequestColumns(texts=self._texts, **joined).select(order)
        return LogBatch(
            requests=keep_selected(requests, self._selection),
            marks=self._marks(parser),
            lines=self._lines,
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
        columns, added = self._fetch(duckdb_sql.MARKS), mark_columns_of(parser.marks, self._texts)
        return MarkColumns(**{name: np.concatenate([columns[name], getattr(added, name)]) for name in MARK_ARRAYS})


def _filled(column: Any) -> Array:
    """Return a column with NaN, or 0, where it is null."""
    if not isinstance(column, np.ma.MaskedArray):
        return np.asarray(column)
    return np.asarray(column.filled(np.nan if column.dtype.kind == "f" else NO_USER))
