"""`RecordKind`: one kind of line on the history branch, its files, its schema, its bounds, and how long it is kept."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

from promptci.documents.document import Document
from promptci.errors import InputError, Problem
from promptci.files.lines import JsonError, decode_utf8, parse_json
from promptci.lazy_dataclass import dataclass

FORMAT_FILE = "FORMAT"
FORMAT = b"1\n"
"""Content of `FORMAT`: the layout of the branch."""
MAX_BRANCH_BYTES = 50 * 2**20
"""All files of the branch together."""
_PLACES = {"%Y": r"(?P<year>\d{4})", "%m": r"(?P<month>0[1-9]|1[0-2])", "%d": r"(?P<day>[0-3]\d)", "*": r"[^/]+"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordKind:
    """A row of the table of kinds."""

    path: str
    """Path of a line's file, by the line's day in UTC: `nights/%Y/%m-%d.jsonl`. `*` is a name."""
    document: type[Document] | None = None
    """Schema of a line; None: any JSON object."""
    keep_days: int | None = None
    """None: for ever."""
    max_points: int | None = None
    """A file that nothing is added to any more keeps this many lines."""
    max_line_bytes: int = 64 * 2**10
    writer: str | None = None
    """The command that writes it, where lines may not be appended by hand."""

    @property
    def folder(self) -> str:
        """The first folder, which is also the kind's name."""
        return self.path.partition("/")[0]

    @property
    def is_packed(self) -> bool:
        """Whether its files are compressed."""
        return self.path.endswith(".gz")

    def match(self, path: str) -> bool:
        """Return whether a path is one of a file of this kind."""
        return self._pattern().fullmatch(path) is not None

    def path_for(self, day: date) -> str:
        """Return the file for a line of a day."""
        return day.strftime(self.path)

    def last_day(self, path: str, content: bytes) -> date | None:
        """Return the last day of which a file can have lines; None where it does not say."""
        match = self._pattern().fullmatch(path)
        named = match.groupdict() if match else {}
        if "day" in named:
            try:
                return date(int(named["year"]), int(named["month"]), int(named["day"]))
            except ValueError:
                return None
        moment = read_moment(content.rstrip(b"\n").rpartition(b"\n")[2])
        return moment.date() if moment else None

    def _pattern(self) -> re.Pattern[str]:
        parts = re.split(r"(%Y|%m|%d|\*)", self.path)
        return re.compile("".join(_PLACES.get(part, re.escape(part)) for part in parts))


def check_line(kind: RecordKind, line: bytes, path: str, number: int) -> list[Problem]:
    """Return what is wrong with a line of a file."""

    def flag(message: str, hint: str) -> list[Problem]:
        return [Problem(path=path, line=number, message=message, hint=hint)]

    if len(line) > kind.max_line_bytes:
        bound = f"{kind.max_line_bytes // 2**10} KiB"
        return flag(f"the line has {len(line):,} bytes, more than the {bound} of its kind", "Record less in it.")
    try:
        if kind.document is not None:
            kind.document.parse(line, path)
        elif not isinstance(parse_json(decode_utf8(line, path)), dict):
            return flag("the line is not a JSON object", "Write one object a line.")
    except JsonError as error:
        return flag(error.message, error.hint)
    except InputError as error:
        return [
            Problem(path=path, line=number, message=problem.message, hint=problem.hint) for problem in error.problems
        ]
    return []


def read_moment(line: bytes) -> datetime | None:
    """Return a line's `at`; None where it has none."""
    try:
        value = json.loads(line)
        moment = datetime.fromisoformat(value["at"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def find_schema(line: bytes) -> str | None:
    """Return the schema that a line names."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    schema = value.get("schema") if isinstance(value, Mapping) else None
    return schema if isinstance(schema, str) else None


def kinds_by_schema(kinds: Sequence[RecordKind]) -> dict[str, RecordKind]:
    """Return the kinds whose lines name a schema."""
    return {kind.document.schema_id(): kind for kind in kinds if kind.document is not None}
