"""Logs with named columns: CSV and Parquet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from promptci.requestlog.formats.source import ColumnSource, quote_text
from promptci.requestlog.formats.text_lines import is_packed

if TYPE_CHECKING:
    import duckdb


def parquet_columns(path: Path, connection: duckdb.DuckDBPyConnection) -> ColumnSource:
    """Return the rows of a Parquet file."""
    return _columns(f"read_parquet({quote_text(str(path))}, filename = false)", connection)


def csv_columns(path: Path, connection: duckdb.DuckDBPyConnection, delimiter: str) -> ColumnSource:
    """Return the rows of a CSV file with a header; rows of another width are found as rejected ones."""
    quotes = f"delim = {quote_text(delimiter)}, quote = '\"', escape = '\"'"
    options = f"header = true, all_varchar = true, {quotes}, store_rejects = true"
    packed = ", compression = 'gzip'" if is_packed(path) else ""
    return _columns(f"read_csv({quote_text(str(path))}, {options}, rejects_limit = 0{packed})", connection)


def _columns(relation: str, connection: duckdb.DuckDBPyConnection) -> ColumnSource:
    described = connection.execute(f"describe select * from {relation}").fetchall()  # noqa: S608 - quoted
    return ColumnSource(
        relation=f"(select *, null::varchar as broken from {relation})",  # noqa: S608 - quoted
        types={str(row[0]): str(row[1]) for row in described},
    )
