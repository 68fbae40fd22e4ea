"""Open one file without following a link at the end of its path, and without waiting for a pipe."""

import errno
import os
import stat
import sys
import threading
from pathlib import Path

_NO_FOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
# Descriptors of Windows would otherwise translate line ends, and stop at Ctrl-Z.
_ALWAYS: int = _NO_FOLLOW | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)
READ: int = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)
READ_WRITE: int = os.O_RDWR | os.O_CREAT
APPEND: int = os.O_WRONLY | os.O_APPEND | os.O_CREAT
_MOUNT_POINT = 0xA0000003
"""Tag of a junction, the link between folders that anybody may make on Windows (IO_REPARSE_TAG_MOUNT_POINT)."""
_positions = threading.Lock()


def open_file(path: str | Path, flags: int = READ, *, folder: int | None = None, mode: int = 0o644) -> int:
    """Return a descriptor of a file; `folder` is the descriptor of the one from which `path` is reached.

    A file that is made gets `mode`.

    Windows cannot refuse a link while it opens a file, so the path is looked at first. Whoever could put a link there
    in between may write into the folder, and has the right to make links, which Windows gives to administrators.

    Raises
    ------
    OSError
        If it cannot be opened, or is a link.
    """
    if not _NO_FOLLOW and is_link_at(path):
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
    return os.open(path, flags | _ALWAYS, mode, dir_fd=folder)


def is_link(status: os.stat_result) -> bool:
    """Return whether what `lstat` describes leads elsewhere: a symbolic link, or a junction of Windows."""
    return stat.S_ISLNK(status.st_mode) or getattr(status, "st_reparse_tag", 0) == _MOUNT_POINT


def is_link_at(path: str | Path) -> bool:
    """Return whether a path ends in a link; False where there is nothing."""
    try:
        return is_link(os.lstat(path))
    except OSError:
        return False


def read_at(descriptor: int, size: int, offset: int) -> bytes:
    """Return at most `size` bytes from `offset` on; threads may read and write through the same descriptor."""
    if sys.platform != "win32":
        return os.pread(descriptor, size, offset)
    with _positions:
        before = os.lseek(descriptor, 0, os.SEEK_CUR)
        try:
            os.lseek(descriptor, offset, os.SEEK_SET)
            return os.read(descriptor, size)
        finally:
            os.lseek(descriptor, before, os.SEEK_SET)
