"""Golden cases as Parquet, as Hugging Face keeps data sets: a row is a case, with the keys of a line of JSON."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promptci.errors import Problem
from promptci.files.tables import MAX_ROWS, missing_extra, refuse, to_json_value
from promptci.goldens.formats.jsonl_goldens import parse_values
from promptci.goldens.model import Case
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = lazy_import("duckdb")

CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "memory_limit": "512MB",
    "threads": 1,
    "autoinstall_known_extensions": "false",
}


def parse_parquet(path: str, data: bytes) -> tuple[list[Case], list[Problem]]:
    """Return the cases that can be used, and every problem of the others."""
    try:
        rows = _read_rows(data)
    except ImportError:
        return [], [missing_extra(path, "Parquet")]
    except Exception as error:  # noqa: BLE001 - DuckDB lets any fault of a damaged file through
        message = str(error).split("\n", maxsplit=1)[0][:200]
        return [], [refuse(path, f"the Parquet file cannot be read: {message}")]
    if len(rows) > MAX_ROWS:
        return [], [refuse(path, f"the file has more than {MAX_ROWS:,} rows")]
    problems: list[Problem] = []
    return parse_values(path, enumerate(rows, start=1), problems), problems


def _read_rows(data: bytes) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="promptci-") as folder, duckdb.connect(config=CONFIG) as connection:
        file = Path(folder) / "goldens.parquet"
        file.write_bytes(data)
        query = "select * from read_parquet($path) limit $limit"
        connection.execute(query, {"path": str(file), "limit": MAX_ROWS + 1})
        names = [column[0] for column in connection.description or ()]
        return [
            {name: to_json_value(value) for name, value in zip(names, row, strict=True) if value is not None}
            for row in connection.fetchall()
        ]
