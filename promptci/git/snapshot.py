"""The files of one revision: of a commit, read from git's objects, or of the working tree."""

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from promptci.errors import GitError, InputError, Problem
from promptci.git import command, globs

LARGEST = 16 * 2**20
SYMLINK, GITLINK = "120000", "160000"
WORK_TREE = "."
LABEL_LENGTH = 10


class Snapshot(Protocol):
    """What the rest of the house may ask of a revision."""

    @property
    def sha(self) -> str | None:
        """Commit; None for the working tree."""
        ...

    @property
    def label(self) -> str:
        """For a reader: a short sha, or `the working tree`."""
        ...

    def paths(self) -> tuple[str, ...]:
        """Give every file, relative to the repository's root, in order."""
        ...

    def read(self, path: str) -> bytes | None:
        """Give a file's content, or None where there is none; InputError for what is not a plain file."""
        ...

    def glob(self, pattern: str) -> list[str]:
        """Give the files that match a pattern of promptci.git.globs."""
        ...

    def close(self) -> None:
        """Let go of processes."""
        ...


def refusal(path: str, what: str) -> InputError:
    """Say that a path is not a plain file."""
    fix = "Prompts, goldens and configuration must be plain files in the repository."
    return InputError([Problem(path=path, what=what, fix=fix)])


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a commit."""

    mode: str
    oid: str


class CommitSnapshot:
    """A commit's files. Nothing is checked out, so links are seen as links and never followed."""

    def __init__(self, root: Path, sha: str) -> None:
        """Use Repo.snapshot."""
        self.sha: str | None = sha
        self.label = sha[:LABEL_LENGTH]
        self._root = root
        self._entries: dict[str, Entry] | None = None
        self._reader: subprocess.Popen[bytes] | None = None

    def paths(self) -> tuple[str, ...]:
        """Give every file of the commit."""
        return tuple(self._tree())

    def glob(self, pattern: str) -> list[str]:
        """Give the files that match."""
        return [path for path in self._tree() if globs.matches(pattern, path)]

    def read(self, path: str) -> bytes | None:
        """Give a file's content from git's objects."""
        entry = self._tree().get(path)
        if entry is None:
            return None
        if entry.mode == SYMLINK:
            raise refusal(path, "this is a symbolic link, which is not followed")
        if entry.mode == GITLINK:
            raise refusal(path, "this is a submodule")
        return self._object(path, entry.oid)

    def close(self) -> None:
        """End the process that reads objects."""
        if self._reader is not None:
            for stream in (self._reader.stdin, self._reader.stdout):
                if stream is not None:
                    stream.close()
            self._reader.wait()
            self._reader = None

    def _tree(self) -> dict[str, Entry]:
        if self._entries is None:
            self._entries = {}
            listed = command.run(self._root, "ls-tree", "-r", "-z", "--full-tree", str(self.sha))
            for line in command.split(listed):
                about, _, path = line.partition("\t")
                mode, _, oid = about.split(" ")
                self._entries[path] = Entry(mode, oid)
        return self._entries

    def _object(self, path: str, oid: str) -> bytes:
        """Read one object through a `cat-file --batch` that stays open: a process for each file would be slow."""
        if self._reader is None:
            self._reader = subprocess.Popen(
                command.arguments(self._root, "cat-file", "--batch"),
                env=command.environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        if self._reader.stdin is None or self._reader.stdout is None:
            raise GitError("git cat-file has no pipes")
        self._reader.stdin.write(oid.encode() + b"\n")
        self._reader.stdin.flush()
        header = self._reader.stdout.readline().split()
        if len(header) != 3 or header[1] != b"blob":
            fix = "The clone may be partial; clone without a filter."
            raise GitError(f"git has no content for {path} ({oid[:LABEL_LENGTH]})", fix)
        size = int(header[2])
        content = self._reader.stdout.read(size + 1)[:-1]
        if size > LARGEST:
            raise refusal(path, f"the file has {size} bytes, more than the {LARGEST} that are read")
        return content


class WorkTree:
    """The files on disk: what git tracks and what it does not ignore."""

    sha: ClassVar[str | None] = None
    label: ClassVar[str] = "the working tree"

    def __init__(self, root: Path) -> None:
        """Use Repo.snapshot."""
        self._root = root
        self._paths: tuple[str, ...] | None = None

    def paths(self) -> tuple[str, ...]:
        """Give every file that is there."""
        if self._paths is None:
            listed = command.run(self._root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
            self._paths = tuple(sorted({p for p in command.split(listed) if os.path.lexists(self._root / p)}))
        return self._paths

    def glob(self, pattern: str) -> list[str]:
        """Give the files that match."""
        return [path for path in self.paths() if globs.matches(pattern, path)]

    def read(self, path: str) -> bytes | None:
        """Give a file's content; neither the file nor a folder on the way may be a symbolic link."""
        if path.startswith("/") or ".." in path.split("/"):
            raise refusal(path, "the path leads out of the repository")
        place = self._root
        for part in path.split("/"):
            place /= part
            try:
                mode = place.lstat().st_mode
            except (FileNotFoundError, NotADirectoryError):
                return None
            if stat.S_ISLNK(mode):
                raise refusal(path, "this is, or lies behind, a symbolic link, which is not followed")
        if stat.S_ISDIR(mode):
            return None
        if not stat.S_ISREG(mode):
            raise refusal(path, "this is a device, pipe or socket")
        if place.stat().st_size > LARGEST:
            raise refusal(path, f"the file has more than the {LARGEST} bytes that are read")
        with os.fdopen(os.open(place, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            return file.read()

    def close(self) -> None:
        """Nothing is held."""
