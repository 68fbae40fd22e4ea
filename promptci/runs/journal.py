"""Every answer on one line of a file, written the moment it came: what a killed run has paid for is not lost."""

import fcntl
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from promptci.errors import InputError, Problem, PromptciError
from promptci.files import append, lines
from promptci.redact import Redactor
from promptci.runs import answer_codec
from promptci.runs.model import Answer

SCHEMA = "promptci/journal/v1"
FLUSH_S = 1.0
_NAME_ANOTHER = "Name the journal.jsonl of an earlier run."
_START_AFRESH = "Remove the file and run again; its answers must then be paid for again."
_LINE = json.JSONEncoder(separators=(",", ":")).encode
_HEADER = f'{{"schema":"{SCHEMA}","run":'.encode()


class Journal:
    """A journal being written; one process at a time.

    Each answer is handed to the system in one write as it comes, so that killing the process at any moment loses at
    most the line being written. It is brought to the disk every second, so that a machine that goes down loses the
    answers of about one: a call for each would cost more time than many an answer.
    """

    def __init__(self, path: Path, descriptor: int, redactor: Redactor) -> None:
        """Hold what `open` has opened."""
        self._path = path
        self._descriptor: int | None = descriptor
        self._redactor = redactor
        self._now: Callable[[], float] = time.monotonic
        self._flushed = self._now()

    @classmethod
    def open(cls, path: Path, *, run: Mapping[str, Any] | None = None, redactor: Redactor | None = None) -> "Journal":
        """Begin a journal with `run` in its header, or go on with the one that is there.

        A line that a killed run left torn is cut off. Secrets that `redactor` finds are not written.

        Raises
        ------
        InputError
            Where the file cannot be written, or is no journal.
        PromptciError
            Where another process is writing it.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise _unwritable(path, error) from error
        journal = cls(path, descriptor, redactor or Redactor())
        try:
            journal._begin(run or {})
        except BaseException:
            os.close(descriptor)
            raise
        return journal

    def append(self, answer: Answer) -> None:
        """Write one answer; raises InputError where that is not possible, such as on a full disk."""
        row = answer_codec.to_json(answer)
        line = _LINE(row)
        self._put(line if self._redactor.is_clean(line) else _LINE(_safe(row, self._redactor)))

    def flush(self) -> None:
        """Bring what was written from the system's memory to the disk; raises InputError where that fails.

        Needed against a failure of the machine only: what was written survives the end of the process by itself.
        """
        try:
            if self._descriptor is not None:
                os.fsync(self._descriptor)
        except OSError as error:
            raise _unwritable(self._path, error) from error

    def close(self) -> None:
        """Flush and close; doing it twice does no harm."""
        if self._descriptor is not None:
            try:
                self.flush()
            finally:
                os.close(self._descriptor)
                self._descriptor = None

    def __enter__(self) -> Self:
        """Give the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _begin(self, run: Mapping[str, Any]) -> None:
        descriptor = self._opened()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            fix = "Wait for it to end, or name another output folder."
            raise PromptciError(f"another run is writing {self._path}", fix) from error
        end = append.find_end_of_last_line(descriptor)
        begun = os.pread(descriptor, len(_HEADER), 0)
        if end or begun != _HEADER[: len(begun)]:
            load_journal(self._path)  # refuses what is no journal before anything is changed in it
        os.ftruncate(descriptor, end)
        os.lseek(descriptor, end, os.SEEK_SET)
        if not end:
            self._put(_LINE({"schema": SCHEMA, "run": self._redactor.redact_value(run)}))

    def _put(self, line: str) -> None:
        rest = memoryview(line.encode() + b"\n")
        try:
            while rest:
                rest = rest[os.write(self._opened(), rest) :]
        except OSError as error:
            raise _unwritable(self._path, error) from error
        if self._now() - self._flushed >= FLUSH_S:
            self._flushed = self._now()
            self.flush()

    def _opened(self) -> int:
        if self._descriptor is None:
            raise ValueError("the journal is closed")
        return self._descriptor


def load_journal(path: Path) -> tuple[dict[str, Any], tuple[Answer, ...]]:
    """Give what the header says of the run, and the answers in the order they came.

    A last line without its end, which a killed run leaves, is passed over.

    Raises
    ------
    InputError
        Naming every other line that cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        what = f"the journal cannot be read: {error.strerror}"
        raise InputError([Problem(path=str(path), message=what, hint=_NAME_ANOTHER)]) from error
    text = lines.decode_utf8(content[: content.rfind(b"\n") + 1], str(path))
    values, problems = lines.parse_jsonl(text, str(path))
    run = _run(values[0][1] if values else None)
    if run is None:
        what = f"this is no journal: its first line does not say `{SCHEMA}`"
        raise InputError([Problem(path=str(path), line=1, message=what, hint=_NAME_ANOTHER)])
    answers = []
    for number, value in values[1:]:
        try:
            answers.append(answer_codec.from_json(value))
        except ValueError as error:
            problems.append(Problem(path=str(path), line=number, message=str(error), hint=_START_AFRESH))
    if problems:
        raise InputError(problems)
    return run, tuple(answers)


def _safe(item: Any, redactor: Redactor) -> Any:
    """Take secrets out of the values; the keys of a row are ours."""
    if isinstance(item, Mapping):
        return {key: _safe(inner, redactor) for key, inner in item.items()}
    return redactor.redact(item) if isinstance(item, str) else item


def _run(header: object) -> dict[str, Any] | None:
    if not isinstance(header, Mapping) or header.get("schema") != SCHEMA or not isinstance(header.get("run"), Mapping):
        return None
    return dict(header["run"])


def _unwritable(path: Path, error: OSError) -> InputError:
    what = f"the journal cannot be written: {error.strerror}"
    return InputError([Problem(path=str(path), message=what, hint="Free the disk, or name another output folder.")])
