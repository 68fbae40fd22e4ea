"""Formats of golden files: one module each, and the table that lists them."""

from collections.abc import Callable

from promptci.errors import Problem
from promptci.goldens.formats import from_csv, from_jsonl, from_yaml
from promptci.goldens.model import Case

FORMATS: dict[str, Callable[[str, str], tuple[list[Case], list[Problem]]]] = {
    ".jsonl": from_jsonl.read,
    ".yaml": from_yaml.read,
    ".yml": from_yaml.read,
    ".csv": from_csv.read,
}
"""By the end of the file's name: path and text in, cases and problems out."""
