"""Log files of any format -> one DuckDB database with the tables `requests` and `marks`."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from promptci.errors import InputError, Problem
from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.requestlog.clock import latest_time
from promptci.requestlog.formats.open_log import input_error, open_log
from promptci.requestlog.formats.otlp_json import OTLP
from promptci.requestlog.formats.sniff import LogFormat
from promptci.requestlog.formats.text_lines import BROKEN_GZIP, is_packed
from promptci.requestlog.formats.typed import COLUMNS, rows_query

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = lazy_import("duckdb")

MAX_PROBLEMS = 20
"""Bad lines that are named."""
MAX_BAD_SHARE = 0.01
"""Share of bad lines over which a log is refused: what is lost might be of one arm more than of the other."""
CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "1GB",
    "autoinstall_known_extensions": "false",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class LogFileRead:
    """What one file held."""

    path: Path
    format: str
    bytes: int
    lines: int
    """That are not blank."""
    bad: int
    other: int
    """Lines that are no request of a prompt."""
    late: int
    problems: tuple[Problem, ...]
    """The first of the bad lines."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileTimes:
    """What shows only when all files are read."""

    newest: datetime | None = None
    """Time of the newest request or mark, in UTC."""
    repeated: int = 0
    """Lines of a request that is in the log already."""
    unmatched: int = 0
    """Marks whose request is not in the log."""


