"""The journal: one line per answer, written as it arrives, so that a killed run loses nothing it has paid for."""

import errno
import gzip
import json
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from promptci.documents.document import Document
from promptci.errors import InputError, Problem, PromptciError
from promptci.files import append, lines, write
from promptci.files.system.lock import lock_exclusively
from promptci.files.system.open_file import READ_WRITE, open_file, read_at
from promptci.redact import Redactor
from promptci.runs.model import ANSWER_CODEC, Answer

FLUSH_S = 1.0
MAX_PLAIN_BYTES = 1_000_000
"""The journal of a finished run that is larger is compressed."""
MAX_UNPACKED_BYTES = 2**31
"""A larger one may have been made to fill the memory."""
COMPRESSED_SUFFIX = ".gz"
_NAME_ANOTHER = "Name the journal.jsonl, or journal.jsonl.gz, of an earlier run."
_START_AFRESH = "Remove the file and run again; its answers have to be paid for again."
_GZIP = 16
"""Added to zlib's window bits: with the header of gzip."""
_PIECE_BYTES = 2**20
_LINE = json.JSONEncoder(separators=(",", ":")).encode


class JournalRun(BaseModel):
    """The run that a journal belongs to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base: str | None = None
    """Commit; None for a run of one revision."""
    head: str | None = None
    """Commit; None for the working tree."""
    config: str = "promptci.yml"
    """Path of the configuration."""
    plan: str | None = None
    """Fingerprint of the plan."""
    shard: str | None = None
    """Such as `3/10`; None for the whole run."""
    promptci: str | None = None
    """Version that wrote the journal."""
    endpoint: str | None = None
    """What was asked: the provider's kind and address."""

    def redacted(self, redactor: Redactor) -> "JournalRun":
        """Return the run as the journal's header holds it."""
        return JournalRun.model_validate(redactor.redact_value(self.model_dump()))


class JournalHeader(Document):
    """The first line of a journal."""

    schema_: Literal["promptci/journal/v1"] = Field(default="promptci/journal/v1", alias="schema")
    run: JournalRun


_HEADER_START = f'{{"schema":"{JournalHeader.schema_id()}","run":'.encode()


class Journal:
    """A journal that one process writes.

    Each answer is one write to the operating system, so a killed process loses at most the line being written. The
    file is synced to disk once a second: a sync per answer would cost more time than many answers take.
    """

    def __init__(self, path: Path, descriptor: int, redactor: Redactor) -> None:
        """Wrap an open file; use `open`."""
        self._path = path
        self._descriptor: int | None = descriptor
        self._redactor = redactor
        self._now: Callable[[], float] = time.monotonic
        self._flushed = self._now()

    @classmethod
    def open(cls, path: Path, *, run: JournalRun | None = None, redactor: Redactor | None = None) -> "Journal":
        """Start a journal with `run` in its header, or continue an existing one.

        An incomplete last line, left by a killed run, is removed. Secrets that `redactor` finds are not written.

        Raises
        ------
        InputError
            If the file cannot be written, or is not a journal.
        PromptciError
            If another process is writing it.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = open_file(path, READ_WRITE)
        except OSError as error:
            raise unwritable(path, error) from error
        journal = cls(path, descriptor, redactor or Redactor())
        try:
            journal._start(run or JournalRun())
        except BaseException:
            os.close(descriptor)
            raise
        return journal

    def append(self, answer: Answer) -> None:
        """Write one answer; raises InputError if that fails, for example on a full disk."""
        line = ANSWER_CODEC.dump(answer)
        if not self._redactor.is_clean(line):
            line = _LINE(_redact_values(ANSWER_CODEC.to_json(answer), self._redactor))
        self._write_line(line)

    def flush(self) -> None:
        """Sync to disk; raises InputError if that fails.

        Only a crash of the machine makes this necessary: what was written survives the end of the process.
        """
        try:
            if self._descriptor is not None:
                os.fsync(self._descriptor)
        except OSError as error:
            raise unwritable(self._path, error) from error

    def close(self) -> None:
        """Flush and close; may be called twice."""
        if self._descriptor is not None:
            try:
                self.flush()
            finally:
                os.close(self._descriptor)
                self._descriptor = None

    def __enter__(self) -> Self:
        """Return the journal."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _start(self, run: JournalRun) -> None:
        descriptor = self._open_descriptor()
        try:
            lock_exclusively(descriptor)
        except OSError as error:
            hint = "Wait for it to end, or name another output folder."
            raise PromptciError(f"another run is writing {self._path}", hint) from error
        end = append.find_end_of_last_line(descriptor)
        prefix = read_at(descriptor, len(_HEADER_START), 0)
        if end or prefix != _HEADER_START[: len(prefix)]:
            load_journal(self._path)  # raises before anything is changed if the file is not a journal
        os.ftruncate(descriptor, end)
        os.lseek(descriptor, end, os.SEEK_SET)
        if not end:
            self._write_line(JournalHeader(run=run.redacted(self._redactor)).model_dump_json(by_alias=True))

    def _write_line(self, line: str) -> None:
        unwritten = memoryview(line.encode() + b"\n")
        try:
            while unwritten:
                unwritten = unwritten[os.write(self._open_descriptor(), unwritten) :]
        except OSError as error:
            raise unwritable(self._path, error) from error
        if self._now() - self._flushed >= FLUSH_S:
            self._flushed = self._now()
            self.flush()

    def _open_descriptor(self) -> int:
        if self._descriptor is None:
            raise ValueError("the journal is closed")
        return self._descriptor


