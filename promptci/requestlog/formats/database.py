"""Log files of any format -> one DuckDB database with the tables `requests` and `marks`."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from promptci.errors import InputError, Problem
from promptci.lazy_import import lazy_import
from promptci.requestlog.formats import columns, jsonl, otlp_json, sniff
from promptci.requestlog.formats.otlp_json import OTLP
from promptci.requestlog.formats.promptci_log import PROMPTCI
from promptci.requestlog.formats.sniff import LogFormat
from promptci.requestlog.formats.source import Source
from promptci.requestlog.formats.text_lines import GZIP_MAGIC, open_unpacked
from promptci.requestlog.formats.typed import COLUMNS, rows_query

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = lazy_import("duckdb")

MAX_PROBLEMS = 20
"""Bad lines that are named."""
MAX_BAD_SHARE = 0.01
"""Share of bad lines over which a log is refused: what is lost might be of one arm more than of the other."""
MAX_DOCUMENT_BYTES = 2**30
"""Of a file that is one JSON value, which is held as a whole."""
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

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        """Open an empty database; `names` are a repository's own names of fields."""
        self._names = names or {}
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
            except OSError as error:
                fix = "Correct its permissions, or leave it out."
                raise _input_error(path, f"it cannot be read: {error.strerror}", fix) from error
            except duckdb.Error as error:
                fix = "Check that the file is whole and as its system wrote it."
                raise _input_error(path, f"it cannot be read: {str(error).splitlines()[0][:200]}", fix) from error
        self._refuse_bad()
        self._view_requests()
        if self._has_repeats():
            self._store_direct()
            self.connection.execute(_REPEATS)
            self._view_requests()
        self.connection.execute(_MARKS)

    def _view_requests(self) -> None:
        names = ", ".join(COLUMNS)
        parts = [f"select file, {names} from log where what = 'request'"]  # noqa: S608 - our own
        parts += [f"select {file}, {names} from ({query})" for file, query in self._direct.items()]  # noqa: S608 - quoted
        self.connection.execute(f"create or replace view requests as {' union all '.join(parts)}")

    def _has_repeats(self) -> bool:
        """Return whether some request has a second line; that is a late mark, which only adds what the first one lacks."""
        counted = "select count(*), count(distinct hash(prompt, request)) from requests"
        ((requests, unique),) = self.connection.execute(counted).fetchall()
        return bool(requests != unique)

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

    def _refuse_bad(self) -> None:
        bad, lines = (sum(getattr(each, name) for each in self.files) for name in ("bad", "lines"))
        if bad > MAX_BAD_SHARE * lines:
            message = f"{bad:,} of {lines:,} lines are invalid, over {MAX_BAD_SHARE:.0%}"
            fix = "Fix what writes the log; the first invalid lines follow."
            path = next(each.path for each in self.files if each.bad)
            raise InputError([Problem(path=str(path), message=message, hint=fix), *self.problems])

    @property
    def has_marks(self) -> bool:
        """Return whether something became known later."""
        ((found,),) = self.connection.execute("select exists (from marks where request is not null)").fetchall()
        return bool(found)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Return the first of the bad lines of all files."""
        return tuple(problem for each in self.files for problem in each.problems)[:MAX_PROBLEMS]

    def _read(self, path: Path) -> LogFileRead:
        found, source = self._open(path)
        query = rows_query(source, found.dialect.with_columns(self._names))
        if found.container == "Parquet" and (read := self._read_direct(path, found, query)):
            return read
        ((start,),) = self.connection.execute("select coalesce(max(rowid) + 1, 0) from log").fetchall()
        self.connection.execute(f"insert into log select {len(self.files)}, * from ({query})")  # noqa: S608 - quoted
        counted = self.connection.execute(
            "select what, count(*) from log where rowid >= ? group by what", [start]
        ).fetchall()
        counts = dict(counted)
        problems, rejected = self._bad_rows(path, found, start)
        unfinished = self._drop_unfinished(path, found, problems)
        bad = counts.get("bad", 0) + rejected - unfinished
        return LogFileRead(
            path=path,
            format=str(found),
            bytes=path.stat().st_size,
            lines=sum(count for what, count in counts.items() if what != "blank") + rejected - unfinished,
            bad=bad,
            other=counts.get("other", 0),
            late=counts.get("mark", 0),
            problems=tuple(problems[:MAX_PROBLEMS]),
        )

    def _read_direct(self, path: Path, found: LogFormat, query: str) -> LogFileRead | None:
        """Check a file that can be read where it is; None: not all of its rows are requests."""
        counted = f"select count(*), count_if(what = 'request'), max(time) from ({query})"  # noqa: S608 - quoted
        ((lines, requests, newest),) = self.connection.execute(counted).fetchall()
        if lines != requests or not lines:
            return None
        number, size = len(self.files), path.stat().st_size
        self._direct[number], self._newest[number] = query, newest
        return LogFileRead(
            path=path, format=str(found), bytes=size, lines=lines, bad=0, other=0, late=0, problems=()
        )

    def _bad_rows(self, path: Path, found: LogFormat, start: int) -> tuple[list[Problem], int]:
        """Return the first bad rows, and how many rows DuckDB itself rejected."""
        hint = "Correct what writes it, or leave it out."
        first = 2 if found.container == "CSV" else 1
        query = "select rowid - ? + ?, reason from log where rowid >= ? and what = 'bad' order by rowid limit ?"
        rows = self.connection.execute(query, [start, first, start, MAX_PROBLEMS + 1]).fetchall()
        problems = [Problem(path=str(path), line=row, message=reason, hint=hint) for row, reason in rows]
        if found.container != "CSV":
            return problems, 0
        rejects = "select line, min(error_message) from reject_errors group by line order by line"
        rejected = self.connection.execute(rejects).fetchall()
        self.connection.execute("drop table if exists reject_errors; drop table if exists reject_scans")
        problems += [
            Problem(path=str(path), line=row, message=text.splitlines()[0], hint=hint)
            for row, text in rejected[:MAX_PROBLEMS]
        ]
        return problems, len(rejected)

    def _drop_unfinished(self, path: Path, found: LogFormat, problems: list[Problem]) -> int:
        """Return 1 where the last line is still being written; it is not a bad one."""
        if found.container != "JSON lines" or not problems:
            return 0
        ((what, last),) = self.connection.execute(
            "select what, rowid from log where rowid = (select max(rowid) from log)"
        ).fetchall()
        if what != "bad" or _ends_with_newline(path):
            return 0
        self.connection.execute("update log set what = 'blank' where rowid = ?", [last])
        if len(problems) <= MAX_PROBLEMS:
            problems.pop()
        return 1

    def _open(self, path: Path) -> tuple[LogFormat, Source]:
        if path.stat().st_size == 0:
            return LogFormat(container="JSON lines", dialect=PROMPTCI), jsonl.json_lines(path, self._copies)
        if sniff.is_parquet(path):
            table = columns.parquet_columns(path, self.connection)
            return LogFormat(container="Parquet", dialect=self._dialect(path, list(table.types))), table
        container, keys = sniff.sniff_text(path)
        found = LogFormat(container=container, dialect=self._dialect(path, keys))
        if container == "CSV":
            return found, columns.csv_columns(path, self.connection)
        if container == "JSON lines":
            is_spans = found.dialect is OTLP
            return found, (otlp_json.span_lines if is_spans else jsonl.json_lines)(path, self._copies)
        whole = self._unpack(path)
        if whole.stat().st_size > MAX_DOCUMENT_BYTES:
            raise _input_error(path, "it is one JSON value of over 1 GiB", "Export JSON lines or Parquet.")
        return found, (otlp_json.span_document if container == "JSON document" else jsonl.json_array)(whole)

    def _dialect(self, path: Path, keys: Sequence[str]) -> sniff.Dialect:
        """Return the dialect of a file by its keys; the repository's own names make every log readable."""
        if self._names and set(self._names.values()) & set(keys):
            return sniff.find_dialect(keys) or PROMPTCI
        if (dialect := sniff.find_dialect(keys)) is not None:
            return dialect
        shown = ", ".join(f"`{key[:40]}`" for key in keys[:8]) or "none"
        known = ", ".join(each.name for each in sniff.DIALECTS)
        raise _input_error(
            path,
            f"its format is not known; its first keys are: {shown}",
            f"Known are {known}. Map other names by `log: columns:` in promptci.yml.",
        )

    def _unpack(self, path: Path) -> Path:
        with path.open("rb") as file:
            if file.read(2) != GZIP_MAGIC:
                return path
        copy = self._copies / f"{len(self.files)}.json"
        with open_unpacked(path) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        return copy


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
    with path.open("rb") as file:
        if file.read(2) == GZIP_MAGIC:
            return True
        file.seek(-1, 2)
        return file.read(1) == b"\n"


def _input_error(path: Path, message: str, fix: str) -> InputError:
    return InputError([Problem(path=str(path), message=message, hint=fix)])
