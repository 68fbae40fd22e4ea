"""Write whole files: a reader sees the old file or the new one, never half of either."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from promptci.files.system.open_file import open_file


def write_text(path: Path, text: str) -> None:
    r"""Write `text` as UTF-8 to `path` in one step, making parent folders; a lone surrogate becomes `\\udXXX`."""
    write_chunks(path, [text])


def write_chunks(path: Path, pieces: Iterable[str | bytes]) -> None:
    """Do the same with a text that comes piece by piece."""
    _write(path, encode_chunks(pieces))


def encode_chunks(pieces: Iterable[str | bytes]) -> Iterator[bytes]:
    """Yield the pieces of a text as they are written to a file."""
    return (_encode(piece) for piece in pieces)


def _encode(piece: str | bytes) -> bytes:
    return piece if isinstance(piece, bytes) else piece.encode("utf-8", errors="backslashreplace")


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path` in one step, making parent folders."""
    _write(path, [content])


def _write(path: Path, contents: Iterable[bytes]) -> None:
    """Write to another name and rename.

    The new file takes the place of a symbolic link rather than following it: a pull request may have
    put a link where a report goes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    descriptor = open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode=0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for content in contents:
                file.write(content)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
