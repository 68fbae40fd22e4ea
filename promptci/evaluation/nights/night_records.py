"""Read and write the nights on the history branch: one line for each prompt, and its answers where they are kept."""

import gzip
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from promptci.drift.chart import ChartState
from promptci.drift.facts import MissedNights, SeenModel, SeenModels
from promptci.drift.night import (
    ANSWERS_PATH,
    KEEP_ANSWERS_DAYS,
    KEEP_NIGHTS_DAYS,
    NIGHT_PATH,
    UNASKED,
    NightLine,
)
from promptci.errors import InputError, Problem
from promptci.files import gunzip
from promptci.git.data_branch import BranchFiles
from promptci.history.branch_records import RecordLine, add_lines, prune_files
from promptci.history.record_kind import RecordKind
from promptci.lazy_dataclass import dataclass

NIGHTS = RecordKind(path=NIGHT_PATH, document=NightLine, keep_days=KEEP_NIGHTS_DAYS)
ANSWERS = RecordKind(path=ANSWERS_PATH, keep_days=KEEP_ANSWERS_DAYS, max_line_bytes=2**20)
MAX_FILES = 90
"""Newest files of nights that are read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredAnswer:
    """One answer of an earlier night, and the mark that it had then."""

    prompt: str
    case: str
    text: str
    mark: float
    goldens: str
    judge: str
    day: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Nights:
    """The newest nights of one prompt, oldest first."""

    lines: tuple[NightLine, ...]

    @property
    def last(self) -> NightLine | None:
        """The newest night, answered or not."""
        return self.lines[-1] if self.lines else None

    def state(self, reference: str, day: str) -> ChartState:
        """Return where the chart of a reference stands before a day; a new reference starts it again.

        Several runs on one day are one night: the last one replaces what those before it added to the sum. A drift
        that one of them opened stays open, and one that it closed stays closed.
        """
        lines = [line for line in self.lines if line.reference == reference] if self.is_current(reference) else []
        before = [line for line in lines if line.day < day]
        earlier = _state_after(before[-1]) if before else ChartState()
        if len(before) == len(lines):
            return earlier
        today = _state_after(lines[-1])
        if earlier.since is not None and today.since is None:
            return replace(today, steady=min(earlier.steady, today.steady))
        return replace(earlier, since=today.since, steady=min(earlier.steady, today.steady))

    def is_current(self, reference: str) -> bool:
        """Return whether the newest night was compared with a reference."""
        return self.last is not None and self.last.reference == reference

    def find_gap(self, day: str) -> MissedNights | None:
        """Return the nights that are missing before a day."""
        answered = [line for line in self.lines if line.verdict not in UNASKED]
        if not answered:
            return None
        missed = (date.fromisoformat(day) - date.fromisoformat(answered[-1].day)).days - 1
        return MissedNights(last=answered[-1].day, nights=missed) if missed > 0 else None

    def find_new(self, kind: str, tonight: Sequence[str], known: Iterable[str], day: str) -> SeenModels | None:
        """Return models or fingerprints of tonight that the reference does not have, each with its first night."""
        known = set(known)
        field = "models" if kind == "model" else "system_fingerprint"
        seen = []
        for name in tonight:
            if name not in known:
                days = [line.day for line in self.lines if name in getattr(line, field)]
                seen.append(SeenModel(name=name, since=min([*days, day])))
        return SeenModels(kind=kind, seen=tuple(seen), before=tuple(sorted(known))) if seen and known else None


def _state_after(line: NightLine) -> ChartState:
    return ChartState(total=line.cusum, since=line.since, steady=line.steady)


def load_nights(files: BranchFiles) -> dict[str, Nights]:
    """Return the newest nights by prompt.

    Raises
    ------
    InputError
        For a line that cannot be read: what is forgotten would be a new start.
    """
    lines: dict[str, list[NightLine]] = {}
    newest = sorted(path for path in files.list_paths(NIGHTS.folder) if NIGHTS.match(path))[-MAX_FILES:]
    contents = {path: data for path, data in files.read_all(NIGHTS.folder) if path in set(newest)} if newest else {}
    for path in newest:
        for content in filter(None, contents[path].split(b"\n")):
            line = NightLine.parse(content, path)
            lines.setdefault(line.prompt, []).append(line)
    return {prompt: Nights(lines=tuple(rows)) for prompt, rows in lines.items()}


def write_nights(
    files: BranchFiles, lines: Sequence[NightLine], answers: Sequence[StoredAnswer], today: date
) -> dict[str, bytes | None]:
    """Return the branch's files with the lines of a night and its answers added, and without what is kept too long."""
    records = [
        RecordLine(path=NIGHTS.path_for(today), content=line.model_dump_json(by_alias=True, exclude_none=True).encode())
        for line in lines
    ]
    contents = dict(add_lines(files, records))
    if answers:
        path = ANSWERS.path_for(today)
        before = files.read(path)
        rows = [] if before is None else _unpack_rows(path, before)
        rows += [json.dumps(_to_value(answer), ensure_ascii=False, sort_keys=True).encode() for answer in answers]
        contents[path] = gzip.compress(b"\n".join(rows) + b"\n", mtime=0)
    return {**contents, **prune_files(files, [NIGHTS, ANSWERS], today)}


def _to_value(answer: StoredAnswer) -> Mapping[str, object]:
    return {name: getattr(answer, name) for name in StoredAnswer.__slots__}


def load_answers(files: BranchFiles, prompt: str, goldens: str, judge: str) -> list[StoredAnswer]:
    """Return the oldest stored answer to each case that was scored by the same tests; one a case."""
    by_case: dict[str, StoredAnswer] = {}
    for path, content in sorted(files.read_all(ANSWERS.folder)):
        if not ANSWERS.match(path):
            continue
        for answer in _parse_answers(path, content):
            if (answer.prompt, answer.goldens, answer.judge) == (prompt, goldens, judge):
                by_case.setdefault(answer.case, answer)
    return list(by_case.values())


def _parse_answers(path: str, content: bytes) -> list[StoredAnswer]:
    try:
        return [StoredAnswer(**json.loads(row)) for row in _unpack_rows(path, content)]
    except (ValueError, TypeError) as error:
        raise _unreadable(path, error) from error


def _unpack_rows(path: str, content: bytes) -> list[bytes]:
    try:
        return gunzip.decompress(content).splitlines()
    except ValueError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str, error: Exception) -> InputError:
    hint = "Take the file off the branch; later nights store their answers again."
    return InputError([Problem(path=path, message=f"the stored answers cannot be read: {error}", hint=hint)])


def parse_day(day: str) -> date:
    """Return a night line's day."""
    return date.fromisoformat(day)
