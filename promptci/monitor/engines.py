"""Engines that compute the tables: DuckDB over log files, or a database over a table of its own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from promptci.errors import PromptciError, UsageError
from promptci.lazy_import import lazy_import
from promptci.monitor.arm_hash import hash_hex
from promptci.monitor.tables import LogTables, find_repeats
from promptci.requestlog.aliases import ALIASES, PERCENT_MARKER
from promptci.requestlog.clock import latest_time
from promptci.wording import install_extra

if TYPE_CHECKING:
    import duckdb
    import ibis
    from ibis import BaseBackend, Table
    from ibis import Value as Column
else:
    ibis = lazy_import("ibis")

DUCKDB = "duckdb"
TYPES = {
    "time": "timestamp",
    "request": "string",
    "prompt": "string",
    "version": "string",
    "arm": "string",
    "share": "float64",
    "unit": "string",
    "key": "string",
    "error": "string",
    "latency_ms": "float64",
    "cost_usd": "decimal(18, 12)",
    "quality": "float64",
    "signal": "string",
    "request_model": "string",
    "response_model": "string",
    "system_fingerprint": "string",
    "input_tokens": "int64",
    "output_tokens": "int64",
    "tag": "string",
}
"""Columns of `LogTables.requests`."""
FIELDS = {"request": "id", "unit": "user", "request_model": "model"}
"""Names in the alias table, where they differ."""
PERCENT = 100
"""In 1/100 %."""
SPARK = ("spark", "pyspark")
REQUIRED = ("time", "request", "prompt")


def require_ibis() -> None:
    """Raise PromptciError if the extra `monitor` is not installed."""
    if missing := [name for name in ("duckdb", "ibis") if find_spec(name) is None]:
        verb = "is" if len(missing) == 1 else "are"
        message = f"`promptci monitor` needs {' and '.join(missing)}, which {verb} not installed"
        raise PromptciError(message, install_extra("monitor"))


def open_duckdb(connection: duckdb.DuckDBPyConnection, *, has_marks: bool) -> LogTables:
    """Return the tables that the log was read into."""
    backend = ibis.duckdb.from_connection(connection)
    marks = backend.table("marks") if has_marks else None
    # Without the view Ibis compiles what selects the rows again for each table, which takes longer than computing them.
    return LogTables(
        requests=backend.table("requests"),
        marks=marks,
        hash_hex=hash_hex(DUCKDB),
        name_rows=lambda rows: backend.create_view("selected_requests", rows, overwrite=True),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineTable:
    """A table of requests in an engine."""

    log: LogTables
    lines: int
    bad: int
    """Rows without a time, an id or a prompt, or from the future."""
    repeated: int
    newest: Any


def find_table(url: str, name: str, names: Mapping[str, str], now: datetime) -> EngineTable:
    """Return a table of an engine as a log; for Spark also a path of Parquet files."""
    backend = connect(url)
    try:
        is_path = backend.name == "pyspark" and "/" in name
        table = backend.read_parquet(name) if is_path else backend.table(name)
    except Exception as error:
        # Every engine has errors of its own.
        message = f"{url.partition('://')[0]} has no table `{name}`: {str(error).splitlines()[0][:200]}"
        raise UsageError(message, "Give --log the name of a table or view.") from error
    return open_table(backend, table, names, now)


def open_table(
    backend: BaseBackend, table: Table, names: Mapping[str, str], now: datetime | None = None
) -> EngineTable:
    """Return a table with the names of the alias table, or a repository's own, as a log.

    Raises
    ------
    UsageError
        If it has no column for what every request needs.
    """
    columns = {name: _find_column(table, name, names) for name in TYPES}
    if columns["share"] is not None and PERCENT_MARKER in table.columns:
        # Logs from before the runtime have their share in percent.
        columns["share"] = ibis.cases(
            (table[PERCENT_MARKER].isnull(), columns["share"]), else_=columns["share"] * PERCENT
        )
    if missing := [name for name in REQUIRED if columns[name] is None]:
        raise UsageError(
            f"The table has no column for: {', '.join(missing)}", "Map its columns by `log: columns:` in promptci.yml."
        )
    typed = {name: ibis.null(TYPES[name]) if column is None else column for name, column in columns.items()}
    every = table.select(**typed)
    good = every.filter(every.time.notnull() & every.request.notnull() & every.prompt.notnull())
    if now is not None:
        good = good.filter(good.time <= ibis.timestamp(latest_time(now).replace(tzinfo=None)))
    unique = find_repeats(good)
    (kept,) = good.agg(lines=good.count(), newest=good.time.max()).to_pyarrow().to_pylist()
    lines, single = (int(each.count().to_pyarrow().as_py()) for each in (every, unique))
    return EngineTable(
        log=LogTables(requests=unique, marks=None, hash_hex=hash_hex(backend.name)),
        lines=lines,
        bad=lines - int(kept["lines"]),
        repeated=int(kept["lines"]) - single,
        newest=kept["newest"],
    )


def _find_column(table: Table, name: str, names: Mapping[str, str]) -> Column | None:
    """Return the column of a field, typed; None: the table has none."""
    field = FIELDS.get(name, name)
    own = [names[each] for each in (field, name) if each in names]
    joined: Column | None = None
    for known, scale in [(each, 1.0) for each in own] + [(alias.name, alias.scale) for alias in ALIASES[field]]:
        column_name = next((each for each in (known, known.replace(".", "_")) if each in table.columns), None)
        if column_name is None:
            continue
        column: Any = table[column_name]
        if column.type().is_string():
            column = column.nullif("")
        column = column.cast("timestamp" if name == "time" else TYPES[name])
        column = column * scale if scale != 1 else column
        joined = column if joined is None else joined.fill_null(column)
    return joined


def connect(url: str) -> BaseBackend:
    """Connect to an engine by its URL, such as `bigquery://project/dataset`.

    Raises
    ------
    UsageError
        If the URL, or the driver of its engine, is of no use.
    """
    scheme = url.partition("://")[0]
    if not re.fullmatch(r"[a-z]+://.*", url):
        raise UsageError(f"`{url}` is no engine", "Give duckdb, or a URL such as bigquery://project/dataset.")
    try:
        backend: BaseBackend = _connect_spark() if scheme in SPARK else ibis.connect(url)
    except ImportError as error:
        fix = f"Install its driver: `pip install 'ibis-framework[{scheme}]'`."
        reason = error.name or str(error).splitlines()[0].rstrip(".")
        raise UsageError(f"The engine {scheme} is not installed: {reason}", fix) from error
    except Exception as error:
        # Every engine has errors of its own.
        raise UsageError(f"{scheme} cannot be reached: {str(error).splitlines()[0][:200]}", "Check the URL.") from error
    return backend


def _connect_spark() -> BaseBackend:
    """Connect to Spark as its environment configures it; without a cluster, to one on this machine."""
    from pyspark.sql import SparkSession  # noqa: PLC0415 - half a gigabyte that only this engine needs

    settings: dict[str, bool | float | int | str | None] = {
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "8",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
    }
    builder = SparkSession.builder.appName("promptci monitor").config(map=settings)
    backend: BaseBackend = ibis.pyspark.connect(builder.getOrCreate())
    return backend
