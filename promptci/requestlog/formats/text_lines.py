"""A file of lines -> one that DuckDB splits into the same lines: unpacked, in UTF-8, without carriage returns."""

import codecs
import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, cast

CHUNK_BYTES = 2**20
MAX_LINE_BYTES = 2**20
"""Of one line; a longer one is bad. Lines of traces hold many spans."""
MAX_TRACE_BYTES = 2**25
GZIP_MAGIC = b"\x1f\x8b"
BROKEN_GZIP = (EOFError, gzip.BadGzipFile, zlib.error)
"""What reading a file raises that is not whole."""
NOT_UTF8, TOO_LONG = "the line is not UTF-8", "the line is too long"


def open_unpacked(path: Path) -> BinaryIO:
    """Open a file, unpacked if it is compressed by gzip."""
    return cast(BinaryIO, gzip.open(path)) if is_packed(path) else path.open("rb")


def is_packed(path: Path) -> bool:
    """Return whether a file is compressed by gzip."""
    with path.open("rb") as file:
        return file.read(2) == GZIP_MAGIC


def plain_file(path: Path, folder: Path, max_line: int = MAX_LINE_BYTES) -> Path:
    """Return the file itself where it can be read as it is, else a copy of it in `folder`.

    In the copy, a line that cannot be read is replaced by words that say why, so that all lines keep their numbers.
    """
    if _is_plain(path, max_line):
        return path
    copy = folder / f"{len(list(folder.iterdir()))}.lines"
    with open_unpacked(path) as source, copy.open("wb") as target:
        while line := source.readline(max_line + 1):
            if len(line) > max_line and not line.endswith(b"\n"):
                while (rest := source.readline(CHUNK_BYTES)) and not rest.endswith(b"\n"):
                    pass
                line = TOO_LONG.encode() + b"\n"
            target.write(_cleaned(line))
    return copy


def _is_plain(path: Path, max_line: int) -> bool:
    """Return whether DuckDB finds the same lines in a file."""
    rest, is_first = b"", True
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if is_first and chunk.startswith((GZIP_MAGIC, codecs.BOM_UTF8)):
                return False
            whole, _, tail = (rest + chunk).rpartition(b"\n")
            # Only a line that began in an earlier chunk can be that long.
            longest = max(len(whole.partition(b"\n")[0]), len(tail))
            if longest > max_line or not _is_text(whole):
                return False
            rest, is_first = tail, False
    return _is_text(rest)


def _is_text(data: bytes) -> bool:
    try:
        return (data.isascii() or bool(data.decode())) and b"\r" not in data and b"\0" not in data
    except UnicodeDecodeError:
        return False


def _cleaned(line: bytes) -> bytes:
    ending = b"\n" if line.endswith(b"\n") else b""
    content = line.rstrip(b"\r\n").removeprefix(codecs.BOM_UTF8).replace(b"\r", b" ").replace(b"\0", b"\\0")
    try:
        content.decode()
    except UnicodeDecodeError:
        content = NOT_UTF8.encode()
    return content + ending
