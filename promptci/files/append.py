"""Files that grow line by line: where the last whole line ends, and a lock that one writer holds."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from promptci.files.system.lock import lock_exclusively
from promptci.files.system.open_file import READ_WRITE, open_file, read_at

BLOCK_BYTES = 2**16
DEFAULT_LOCK_TIMEOUT_S = 10.0
_STEP_S = 0.02


def find_end_of_last_line(descriptor: int) -> int:
    """Return the offset after the last whole line, reading backwards; what follows it was torn by a kill."""
    end = os.lseek(descriptor, 0, os.SEEK_END)
    while end:
        start = max(0, end - BLOCK_BYTES)
        if (newline := read_at(descriptor, end - start, start).rfind(b"\n")) >= 0:
            return start + newline + 1
        end = start
    return 0


def append_lines(path: Path, content: bytes) -> None:
    """Write whole lines after the last whole line of a file, which is made where it is missing; OSError if not."""
    descriptor = open_file(path, READ_WRITE)
    try:
        end = find_end_of_last_line(descriptor)
        os.ftruncate(descriptor, end)
        os.lseek(descriptor, end, os.SEEK_SET)
        rest = memoryview(content)
        while rest:
            rest = rest[os.write(descriptor, rest) :]
    finally:
        os.close(descriptor)


@contextmanager
def lock_file(path: Path, patience_s: float = DEFAULT_LOCK_TIMEOUT_S) -> Iterator[None]:
    """Hold the lock that the file `path` stands for; OSError where another holds it for longer than `patience_s`."""
    descriptor = open_file(path, READ_WRITE)
    try:
        until = time.monotonic() + patience_s
        while True:
            try:
                lock_exclusively(descriptor)
                break
            except BlockingIOError:
                if time.monotonic() >= until:
                    raise
                time.sleep(_STEP_S)
        yield
    finally:
        os.close(descriptor)
