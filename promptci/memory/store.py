"""A folder of append-only JSON lines: one file per day and kind; old files are deleted."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path

from promptci.files import append
from promptci.files.system.open_file import open_file
from promptci.lazy_dataclass import dataclass
from promptci.memory.model import MEMORY_LINES, CaseRecord, Feedback, Line, VerdictRecord

_FILE_NAME = re.compile(r"(verdicts|cases)-(\d{4}-\d\d-\d\d)\.jsonl")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
LOCK = ".lock"


@dataclass(frozen=True, kw_only=True, slots=True)
class Retention:
    """How much of a memory is kept."""

    keep_days: int = 180
    max_case_bytes: int = 32 * 2**20
    """Of case records; beyond it the oldest days are deleted. Verdicts and feedback are few and stay."""
    lock_timeout_s: float = append.DEFAULT_LOCK_TIMEOUT_S
    """How long to wait for another writer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """The content of a memory, oldest first."""

    verdicts: tuple[VerdictRecord, ...] = ()
    """Each once, however often it was written."""
    feedback: tuple[Feedback, ...] = ()
    cases: tuple[CaseRecord, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be read."""

    @property
    def latest_feedback(self) -> dict[str, Feedback]:
        """The last feedback on each verdict, by verdict id."""
        return {feedback.id: feedback for feedback in self.feedback}


class Memory:
    """The memory in one folder. A fault in it never fails a run; it becomes a note."""

    def __init__(
        self, folder: Path, *, today: date, label: str | None = None, retention: Retention | None = None
    ) -> None:
        """Use `folder`, which need not exist yet; notes call it `label`."""
        self._retention = retention or Retention()
        self._folder = folder
        self._label = label or str(folder)
        self._today = today
        self._oldest = today - timedelta(days=self._retention.keep_days)

    def read(self) -> Past:
        """Read all lines; a line torn by a kill is skipped, damaged ones are counted in one note."""
        verdicts: dict[str, VerdictRecord] = {}
        feedback: list[Feedback] = []
        cases: list[CaseRecord] = []
        damaged: list[str] = []
        notes: list[str] = []
        try:
            for line in self._lines(damaged):
                if isinstance(line, CaseRecord):  # nearly all of them
                    cases.append(line)
                elif isinstance(line, VerdictRecord):
                    verdicts.setdefault(line.id, line)
                else:
                    feedback.append(line)
        except OSError as error:
            notes.append(f"{self._label}: the memory cannot be read: {error.strerror}.")
        if damaged:
            count = f"{len(damaged)} damaged lines were" if len(damaged) > 1 else "a damaged line was"
            notes.append(f"{self._label}: {count} skipped; the first is {damaged[0]}.")
        return Past(verdicts=tuple(verdicts.values()), feedback=tuple(feedback), cases=tuple(cases), notes=tuple(notes))

    def append(self, lines: Iterable[Line]) -> str | None:
        """Append lines and delete what is too old; return why that was not possible, or None.

        Lines that are too old to be kept are not written.
        """
        rows_by_file: dict[str, list[bytes]] = {}
        for line in lines:
            day = self._day(line)
            if day >= self._oldest:
                name = f"{'cases' if isinstance(line, CaseRecord) else 'verdicts'}-{day}.jsonl"
                text = json.dumps(MEMORY_LINES.to_value(line), separators=(",", ":"))
                rows_by_file.setdefault(name, []).append(text.encode() + b"\n")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with append.lock_file(self._folder / LOCK, self._retention.lock_timeout_s):
                for name, rows in rows_by_file.items():
                    append.append_lines(self._folder / name, b"".join(rows))
                self._delete_old_files()
        except BlockingIOError:
            return f"{self._label}: another process is writing the memory, so nothing was added."
        except OSError as error:
            return f"{self._label}: the memory cannot be written: {error.strerror}."
        return None

    def is_too_old(self, line: Line) -> bool:
        """Return whether a line would not be kept."""
        return self._day(line) < self._oldest

    def _day(self, line: Line) -> date:
        """Return the day whose file a line belongs to; today for a missing, invalid or future date."""
        match = _DAY.match(line.at)
        try:
            return min(date.fromisoformat(match[0]), self._today) if match else self._today
        except ValueError:
            return self._today

    def _files(self) -> list[Path]:
        """Return the files in use, oldest first."""
        if not self._folder.exists():
            return []
        days = [(match[2], file) for file in self._folder.iterdir() if (match := _FILE_NAME.fullmatch(file.name))]
        return [file for day, file in sorted(days) if day >= str(self._oldest)]

    def _lines(self, damaged: list[str]) -> Iterator[Line]:
        for file in self._files():
            try:
                descriptor = open_file(file)
            except FileNotFoundError:  # another process has deleted it
                continue
            with os.fdopen(descriptor, "rb") as source:
                content = source.read()
            for number, text in enumerate(content[: content.rfind(b"\n") + 1].split(b"\n"), start=1):
                if not text.strip():
                    continue
                try:
                    line = MEMORY_LINES.parse(text)
                except (ValueError, RecursionError):
                    damaged.append(f"{file.name}:{number}")
                else:
                    if line is not None:
                        yield line

    def _delete_old_files(self) -> None:
        """Delete files past retention, and the oldest case records while they exceed their size limit."""
        sizes: list[tuple[Path, int]] = []
        for file in self._folder.iterdir():
            match = _FILE_NAME.fullmatch(file.name)
            if match is None:
                continue
            if match[2] < str(self._oldest):
                file.unlink()
            elif match[1] == "cases":
                sizes.append((file, file.stat().st_size))
        total = sum(size for _, size in sizes)
        for file, size in sorted(sizes):
            if total <= self._retention.max_case_bytes:
                break
            file.unlink()
            total -= size
