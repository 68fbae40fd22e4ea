"""Open a log: find its format, and say how its values are reached."""

from __future__ import annotations

import glob
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from promptci.errors import InputError, Problem
from promptci.requestlog.dialects.dialect import Dialect
from promptci.requestlog.dialects.promptci_log import PROMPTCI
from promptci.requestlog.formats import columns, jsonl, otlp_json, sniff
from promptci.requestlog.formats.otlp_json import OTLP
from promptci.requestlog.formats.sniff import LogFormat
from promptci.requestlog.formats.source import Source
from promptci.requestlog.formats.text_lines import is_packed, open_unpacked

if TYPE_CHECKING:
    import duckdb

MAX_DOCUMENT_BYTES = 2**30
"""Of a file that is one JSON value, which is held as a whole."""


def open_log(
    path: Path, connection: duckdb.DuckDBPyConnection, copies: Path, names: Mapping[str, str]
) -> tuple[LogFormat, Source]:
    """Return the format of a file and its values; `copies` is a folder for what must be unpacked.

    Raises
    ------
    InputError
        If its format is not known.
    """
    place = _literal_name(path, copies)
    if sniff.is_blank(path):
        return LogFormat(container="JSON lines", dialect=PROMPTCI), jsonl.json_lines(place, copies)
    if sniff.is_parquet(path):
        table = columns.parquet_columns(place, connection)
        return LogFormat(container="Parquet", dialect=_dialect(path, list(table.types), names)), table
    container, keys = sniff.sniff_text(path)
    log_format = LogFormat(container=container, dialect=_dialect(path, keys, names))
    if container == "CSV":
        return log_format, columns.csv_columns(place, connection, sniff.sniff_delimiter(path))
    if container == "JSON lines":
        return log_format, (otlp_json.span_lines if log_format.dialect is OTLP else jsonl.json_lines)(place, copies)
    whole = _unpack(place, copies)
    if whole.stat().st_size > MAX_DOCUMENT_BYTES:
        raise input_error(path, "it is one JSON value of over 1 GiB", "Export JSON lines or Parquet.")
    return log_format, (otlp_json.span_document if container == "JSON document" else jsonl.json_array)(whole)


def _literal_name(path: Path, copies: Path) -> Path:
    """Return a name of the file in which DuckDB finds no pattern, such as `[1]`."""
    if not glob.has_magic(str(path)):
        return path
    link = copies / f"{len(list(copies.iterdir()))}.link"
    link.symlink_to(path.resolve())
    return link


def input_error(path: Path, message: str, fix: str) -> InputError:
    """Return the error of one file."""
    return InputError([Problem(path=str(path), message=message, hint=fix)])


def _dialect(path: Path, keys: Sequence[str], names: Mapping[str, str]) -> Dialect:
    """Return the dialect of a file by its keys; a repository's own names make every log readable."""
    if (dialect := sniff.find_dialect(keys)) is not None:
        return dialect
    if set(names.values()) & set(keys):
        return PROMPTCI
    shown = ", ".join(f"`{key[:40]}`" for key in keys[:8]) or "none"
    known = ", ".join(each.name for each in sniff.DIALECTS)
    raise input_error(
        path,
        f"its format is not known; its first keys are: {shown}",
        f"Known are {known}. Map other names by `log: columns:` in promptci.yml.",
    )


def _unpack(path: Path, copies: Path) -> Path:
    if not is_packed(path):
        return path
    copy = copies / f"{len(list(copies.iterdir()))}.json"
    with open_unpacked(path) as source, copy.open("wb") as target:
        shutil.copyfileobj(source, target)
    return copy
