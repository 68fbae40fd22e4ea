"""Read git's objects through one `cat-file --batch` that stays open: a process for each file would be slow."""

import io
import os
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from promptci.errors import GitError
from promptci.git import command

CHUNK = 2**20
MAX_PENDING = 100
"""Objects that are asked for at once: their names fit into a pipe, so that neither side waits for the other."""
MAX_BYTES_IN_MEMORY = 4 * 2**20
"""Larger blobs that are opened are in a temporary file."""
MAX_KEPT_BYTES, MAX_KEPT_TOTAL = 2**16, 2**26
"""Size of an object that is kept after it was read ahead, and of all of them."""


class ObjectReader:
    """The objects of a repository, by their ids; shared by all snapshots of it that are open."""

    def __init__(self, root: Path) -> None:
        """No process is started before the first object is asked for."""
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        self._users = 0
        self._kept: dict[str, bytes] = {}
        self._kept_bytes = 0

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

    def read_ahead(self, oids: Iterable[str]) -> None:
        """Read small blobs together and keep them for `read`: asking for one at a time takes ten times as long."""
        missing_oids = [oid for oid in dict.fromkeys(oids) if oid not in self._kept]
        for start in range(0, len(missing_oids), MAX_PENDING):
            if self._kept_bytes > MAX_KEPT_TOTAL:
                return
            chunk = missing_oids[start : start + MAX_PENDING]
            try:
                questions, answers = self._pipes()
                questions.write("".join(f"{oid}\n" for oid in chunk).encode())
                questions.flush()
                contents = {oid: _read_small_blob(answers) for oid in chunk}
            except OSError:
                self._stop()  # `read` asks again, and tells what is wrong
                return
            self._kept.update((oid, content) for oid, content in contents.items() if content is not None)
            self._kept_bytes += sum(len(content or b"") for content in contents.values())

    def read(self, oid: str, max_bytes: int) -> tuple[int, bytes]:
        """Return a blob's size and content; of one over `max_bytes` no content, nor is it held in memory.

        Raises
        ------
        GitError
            Where git does not have the object.
        """
        size, file = self.open_blob(oid, max_bytes)
        with file:
            return size, file.read()

    def open_blob(self, oid: str, max_bytes: int) -> tuple[int, IO[bytes]]:
        """Return a blob's size and content as a file: on disk, where it is large. Over `max_bytes` the file is empty.

        Raises
        ------
        GitError
            Where git does not have the object.
        """
        if oid in self._kept:
            return len(self._kept[oid]), io.BytesIO(self._kept[oid])
        try:
            size, answers = self._request_blob(oid)
            return size, _receive(answers, size, max_bytes)
        except OSError as error:
            raise _ended(oid) from error

    def _request_blob(self, oid: str) -> tuple[int, IO[bytes]]:
        """Ask git for a blob; return its size, and the pipe from which its content and a line end have to be read."""
        questions, answers = self._pipes()
        questions.write(oid.encode() + b"\n")
        questions.flush()
        header = answers.readline().split()
        if len(header) != 3 or header[1] != b"blob":
            fix = "The clone may be partial; clone without a filter."
            raise GitError(f"git has no content for the object {oid}", fix)
        return int(header[2]), answers

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
            self._process = _start(self._root)
        if self._process.stdin is None or self._process.stdout is None:
            raise GitError("git cat-file has no pipes")
        return self._process.stdin, self._process.stdout


def _start(root: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command.build_command(root, "cat-file", "--batch"),
        env=command.build_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _read_small_blob(answers: IO[bytes]) -> bytes | None:
    """Read one answer of git; return None for what is missing, too large or no blob."""
    header = answers.readline().split()
    if len(header) != 3 or not header[2].isdigit():
        return None
    size = int(header[2])
    if header[1] == b"blob" and size <= MAX_KEPT_BYTES:
        return answers.read(size + 1)[:-1]
    _skip(answers, size + 1)
    return None


def _ended(oid: str) -> GitError:
    return GitError(f"git cat-file ended while it was asked for {oid}", "Run `git fsck`.")


def _receive(answers: IO[bytes], size: int, max_bytes: int) -> IO[bytes]:
    """Return a file with the content that follows; of one over `max_bytes` an empty file."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=MAX_BYTES_IN_MEMORY)  # noqa: SIM115 - the caller's
    try:
        if size <= max_bytes:
            _copy(answers, file, size)
        _skip(answers, 1 if size <= max_bytes else size + 1)
    except OSError:
        file.close()
        raise
    file.seek(0)
    return file


def _copy(stream: IO[bytes], file: IO[bytes], count: int) -> None:
    while count > 0:
        piece = stream.read(min(count, CHUNK))
        if not piece:
            raise OSError("the pipe ended")
        file.write(piece)
        count -= len(piece)


def _skip(stream: IO[bytes], count: int) -> bytes:
    while count > 0:
        count -= len(stream.read(min(count, CHUNK))) or count
    return b""
