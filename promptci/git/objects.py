"""Read git's objects through one `cat-file --batch` that stays open: a process for each file would be slow."""

import subprocess
from pathlib import Path
from typing import IO

from promptci.errors import GitError
from promptci.git import command

CHUNK = 2**20


class ObjectReader:
    """The objects of a repository, by their ids."""

    def __init__(self, root: Path) -> None:
        """No process is started before the first object is asked for."""
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None

    def read(self, oid: str, max_bytes: int) -> tuple[int, bytes]:
        """Return a blob's size and content; of one over `largest` bytes no content, nor is it held in memory.

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
        """End the process."""
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
