"""A folder of JSON lines that only grows at its end: one file a day for each kind, the oldest dropped in time."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from promptci.files import append
from promptci.history import model
from promptci.history.model import CaseRecord, Line, Mark, VerdictRecord

_FILE = re.compile(r"(verdicts|cases)-(\d{4}-\d\d-\d\d)\.jsonl")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
LOCK = ".lock"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """How much is kept."""

    keep_days: int = 180
    case_bytes: int = 32 * 2**20
    """Of case records; of more, the oldest days go. Verdicts and marks are few and stay."""
    patience_s: float = append.DEFAULT_LOCK_TIMEOUT_S
    """How long another writer is waited for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Past:
    """What a history holds, oldest first."""

    verdicts: tuple[VerdictRecord, ...] = ()
    """Each once, however often it was written."""
    marks: tuple[Mark, ...] = ()
    cases: tuple[CaseRecord, ...] = ()
    notes: tuple[str, ...] = ()
    """Such as lines that are damaged."""

    @property
    def judgements(self) -> dict[str, Mark]:
        """The last mark of each verdict, by the verdict's id."""
        return {mark.id: mark for mark in self.marks}


class History:
    """The history in one folder. Nothing in it is worth failing a run for: what goes wrong is a note."""

    def __init__(self, folder: Path, *, today: date, label: str | None = None, bounds: Bounds | None = None) -> None:
        """Use the folder, which need not be there yet; notes call it `label`."""
        self._bounds = bounds or Bounds()
        self._folder = folder
        self._label = label or str(folder)
        self._today = today
        self._oldest = today - timedelta(days=self._bounds.keep_days)

    def read(self) -> Past:
        """Read all that is there; a line torn by a kill is passed over, damaged ones are counted in one note."""
        verdicts: dict[str, VerdictRecord] = {}
        marks: list[Mark] = []
        cases: list[CaseRecord] = []
        damaged: list[str] = []
        notes: list[str] = []
        try:
            for line in self._lines(damaged):
                match line:
                    case VerdictRecord():
                        verdicts.setdefault(line.id, line)
                    case Mark():
                        marks.append(line)
                    case CaseRecord():
                        cases.append(line)
        except OSError as error:
            notes.append(f"{self._label}: the history cannot be read: {error.strerror}.")
        if damaged:
            several = f"{len(damaged)} lines are damaged and were" if len(damaged) > 1 else "a line is damaged and was"
            notes.append(f"{self._label}: {several} passed over; the first is {damaged[0]}.")
        return Past(verdicts=tuple(verdicts.values()), marks=tuple(marks), cases=tuple(cases), notes=tuple(notes))

    def append(self, lines: Iterable[Line]) -> str | None:
        """Write these lines, and drop what is too old; gives why that was not possible, or None.

        Lines older than is kept are not written.
        """
        by_file: dict[str, list[bytes]] = {}
        for line in lines:
            day = self._day(line)
            if day >= self._oldest:
                name = f"{'cases' if isinstance(line, CaseRecord) else 'verdicts'}-{day}.jsonl"
                text = json.dumps(model.to_json(line), separators=(",", ":"))
                by_file.setdefault(name, []).append(text.encode() + b"\n")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with append.lock_file(self._folder / LOCK, self._bounds.patience_s):
                for name, rows in by_file.items():
                    append.append_lines(self._folder / name, b"".join(rows))
                self._drop()
        except BlockingIOError:
            return f"{self._label}: another process is writing the history, so this was not added."
        except OSError as error:
            return f"{self._label}: the history cannot be written: {error.strerror}."
        return None

    def too_old(self, line: Line) -> bool:
        """Whether a line would not be kept."""
        return self._day(line) < self._oldest

    def _day(self, line: Line) -> date:
        """Give the day whose file a line belongs to; what bears no date, or one to come, is of today."""
        written = _DAY.match(line.at)
        try:
            return min(date.fromisoformat(written[0]), self._today) if written else self._today
        except ValueError:
            return self._today

    def _files(self) -> list[Path]:
        """Give the files in use, oldest first."""
        if not self._folder.exists():
            return []
        named = [(match[2], file) for file in self._folder.iterdir() if (match := _FILE.fullmatch(file.name))]
        return [file for day, file in sorted(named) if day >= str(self._oldest)]

    def _lines(self, damaged: list[str]) -> Iterator[Line]:
        for file in self._files():
            try:
                descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except FileNotFoundError:  # another process has dropped it
                continue
            with os.fdopen(descriptor, "rb") as source:
                content = source.read()
            for number, text in enumerate(content[: content.rfind(b"\n") + 1].split(b"\n"), start=1):
                if not text.strip():
                    continue
                try:
                    line = model.from_json(json.loads(text))
                except (ValueError, RecursionError):
                    damaged.append(f"{file.name}:{number}")
                else:
                    if line is not None:
                        yield line

    def _drop(self) -> None:
        """Remove files past use; of case records also the oldest days, while there is more than is kept."""
        sizes: list[tuple[Path, int]] = []
        for file in self._folder.iterdir():
            match = _FILE.fullmatch(file.name)
            if match is None:
                continue
            if match[2] < str(self._oldest):
                file.unlink()
            elif match[1] == "cases":
                sizes.append((file, file.stat().st_size))
        total = sum(size for _, size in sizes)
        for file, size in sorted(sizes):
            if total <= self._bounds.case_bytes:
                break
            file.unlink()
            total -= size