class LogDatabase:
    """The tables `requests` and `marks`, in a folder that is removed at the end."""

    def __init__(self, names: Mapping[str, str] | None = None, now: datetime | None = None) -> None:
        """Open an empty database; `names` are a repository's own names of fields, and what is after `now` is bad."""
        self._names, self._latest = names or {}, now and latest_time(now)
        self._stack = ExitStack()
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="promptci-log-")))
        self._copies = folder / "copies"
        self._copies.mkdir()
        config = {**CONFIG, "temp_directory": str(folder / "spill")}
        self.connection = self._stack.enter_context(duckdb.connect(str(folder / "log.duckdb"), config=config))
        self.connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")
        typed = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
        self.connection.execute(f"create table log (file integer, what varchar, reason varchar, {typed})")
        self.files: list[LogFileRead] = []
        self._direct: dict[int, str] = {}
        """Of files by number: the query for their rows, which are all requests and are not copied."""
        self._newest: dict[int, datetime] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def read(self, paths: Sequence[Path]) -> None:
        """Read files, and match marks with requests by their second ids.

        Raises
        ------
        InputError
            For a file that cannot be read, whose format is unknown, or with too many bad lines.
        """
        for path in paths:
            try:
                self.files.append(self._read(path))
            except BROKEN_GZIP as error:
                fix = "Check that the file is whole: one that is still being packed or copied is not."
                raise input_error(path, f"it cannot be unpacked: {error}", fix) from error
            except OSError as error:
                fix = "Correct its permissions, or leave it out."
                raise input_error(path, f"it cannot be read: {error.strerror}", fix) from error
            except duckdb.Error as error:
                fix = "Check that the file is whole and as its system wrote it."
                raise input_error(path, f"it cannot be read: {str(error).splitlines()[0][:200]}", fix) from error
        _refuse_bad(self.files, self.problems)
        self._view_requests()
        if _has_repeats(self.connection):
            self._store_direct()
            self.connection.execute(_REPEATS)
            self._view_requests()
        self.connection.execute(_MARKS)

    def _view_requests(self) -> None:
        names = ", ".join(COLUMNS)
        parts = [f"select file, {names} from log where what = 'request'"]  # noqa: S608 - our own
        parts += [f"select {file}, {names} from ({query})" for file, query in self._direct.items()]  # noqa: S608 - quoted
        self.connection.execute(f"create or replace view requests as {' union all '.join(parts)}")

    def _store_direct(self) -> None:
        """Copy the rows of files that are read where they are."""
        for file, query in self._direct.items():
            self.connection.execute(f"insert into log select {file}, * from ({query})")  # noqa: S608 - quoted
        self._direct.clear()

    def coverage(self) -> list[tuple[LogFileRead, FileTimes]]:
        """Return what was read of each file."""
        rows = self.connection.execute(_COVERAGE).fetchall()
        times = {number: FileTimes(newest=newest) for number, newest in self._newest.items()}
        times |= {file: FileTimes(newest=newest, repeated=again, unmatched=lost) for file, newest, again, lost in rows}
        return [(each, times.get(number, FileTimes())) for number, each in enumerate(self.files)]

    @property
    def has_marks(self) -> bool:
        """Return whether something became known later."""
        ((has_marks,),) = self.connection.execute("select exists (from marks where request is not null)").fetchall()
        return bool(has_marks)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return the first of the bad lines of all files."""
        return tuple(problem for each in self.files for problem in each.problems)[:MAX_PROBLEMS]

    def _read(self, path: Path) -> LogFileRead:
        log_format, source = open_log(path, self.connection, self._copies, self._names)
        query = rows_query(source, log_format.dialect.with_columns(self._names), self._latest)
        if log_format.container == "Parquet" and (read := self._read_direct(path, log_format, query)):
            return read
        ((start,),) = self.connection.execute("select coalesce(max(rowid) + 1, 0) from log").fetchall()
        self.connection.execute(f"insert into log select {len(self.files)}, * from ({query})")  # noqa: S608 - quoted
        counted = self.connection.execute(
            "select what, count(*) from log where rowid >= ? group by what", [start]
        ).fetchall()
        counts = dict(counted)
        problems, rejected = _find_bad_rows(self.connection, path, log_format, start)
        unfinished = _drop_unfinished(self.connection, path, log_format, problems)
        bad = counts.get("bad", 0) + rejected - unfinished
        return LogFileRead(
            path=path,
            format=str(log_format),
            bytes=path.stat().st_size,
            lines=sum(count for kind, count in counts.items() if kind != "blank") + rejected - unfinished,
            bad=bad,
            other=counts.get("other", 0),
            late=counts.get("mark", 0),
            problems=tuple(problems[:MAX_PROBLEMS]),
        )

    def _read_direct(self, path: Path, log_format: LogFormat, query: str) -> LogFileRead | None:
        """Check a file that can be read where it is; None: not all of its rows are requests."""
        counted = f"select count(*), count_if(what = 'request'), max(time) from ({query})"  # noqa: S608 - quoted
        ((lines, requests, newest),) = self.connection.execute(counted).fetchall()
        if lines != requests or not lines:
            return None
        number, size = len(self.files), path.stat().st_size
        self._direct[number], self._newest[number] = query, newest
        return LogFileRead(
            path=path, format=str(log_format), bytes=size, lines=lines, bad=0, other=0, late=0, problems=()
        )


def _refuse_bad(files: Sequence[LogFileRead], problems: Sequence[Problem]) -> None:
    bad, lines = (sum(getattr(each, name) for each in files) for name in ("bad", "lines"))
    if bad > MAX_BAD_SHARE * lines:
        message = f"{bad:,} of {lines:,} lines are invalid, over {MAX_BAD_SHARE:.0%}"
        fix = "Fix what writes the log; the first invalid lines follow."
        path = next(each.path for each in files if each.bad)
        raise InputError([Problem(path=str(path), message=message, hint=fix), *problems])


def _has_repeats(connection: duckdb.DuckDBPyConnection) -> bool:
    """Return whether some request has a second line, which only adds what the first one lacks."""
    counted = "select count(*), count(distinct hash(prompt, request)) from requests"
    ((requests, unique),) = connection.execute(counted).fetchall()
    return bool(requests != unique)


def _find_bad_rows(
    connection: duckdb.DuckDBPyConnection, path: Path, log_format: LogFormat, start: int
) -> tuple[list[Problem], int]:
    """Return the first bad rows, and how many rows DuckDB itself rejected."""
    hint = "Correct what writes it, or leave it out."
    first = 2 if log_format.container == "CSV" else 1
    query = "select rowid - ? + ?, reason from log where rowid >= ? and what = 'bad' order by rowid limit ?"
    rows = connection.execute(query, [start, first, start, MAX_PROBLEMS + 1]).fetchall()
    # Spans and items of an array have no line of their own.
    has_lines = log_format.container in ("JSON lines", "CSV", "Parquet") and log_format.dialect is not OTLP
    problems = [
        Problem(path=str(path), line=row if has_lines else None, message=reason, hint=hint) for row, reason in rows
    ]
    if log_format.container != "CSV":
        return problems, 0
    rejects = "select line, min(error_message) from reject_errors group by line order by line"
    rejected = connection.execute(rejects).fetchall()
    connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
    problems += [
        Problem(path=str(path), line=row, message=text.splitlines()[0], hint=hint)
        for row, text in rejected[:MAX_PROBLEMS]
    ]
    return problems, len(rejected)


def _drop_unfinished(
    connection: duckdb.DuckDBPyConnection, path: Path, log_format: LogFormat, problems: list[Problem]
) -> int:
    """Return 1 where the last line is still being written; it is not a bad one."""
    if log_format.container != "JSON lines" or not problems:
        return 0
    ((kind, last),) = connection.execute(
        "select what, rowid from log where rowid = (select max(rowid) from log)"
    ).fetchall()
    if kind != "bad" or _ends_with_newline(path):
        return 0
    connection.execute("update log set what = 'blank' where rowid = ?", [last])
    if len(problems) <= MAX_PROBLEMS:
        problems.pop()
    return 1


_MARKS = """
    create table marks as
    with singles as (
        select second_id, min(request) as request from requests
        where second_id is not null
            and second_id in (select second_id from log where what = 'mark' and second_id is not null)
        group by second_id having count(distinct request) = 1),
    wanted as (select * from log where what = 'mark'
        or what = 'repeat' and (quality is not null or signal is not null or cost_usd is not null)),
    known as (select distinct request from requests where request in (select request from wanted))
    select wanted.file, wanted.what, wanted.time, coalesce(known.request, singles.request) as request,
        wanted.quality, wanted.signal, wanted.cost_usd
    from wanted left join known on known.request = wanted.request
        left join singles on singles.second_id = coalesce(wanted.second_id, wanted.request)
            and wanted.what = 'mark'"""
"""Marks with the id of their request; null: it is not in the log."""

_REPEATS = """
    update log set what = 'repeat' where rowid in (
        select place from (
            select rowid as place, row_number() over (partition by prompt, request order by rowid) as nth
            from log where what = 'request' and hash(prompt, request) in (
                select hash(prompt, request) from log where what = 'request' group by 1 having count(*) > 1))
        where nth > 1)"""
_COVERAGE = """
    select file, newest, repeated, coalesce(unmatched, 0) from (
        select file, max(time) as newest, count_if(what = 'repeat') as repeated
        from log where what in ('request', 'mark', 'repeat') group by file)
    left join (select file, count(*) as unmatched from marks where request is null group by file) using (file)"""


def _ends_with_newline(path: Path) -> bool:
    if is_packed(path):
        return True
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) == b"\n"
