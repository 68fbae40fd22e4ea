"""Read the folders that shards wrote; they come from artifacts, so they are validated as untrusted files."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from promptci.errors import InputError, Problem
from promptci.git import safe_open
from promptci.lazy_dataclass import dataclass
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
    """Read every shard that lies in these folders or one level below them, and collect what cannot be used.

    No link is followed out of them, and no file above its size limit is read.
    """
    shards: list[HandedIn] = []
    problems: list[Problem] = []
    for folder in folders:
        places = list(_places(folder))
        if not places:
            message = f"there is no {RECORD} in it, nor in a folder in it"
            problems.append(Problem(path=str(folder), message=message, hint="Name the folder that the shards wrote."))
        for place in places:
            try:
                shards.append(read(place))
            except InputError as error:
                problems += error.problems
    return sorted(shards, key=lambda shard: (shard.record.index, shard.where)), problems


def read(folder: Path) -> HandedIn:
    """Read one shard's folder; raise InputError if it is not what a shard writes."""
    where = str(folder / RECORD)
    record = ShardRecord.parse(_content(folder, RECORD, ShardRecord.MAX_BYTES), where)
    content = _content(folder, JOURNAL, LARGEST_JOURNAL)
    if hashlib.sha256(content).hexdigest() != record.journal_sha256:
        raise _build_error(str(folder / JOURNAL), f"this is not the journal that {RECORD} names, or not all of it")
    answers: tuple[Answer, ...] = ()
    if content:
        header, answers = journal.load_journal(folder / JOURNAL)
        written = (header.base, header.head, header.config, header.shard)
        if written != (record.base, record.head, record.config, f"{record.index}/{record.count}"):
            raise _build_error(str(folder / JOURNAL), f"this is the journal of another run than {RECORD} beside it")
    own = {answer.key for answer in answers if answer.prompt != JUDGE_PROMPT_NAME}
    if len(own) < record.questions:
        message = f"{RECORD} counts {record.questions} questions, and {len(own)} answers are here"
        raise _build_error(str(folder / JOURNAL), message)
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
        raise _build_error(str(folder / name), "there is no such file")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(largest + 1)
    if len(content) > largest:
        raise _build_error(str(folder / name), f"it has more than the {largest} bytes that are read")
    return content


def _build_error(path: str, message: str) -> InputError:
    return InputError([Problem(path=path, message=message, hint=_AGAIN)])


def find_duplicates(shards: Sequence[HandedIn]) -> list[Problem]:
    """Return a problem for each folder that answers questions of another shard."""
    first: dict[object, HandedIn] = {}
    problems = []
    for shard in shards:
        others = {first.setdefault(a.key, shard).name for a in shard.answers if a.prompt != JUDGE_PROMPT_NAME} - {
            shard.name
        }
        if others:
            message = f"it answers questions that are shard {min(others)}'s"
            problems.append(Problem(path=shard.where, message=message, hint=_AGAIN))
    return problems
