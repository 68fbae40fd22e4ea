"""Read what shards left behind: folders that came through artifacts, checked as files of strangers are."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from promptci.errors import InputError, Problem
from promptci.git import safe_open
from promptci.pipeline.ask.resume import JOURNAL
from promptci.pipeline.judge_question import JUDGE_PROMPT_NAME
from promptci.pipeline.shard import MAX_SHARDS
from promptci.runs import journal
from promptci.runs.model import Answer
from promptci.shards.shard_run import RECORD, ShardRecord

LARGEST_JOURNAL = 2**30
"""Bytes; 100,000 answers of 2,000 letters have a quarter of that."""
_BLOCK = 2**20
_AGAIN = ShardRecord.HINT


@dataclass(frozen=True, kw_only=True, slots=True)
class HandedIn:
    """One shard's folder."""

    where: str
    """Its record, as the user named it."""
    record: ShardRecord
    answers: tuple[Answer, ...]

    @property
    def name(self) -> str:
        """Return `3/10`."""
        return f"{self.record.index}/{self.record.count}"


def read_all(folders: Iterable[Path]) -> tuple[list[HandedIn], list[Problem]]:
    """Read every shard that lies in these folders or one level below them, and say what cannot be used.

    Nothing is followed out of them, and nothing larger than it can honestly be is read.
    """
    found: list[HandedIn] = []
    problems: list[Problem] = []
    for folder in folders:
        places = list(_places(folder))
        if not places:
            what = f"there is no {RECORD} in it, nor in a folder in it"
            problems.append(Problem(path=str(folder), message=what, hint="Name the folder that the shards wrote."))
        for place in places:
            try:
                found.append(read(place))
            except InputError as error:
                problems += error.problems
    return sorted(found, key=lambda one: (one.record.index, one.where)), problems


def read(folder: Path) -> HandedIn:
    """Read one shard's folder; InputError where it is not what a shard writes."""
    where = str(folder / RECORD)
    record = ShardRecord.parse(_content(folder, RECORD, ShardRecord.MAX_BYTES), where)
    content = _content(folder, JOURNAL, LARGEST_JOURNAL)
    if hashlib.sha256(content).hexdigest() != record.journal_sha256:
        raise _refused(str(folder / JOURNAL), "this is not the journal that the shard wrote, or not all of it")
    answers: tuple[Answer, ...] = ()
    if content:
        header, answers = journal.load_journal(folder / JOURNAL)
        written = (header.base, header.head, header.config, header.shard)
        if written != (record.base, record.head, record.config, f"{record.index}/{record.count}"):
            raise _refused(str(folder / JOURNAL), "this is the journal of another run than the record beside it")
    own = {answer.key for answer in answers if answer.prompt != JUDGE_PROMPT_NAME}
    if len(own) < record.questions:
        what = f"the shard had {record.questions} questions, and {len(own)} answers are here"
        raise _refused(str(folder / JOURNAL), what)
    return HandedIn(where=where, record=record, answers=answers)


def _places(folder: Path) -> Iterator[Path]:
    if _is_there(folder):
        yield folder
        return
    try:
        inner = sorted(folder.iterdir())[: 2 * MAX_SHARDS]
    except OSError:
        return
    yield from (place for place in inner if not place.is_symlink() and place.is_dir() and _is_there(place))


def _is_there(folder: Path) -> bool:
    return os.path.lexists(folder / RECORD)


def _content(folder: Path, name: str, largest: int) -> bytes:
    descriptor = safe_open.open_plain_file(folder, name)
    if descriptor is None:
        raise _refused(str(folder / name), "there is no such file")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise _refused(str(folder / name), f"it has more than the {largest} bytes that are read")
    return content


def _refused(path: str, what: str) -> InputError:
    return InputError([Problem(path=path, message=what, hint=_AGAIN)])


def doubled(found: Sequence[HandedIn]) -> list[Problem]:
    """Name what more than one folder answers, though each question is one shard's."""
    first: dict[object, HandedIn] = {}
    problems = []
    for one in found:
        others = {first.setdefault(a.key, one).name for a in one.answers if a.prompt != JUDGE_PROMPT_NAME} - {one.name}
        if others:
            what = f"it answers questions that are shard {min(others)}'s"
            problems.append(Problem(path=one.where, message=what, hint=_AGAIN))
    return problems
