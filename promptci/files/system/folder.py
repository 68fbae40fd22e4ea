"""Walk down from a folder without following a link anywhere on the way."""

import errno
import os
import stat
from pathlib import Path
from typing import Self

from promptci.files.system.open_file import READ, is_link, is_link_at, open_file

_FOLDER: int = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0)
HAS_FOLDER_DESCRIPTORS: bool = os.open in os.supports_dir_fd
"""Whether this system opens a file from an open folder, so that nobody can swap the folder for a link meanwhile."""


class Folder:
    """A folder from which files and folders are reached by name, one step at a time.

    It is held open, where the system can do that. Windows cannot: there each step is looked at before it is taken.
    """

    def __init__(self, path: Path, descriptor: int | None) -> None:
        """Wrap a folder; use `open`."""
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def open(cls, path: Path, *, is_trusted: bool = True) -> Self:
        """Begin at `path`; OSError if it is no folder, or a link and not trusted."""
        if HAS_FOLDER_DESCRIPTORS:
            return cls(path, os.open(path, _FOLDER) if is_trusted else open_file(path, _FOLDER))
        if not path.is_dir() or (is_link_at(path) and not is_trusted):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
        return cls(path, None)

    @property
    def descriptor(self) -> int | None:
        """The open folder; None where the system has no such thing."""
        return self._descriptor

    def close(self) -> None:
        """Close it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self) -> Self:
        """Return the folder."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def lstat(self, name: str) -> os.stat_result:
        """Describe an entry, not what it may lead to; OSError if there is none."""
        if self._descriptor is None:
            return os.lstat(self._step(name))
        return os.stat(name, dir_fd=self._descriptor, follow_symlinks=False)

    def enter(self, name: str) -> None:
        """Go down into a folder; OSError if it is none, or a link."""
        path, descriptor = self._find_below(name)
        self.close()
        self._path, self._descriptor = path, descriptor

    def open_below(self, name: str) -> "Folder":
        """Return a folder in this one, which stays open; OSError if it is none, or a link."""
        return Folder(*self._find_below(name))

    def _find_below(self, name: str) -> tuple[Path, int | None]:
        if self._descriptor is not None:
            return self._path / name, open_file(name, _FOLDER, folder=self._descriptor)
        below = self._step(name)
        status = os.lstat(below)
        if is_link(status) or not stat.S_ISDIR(status.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(below))
        return below, None

    def open_file(self, name: str, flags: int = READ) -> int:
        """Return a descriptor of a file in this folder; OSError if it cannot be opened, or is a link."""
        if self._descriptor is None:
            return open_file(self._step(name), flags)
        return open_file(name, flags, folder=self._descriptor)

    def names(self) -> list[str]:
        """Return the names of all entries."""
        with os.scandir(self._path if self._descriptor is None else self._descriptor) as entries:
            return [entry.name for entry in entries]

    def _step(self, name: str) -> Path:
        """Return the path of an entry; OSError for a name that Windows reads as more than one step."""
        if set(name) & set('\\/:*?"<>|') or name in {"", ".", ".."}:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
        return self._path / name
