"""Find the format of a log from its content: the container from its first bytes, the dialect from its keys."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

from promptci.files.csv_text import guess_delimiter
from promptci.lazy_dataclass import dataclass
from promptci.requestlog.dialects.dialect import Dialect
from promptci.requestlog.dialects.langfuse import LANGFUSE, LANGFUSE_SCORES
from promptci.requestlog.dialects.langsmith import LANGSMITH
from promptci.requestlog.dialects.openinference import OPENINFERENCE, OPENINFERENCE_ANNOTATIONS
from promptci.requestlog.dialects.promptci_log import PROMPTCI
from promptci.requestlog.formats.otlp_json import OTLP
from promptci.requestlog.formats.text_lines import open_unpacked

Container = Literal["JSON lines", "JSON array", "JSON document", "CSV", "Parquet"]
DIALECTS: tuple[Dialect, ...] = (
    OTLP,
    OPENINFERENCE,
    OPENINFERENCE_ANNOTATIONS,
    LANGFUSE,
    LANGFUSE_SCORES,
    LANGSMITH,
    PROMPTCI,
)
HEAD_BYTES = 2**20
HEAD_LINES = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class LogFormat:
    """What a file was found to be."""

    container: Container
    dialect: Dialect

    def __str__(self) -> str:
        return self.container if self.dialect.name == "promptci" else f"{self.dialect.name}, {self.container}"


def find_dialect(keys: Collection[str]) -> Dialect | None:
    """Return the dialect that has some set of its markers among the keys."""
    return next((each for each in DIALECTS if any(set(marker) <= set(keys) for marker in each.markers)), None)


def sniff_text(path: Path) -> tuple[Container, Sequence[str]]:
    """Return the container of a file that is no Parquet, and the keys of its first objects."""
    text = _read_head(path)
    if text.startswith("["):
        return "JSON array", _first_keys(text[1:])
    if text.startswith("{"):
        keys: dict[str, None] = {}
        lines = [line for line in text.splitlines()[:HEAD_LINES] if line.strip()]
        for line in lines:
            keys |= dict.fromkeys(_keys(line))
        if keys or (len(lines) > 1 and not _is_pretty(lines)):
            return "JSON lines", list(keys) or _first_keys(text)
        return "JSON document", _first_keys(text) or _top_keys(text)
    first = next(csv.reader(text.splitlines()[:1], delimiter=guess_delimiter(text)), [])
    return "CSV", first


def sniff_delimiter(path: Path) -> str:
    """Return the delimiter of a CSV file."""
    return guess_delimiter(_read_head(path))


def _read_head(path: Path) -> str:
    with open_unpacked(path) as file:
        head = file.read(HEAD_BYTES)
    return head.decode("utf-8", errors="replace").lstrip("\ufeff \t\r\n")


def is_blank(path: Path) -> bool:
    """Return whether a file has nothing in it, unpacked, but blank lines."""
    with open_unpacked(path) as file:
        head = file.read(HEAD_BYTES)
    return len(head) < HEAD_BYTES and not head.decode("utf-8", errors="replace").strip("\ufeff \t\r\n")


def is_parquet(path: Path) -> bool:
    """Return whether a file is Parquet."""
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


def _is_pretty(lines: Sequence[str]) -> bool:
    return lines[0].strip() == "{"


def _keys(line: str) -> list[str]:
    try:
        value = json.loads(line)
    except ValueError:
        return []
    return list(value) if isinstance(value, dict) else []


def _first_keys(text: str) -> list[str]:
    """Return the keys of the objects at the start of a text, which may go on."""
    decoder, keys, rest = json.JSONDecoder(), dict[str, None](), text.lstrip()
    for _ in range(HEAD_LINES):
        try:
            value, end = decoder.raw_decode(rest)
        except ValueError:
            break
        if isinstance(value, dict):
            keys |= dict.fromkeys(value)
        rest = rest[end:].lstrip(" ,\t\r\n")
    return list(keys)


def _top_keys(text: str) -> list[str]:
    """Return the first key of an object that is longer than what was read."""
    return [key for key in ("resourceSpans", "resourceLogs") if f'"{key}"' in text[:1000]]
