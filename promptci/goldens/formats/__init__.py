"""Formats of golden files: one module each, and the table that lists them."""

from collections.abc import Callable

from promptci.errors import Problem
from promptci.goldens.formats import (
    csv_goldens,
    json_goldens,
    jsonl_goldens,
    parquet_goldens,
    xlsx_goldens,
    yaml_goldens,
)
from promptci.goldens.model import Case

GOLDEN_FORMATS: dict[str, Callable[[str, str], tuple[list[Case], list[Problem]]]] = {
    ".jsonl": jsonl_goldens.parse_jsonl,
    ".ndjson": jsonl_goldens.parse_jsonl,
    ".json": json_goldens.parse_json,
    ".yaml": yaml_goldens.parse_yaml,
    ".yml": yaml_goldens.parse_yaml,
    ".csv": csv_goldens.parse_csv,
    ".tsv": csv_goldens.parse_tsv,
}
"""Parsers by the end of the file's name: path and text in, cases and problems out."""
BINARY_FORMATS: dict[str, Callable[[str, bytes], tuple[list[Case], list[Problem]]]] = {
    ".parquet": parquet_goldens.parse_parquet,
    ".xlsx": xlsx_goldens.parse_xlsx,
}
"""Parsers of files that are no text: path and bytes in, cases and problems out."""
