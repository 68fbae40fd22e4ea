"""The files of one revision: of a commit, read from git's objects, or of the working tree."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import IO, ClassVar, Protocol

from promptci.git import command, globs, safe_open
from promptci.git.objects import CHUNK, MAX_BYTES_IN_MEMORY, ObjectReader
from promptci.git.safe_open import SizeLimit

MAX_FILE_BYTES = 16 * 2**20
SYMLINK, GITLINK = "120000", "160000"
WORK_TREE = "."
LABEL_LENGTH = 10


class Snapshot(Protocol):
    """What other packages can read from a revision."""

    @property
    def sha(self) -> str | None:
        """Commit; None for the working tree."""
        ...

    @property
    def label(self) -> str:
        """For a reader: a short sha, or `the working tree`."""
        ...

    def paths(self) -> tuple[str, ...]:
        """Return every file, relative to the repository's root, in order."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file's content, or None where there is none; InputError for what is not a plain file."""
        ...

    def open(self, path: str, limit: SizeLimit) -> IO[bytes] | None:
        """Open a copy of a file, which is on disk where it is large; None where there is none.

        InputError for what is not a plain file, or is larger than the limit.
        """
        ...

    def read_ahead(self, paths: Iterable[str]) -> None:
        """Prepare for `read` of these files: together they are read faster."""
        ...

    def glob(self, pattern: str) -> list[str]:
        """Return the files that match a pattern of promptci.git.globs."""
        ...

    def close(self) -> None:
        """End any processes."""
        ...


class PathIndex:
    """The paths of a revision, in order, and the matches of the patterns that were asked for."""

    def __init__(self, paths: Iterable[str]) -> None:
        self.paths = tuple(sorted(paths))
        self._matches: dict[str, tuple[str, ...]] = {}

    def glob(self, pattern: str) -> list[str]:
        """Return the files that match."""
        if pattern not in self._matches:
            self._matches[pattern] = tuple(globs.filter_paths(pattern, self.paths))
        return list(self._matches[pattern])


class CommitSnapshot:
    """A commit's files. Nothing is checked out, so links are seen as links and never followed."""

    def __init__(self, root: Path, sha: str, objects: ObjectReader, label: str | None = None) -> None:
        """Use Repo.snapshot."""
        self.sha: str | None = sha
        self.label = label or sha[:LABEL_LENGTH]
        self._root = root
        self._objects = objects
        self._is_closed = False

    def paths(self) -> tuple[str, ...]:
        """Return every file of the commit."""
        return self._index.paths

    def glob(self, pattern: str) -> list[str]:
        """Return the files that match."""
        return self._index.glob(pattern)

    def read(self, path: str) -> bytes | None:
        """Return a file's content from git's objects."""
        oid = self._find_blob(path)
        if oid is None:
            return None
        size, content = self._objects.read(oid, MAX_FILE_BYTES)
        if size > MAX_FILE_BYTES:
            raise safe_open.not_plain_file(path, f"the file has {size} bytes; the limit is {MAX_FILE_BYTES}")
        return content

    def open(self, path: str, limit: SizeLimit) -> IO[bytes] | None:
        """Open a copy of a file's content, which is on disk where it is large."""
        oid = self._find_blob(path)
        if oid is None:
            return None
        size, file = self._objects.open_blob(oid, limit.max_bytes)
        if size > limit.max_bytes:
            file.close()
            raise limit.refusal(path, size)
        return file

    def _find_blob(self, path: str) -> str | None:
        """Return the object id of a plain file, with the process that reads it open; None where there is none."""
        entry = self._entries.get(path)
        if entry is None:
            return None
        mode, _, oid = entry.split(" ")
        if mode == SYMLINK:
            raise safe_open.not_plain_file(path, "this is a symbolic link, which is not followed")
        if mode == GITLINK:
            raise safe_open.not_plain_file(path, "this is a submodule")
        self._open()
        return oid

    def read_ahead(self, paths: Iterable[str]) -> None:
        """Read these files together; links, submodules and missing files are left to `read`."""
        entries = [entry.split(" ") for path in paths if (entry := self._entries.get(path))]
        self._open()
        self._objects.read_ahead(oid for mode, _, oid in entries if mode not in {SYMLINK, GITLINK})

    def _open(self) -> None:
        if self._is_closed:  # a snapshot that is read again is closed again
            self._objects.open()
            self._is_closed = False

    def close(self) -> None:
        """End the process that reads objects, unless another snapshot needs it."""
        if not self._is_closed:
            self._is_closed = True
            self._objects.close()

    @cached_property
    def _entries(self) -> Mapping[str, str]:
        """Mode, type and object id of each file, as git lists them."""
        listed = command.run_git(self._root, "ls-tree", "-r", "-z", "--full-tree", str(self.sha))
        lines = (line.partition("\t") for line in command.split_nul(listed))
        return {path: entry for entry, _, path in lines}

    @cached_property
    def _index(self) -> PathIndex:
        return PathIndex(self._entries)


class WorkTree:
    """The files on disk: what git tracks and what it does not ignore."""

    sha: ClassVar[str | None] = None
    label: ClassVar[str] = "the working tree"

    def __init__(self, root: Path) -> None:
        """Use Repo.snapshot."""
        self._root = root

    def paths(self) -> tuple[str, ...]:
        """Return every file that is there."""
        return self._index.paths

    def glob(self, pattern: str) -> list[str]:
        """Return the files that match."""
        return self._index.glob(pattern)

    def read(self, path: str) -> bytes | None:
        """Return a file's content; neither the file nor a folder on the way may be a symbolic link.

        What git ignores, and `.git` itself, is not there: a prompt must not carry off keys by including them.
        """
        descriptor = safe_open.open_plain_file(self._root, path)
        if descriptor is None:
            return None
        with os.fdopen(descriptor, "rb") as file:
            if path not in self._existing:
                return None
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise safe_open.not_plain_file(path, f"the file has more than {MAX_FILE_BYTES} bytes")
        return content

    def open(self, path: str, limit: SizeLimit) -> IO[bytes] | None:
        """Open a copy of a file's content, so that a later edit changes nothing; the rules of `read` hold."""
        descriptor = safe_open.open_plain_file(self._root, path)
        if descriptor is None:
            return None
        with os.fdopen(descriptor, "rb") as source:
            if path not in self._existing:
                return None
            size = os.fstat(source.fileno()).st_size
            if size > limit.max_bytes:
                raise limit.refusal(path, size)
            file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=MAX_BYTES_IN_MEMORY)  # noqa: SIM115 - the caller's
            shutil.copyfileobj(source, file, CHUNK)
        file.seek(0)
        return file

    def read_ahead(self, paths: Iterable[str]) -> None:
        """Do nothing: files on disk are read one by one as fast."""

    def ignored_paths(self, endings: Iterable[str]) -> list[str]:
        """Return the files with one of these endings that git ignores, and which are therefore not there."""
        words = ["ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--"]
        patterns = [f":(top,icase)*{ending}" for ending in endings]
        return sorted(command.split_nul(command.run_git(self._root, *words, *patterns)))

    def close(self) -> None:
        """Do nothing: no process is held."""

    @cached_property
    def _existing(self) -> frozenset[str]:
        listed = command.run_git(self._root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
        return frozenset(path for path in command.split_nul(listed) if os.path.lexists(self._root / path))

    @cached_property
    def _index(self) -> PathIndex:
        return PathIndex(self._existing)