@contextmanager
def compressing(path: Path) -> Iterator[None]:
    """Compress the large journal of a run while its report is written: it is only read again to draw that report.

    A thread does it, for compression holds no lock. Where it is impossible, as on a full disk, or where the report
    cannot be written, the journal stays as it is.
    """
    if not path.exists() or path.stat().st_size <= MAX_PLAIN_BYTES:
        yield
        return
    packed = path.with_name(path.name + COMPRESSED_SUFFIX)
    written: list[Path] = []
    thread = threading.Thread(target=_write_compressed, args=(path, packed, written), name="compress-journal")
    thread.start()
    superfluous = packed
    try:
        yield
        superfluous = path
    finally:
        thread.join()
        if written:
            with suppress(OSError):
                superfluous.unlink()


def _write_compressed(path: Path, packed: Path, written: list[Path]) -> None:
    """Write the compressed form of a journal, and note it in `written` once it is whole."""
    with suppress(OSError), path.open("rb") as source:
        write.write_chunks(packed, _compress(source))
        written.append(packed)


def _compress(source: IO[bytes]) -> Iterator[bytes]:
    """Yield the gzip form of a file, without its name and time: equal journals give equal files."""
    compressor = zlib.compressobj(6, wbits=zlib.MAX_WBITS | _GZIP)
    while piece := source.read(_PIECE_BYTES):
        yield compressor.compress(piece)
    yield compressor.flush()


def _read(path: Path, max_unpacked_bytes: int) -> bytes:
    """Return the content of a journal, unpacked."""
    if path.suffix != COMPRESSED_SUFFIX:
        return path.read_bytes()
    try:
        with gzip.open(path) as file:
            content = file.read(max_unpacked_bytes + 1)
    except (EOFError, zlib.error) as error:
        raise OSError(errno.EIO, "it is damaged") from error
    if len(content) > max_unpacked_bytes:
        raise OSError(errno.EFBIG, f"it holds more than {max_unpacked_bytes:,} bytes")
    return content


def load_journal(path: Path, *, max_unpacked_bytes: int = MAX_UNPACKED_BYTES) -> tuple[JournalRun, tuple[Answer, ...]]:
    """Return the run's facts from the header, and the answers in the order they came.

    An incomplete last line, which a killed run leaves behind, is skipped. A compressed journal is unpacked, up to
    `max_unpacked_bytes`.

    Raises
    ------
    InputError
        Naming every other line that cannot be read.
    """
    try:
        content = _read(path, max_unpacked_bytes)
    except OSError as error:
        message = f"the journal cannot be read: {error.strerror or error}"
        raise InputError([Problem(path=str(path), message=message, hint=_NAME_ANOTHER)]) from error
    header, *rows = lines.decode_utf8(content[: content.rfind(b"\n") + 1], str(path)).split("\n")
    try:
        run = JournalHeader.parse(header, str(path)).run
    except InputError as error:
        message = f"not a journal: the schema `{JournalHeader.schema_id()}` is missing from its first line"
        raise InputError([Problem(path=str(path), line=1, message=message, hint=_NAME_ANOTHER)]) from error
    answers, problems = [], []
    for number, row in enumerate(rows, start=2):
        try:
            if row.strip():
                answers.append(parse_answer(row))
        except ValueError as error:
            problems.append(Problem(path=str(path), line=number, message=str(error), hint=_START_AFRESH))
    if problems:
        raise InputError(problems[: lines.MAX_PROBLEMS])
    return run, tuple(answers)


def parse_answer(row: str) -> Answer:
    """Parse one line of a journal; raises ValueError naming what is wrong."""
    answer = ANSWER_CODEC.parse(row)
    if (answer.completion is None) == (answer.error is None):
        raise ValueError("an answer has either a `completion` or an `error`")
    return answer


def _redact_values(item: Any, redactor: Redactor) -> Any:
    """Redact the values only: the keys of a row are ours."""
    if isinstance(item, Mapping):
        return {key: _redact_values(inner, redactor) for key, inner in item.items()}
    return redactor.redact(item) if isinstance(item, str) else item


def unwritable(path: Path, error: OSError) -> InputError:
    """Return the error that a journal cannot be written."""
    message = f"the journal cannot be written: {error.strerror}"
    return InputError([Problem(path=str(path), message=message, hint="Free disk space or name another output folder.")])
