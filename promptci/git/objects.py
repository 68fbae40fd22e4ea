"""Read git's objects through one `cat-file --batch` that stays open: a process for each file would be slow."""

import os
import subprocess
from pathlib import Path
from typing import IO

from promptci.errors import GitError
from promptci.git import command

CHUNK = 2**20


class ObjectReader:
    """The objects of a repository, by their ids; shared by all snapshots of it that are open."""

    def __init__(self, root: Path) -> None:
        """No process is started before the first object is asked for."""
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._users = 0

    @property
    def is_open(self) -> bool:
        """Whether someone will close it."""
        return self._users > 0

    def open(self) -> "ObjectReader":
        """Count one user more; each calls `close`."""
        self._users += 1
        return self

    def find_commit(self, rev: str) -> str | None:
        """Return a revision's commit; None where there is none, or where git can say more in a process of its own."""
        name = os.fsencode(f"{rev}^{{commit}}")
        if b"\n" in name:
            return None
        try:
            questions, answers = self._pipes()
            questions.write(name + b"\n")
            questions.flush()
            header = answers.readline().split()
            if len(header) == 3 and header[1] == b"commit" and header[2].isdigit():
                _skip(answers, int(header[2]) + 1)
                return header[0].decode()
        except OSError:
            header = []
        if not header:  # some revisions, such as `main@{9999}`, make git end
            self._stop()
        return None

    def read(self, oid: str, max_bytes: int) -> tuple[int, bytes]:
        """Return a blob's size and content; of one over `max_bytes` no content, nor is it held in memory.

        Raises
        ------
        GitError
            Where git does not have the object.
        """
        fix = "The clone may be partial; clone without a filter."
        try:
            questions, answers = self._pipes()
            questions.write(oid.encode() + b"\n")
            questions.flush()
            header = answers.readline().split()
            if len(header) != 3 or header[1] != b"blob":
                raise GitError(f"git has no content for the object {oid}", fix)
            size = int(header[2])
            content = answers.read(size + 1)[:-1] if size <= max_bytes else _skip(answers, size + 1)
        except OSError as error:
            raise GitError(f"git cat-file ended while it was asked for {oid}", "Run `git fsck`.") from error
        return size, content

    def close(self) -> None:
        """End the process when the last user is done."""
        self._users -= 1
        if self._users <= 0:
            self._stop()

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()  # it only reads: nothing is left half done
            process.communicate()

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        if self._process is None:
            self._process = subprocess.Popen(
                command.build_command(self._root, "cat-file", "--batch"),
                env=command.build_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        if self._process.stdin is None or self._process.stdout is None:
            raise GitError("git cat-file has no pipes")
        return self._process.stdin, self._process.stdout


def _skip(stream: IO[bytes], count: int) -> bytes:
    while count > 0:
        count -= len(stream.read(min(count, CHUNK))) or count
    return b""
