"""What the commands do to the history branch's files: add lines, check every line, take out what is old.

The functions compute new contents. `DataBranch.append` commits them, and calls again where another writer was faster.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from promptci.errors import InputError, Problem
from promptci.files import gunzip
from promptci.git.data_branch import BranchFiles
from promptci.history.record_kind import (
    FORMAT,
    FORMAT_FILE,
    MAX_BRANCH_BYTES,
    RecordKind,
    check_line,
    find_schema,
    kinds_by_schema,
    read_moment,
)
from promptci.lazy_dataclass import dataclass

MAX_PROBLEMS = 20
"""Problems that are reported."""
MAX_UNPACKED_BYTES = 64 * 2**20
ENDED_DAYS = 30
"""After so many days without a new line, a file of points is thinned."""
Contents = Mapping[str, bytes | None]
"""New contents by path; None: the file is deleted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordLine:
    """A valid line and the file it belongs into."""

    path: str
    content: bytes


def parse_new_lines(data: bytes, name: str, kinds: Sequence[RecordKind]) -> list[RecordLine]:
    """Return the lines of a file, each of the kind whose schema it names.

    Raises
    ------
    InputError
        With every line that cannot be added.
    """
    lines: list[RecordLine] = []
    problems: list[Problem] = []
    by_schema = kinds_by_schema(kinds)
    for number, line in _split(data):
        kind = by_schema.get(find_schema(line) or "")
        refusals = _refuse(kind, line, name, number, by_schema)
        problems += refusals
        moment = read_moment(line)
        if kind is not None and moment is not None and not refusals:
            lines.append(RecordLine(path=kind.path_for(moment.date()), content=line))
    if problems:
        raise InputError(problems[:MAX_PROBLEMS])
    if not lines:
        raise InputError([Problem(path=name, message="there is no line in it", hint="Nothing was added.")])
    return lines


def _refuse(
    kind: RecordKind | None, line: bytes, name: str, number: int, known: Mapping[str, RecordKind]
) -> list[Problem]:
    def flag(message: str, hint: str) -> list[Problem]:
        return [Problem(path=name, line=number, message=message, hint=hint)]

    if kind is None:
        schemas = ", ".join(f"`{schema}`" for schema in sorted(known))
        return flag("the line's `schema` is not one of the history branch", f"These are: {schemas}.")
    if kind.writer is not None:
        return flag(f"lines of `{kind.folder}` are not appended by hand", f"`{kind.writer}` writes them.")
    problems = check_line(kind, line, name, number)
    if not problems and read_moment(line) is None:
        return flag("`at` is not a time in UTC", "Write it like 2026-03-02T03:17:00Z.")
    return problems


def add_lines(files: BranchFiles, lines: Sequence[RecordLine]) -> dict[str, bytes | None]:
    """Return the files with the lines added; a line that a file already has is not added again."""
    contents: dict[str, bytes] = {}
    for line in lines:
        if line.path not in contents:  # a read is a process
            contents[line.path] = files.read(line.path) or b""
        content = contents[line.path]
        if line.content not in content.split(b"\n"):
            contents[line.path] = (
                content + (b"" if not content or content.endswith(b"\n") else b"\n") + line.content + b"\n"
            )
    return {FORMAT_FILE: FORMAT, **contents}


def check_files(files: BranchFiles, kinds: Sequence[RecordKind]) -> tuple[list[Problem], dict[str, int]]:
    """Return what is wrong on the branch, at most `MAX_PROBLEMS`, and the number of lines by kind."""
    problems: list[Problem] = []
    counts = dict.fromkeys((kind.folder for kind in kinds), 0)
    size = 0
    for path, content in files.read_all():
        size += len(content)
        kind = next((kind for kind in kinds if kind.match(path)), None)
        if kind is None:
            problems += _check_other(path, content)
            continue
        try:
            lines = list(_split(gunzip.decompress(content, MAX_UNPACKED_BYTES) if kind.is_packed else content))
        except ValueError as error:
            problems.append(Problem(path=path, message=f"it cannot be unpacked: {error}", hint="Write it again."))
            continue
        counts[kind.folder] += len(lines)
        for number, line in lines:
            problems += check_line(kind, line, path, number)
    for path in files.list_other_paths():
        hint = "Only promptci writes to this branch: take it out."
        problems.append(Problem(path=path, message="it is no file but a link, which is not read", hint=hint))
    if files.read(FORMAT_FILE) is None:
        hint = "`promptci history append` writes it."
        problems.append(Problem(path=FORMAT_FILE, message="the file is missing", hint=hint))
    if size > MAX_BRANCH_BYTES:
        message = f"the branch has {size / 2**20:.0f} MiB, more than {MAX_BRANCH_BYTES // 2**20}"
        problems.append(Problem(path=FORMAT_FILE, message=message, hint="Run `promptci history prune`."))
    return problems[:MAX_PROBLEMS], counts


def _check_other(path: str, content: bytes) -> Iterator[Problem]:
    if path != FORMAT_FILE:
        hint = "Only promptci writes to this branch: take the file out of it."
        yield Problem(path=path, message="no kind of record has such a file", hint=hint)
    elif content != FORMAT:
        hint = "A newer promptci wrote it: use that version, or a newer one."
        yield Problem(path=path, line=1, message=f"the format is not {FORMAT.decode().strip()}", hint=hint)


def prune_files(files: BranchFiles, kinds: Sequence[RecordKind], today: date) -> dict[str, bytes | None]:
    """Return the files that are kept too long, deleted, and those that have ended, thinned."""
    contents: dict[str, bytes | None] = {}
    for kind in kinds:
        if kind.keep_days is None and kind.max_points is None:
            continue
        for path, content in files.read_all(kind.folder):
            last = kind.last_day(path, content) if kind.match(path) else None
            if last is None:
                continue
            if kind.keep_days is not None and last < today - timedelta(days=kind.keep_days):
                contents[path] = None
            elif kind.max_points is not None and last < today - timedelta(days=ENDED_DAYS):
                thinned = _thin(content, kind.max_points)
                if thinned != content:
                    contents[path] = thinned
    return contents


def _thin(content: bytes, count: int) -> bytes:
    """Return the first line, the last, and others at equal distances."""
    lines = content.splitlines(keepends=True)
    if len(lines) <= count:
        return content
    step = (len(lines) - 1) / (count - 1)
    return b"".join(lines[round(place * step)] for place in range(count))


def _split(data: bytes) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(data.split(b"\n"), start=1):
        if stripped := line.strip():
            yield number, stripped
