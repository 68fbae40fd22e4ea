"""ReportView -> report.json, in pieces, because a large one takes too much memory as a whole."""

import hashlib
import math
import tempfile
import weakref
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import IO

from pydantic import TypeAdapter

from promptci.lazy_dataclass import dataclass
from promptci.report.model.report import CaseView, ReportView

SCHEMA_FILE = Path(__file__).with_name("report.schema.json")
"""JSON Schema of report.json. Part of the package; generated, and a test fails if it is out of date."""
MAX_INDENTED_BYTES = 1_000_000
"""A larger report.json is written without line breaks and blanks, and without keys of cases at their default."""
MAX_BYTES_IN_MEMORY = 8_000_000
CASES_PER_PIECE = 200
READ_BYTES = 65_536
CASE_INDENT = "\n" + 6 * " "


@dataclass(frozen=True, kw_only=True, slots=True, weakref_slot=True, eq=False)
class SerializedReport:
    """A view and its report.json, serialised once for all that needs it: redaction, the page's digest, the file."""

    view: ReportView
    digest: str
    """SHA-256 of the file, by which a page is matched to its report.json."""
    _file: IO[bytes]

    def pieces(self) -> Iterator[bytes]:
        """Return report.json in pieces."""
        self._file.seek(0)
        while piece := self._file.read(READ_BYTES):
            yield piece

    @property
    def text(self) -> str:
        """The whole of report.json."""
        return b"".join(self.pieces()).decode()


def serialize(view: ReportView, inspect: Callable[[str], None] | None = None) -> SerializedReport:
    """Serialise a view: keys in the order of the model, unknown as null, the same bytes for the same view.

    `inspect` gets every piece of the text, cut between values.
    """
    inspect = inspect or (lambda _: None)
    file, written = _write(view, inspect, indent=2, max_bytes=MAX_INDENTED_BYTES)
    if not written:
        file.close()
        file, _ = _write(view, inspect)
    report = SerializedReport(view=view, digest=_digest(file), _file=file)
    weakref.finalize(report, file.close)
    return report


def _write(
    view: ReportView, inspect: Callable[[str], None], *, indent: int | None = None, max_bytes: float = math.inf
) -> tuple[IO[bytes], bool]:
    """Write report.json to a temporary file; return it, and whether it is complete within `max_bytes`."""
    file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=MAX_BYTES_IN_MEMORY)  # noqa: SIM115 - closed with the report
    for text in _pieces(view, indent):
        inspect(text)
        file.write(text.encode("utf-8", errors="backslashreplace"))
        if file.tell() > max_bytes:
            return file, False
    return file, True


def _digest(file: IO[bytes]) -> str:
    hashed = hashlib.sha256()
    file.seek(0)
    while piece := file.read(READ_BYTES):
        hashed.update(piece)
    return hashed.hexdigest()


@cache
def _case_list() -> TypeAdapter[list[CaseView]]:
    return TypeAdapter(list[CaseView])


def dump(view: ReportView) -> str:
    """Return report.json."""
    return serialize(view).text


def _pieces(view: ReportView, indent: int | None) -> Iterator[str]:
    """Return report.json in pieces of some cases each: all of 100,000 cases at once take too much memory."""
    margin, colon = (CASE_INDENT, ": ") if indent else ("", ":")
    # A text cannot hold this: its quotation marks would be escaped.
    empty = f'{margin}"case_details"{colon}[]'
    first, *rest = without_cases(view).model_dump_json(by_alias=True, indent=indent).split(empty)
    yield first
    for prompt, after in zip(view.prompts, rest, strict=True):
        if not prompt.case_details:
            yield empty
        for start in range(0, len(prompt.case_details), CASES_PER_PIECE):
            cases = list(prompt.case_details[start : start + CASES_PER_PIECE])
            # Of a large run, what is at its default is left out: it would be half of the file.
            listed = _case_list().dump_json(cases, by_alias=True, indent=indent, exclude_defaults=not indent).decode()
            body = listed[1:-2].replace("\n", margin) if indent else listed[1:-1]
            yield (empty[:-1] if start == 0 else ",") + body
        if prompt.case_details:
            yield f"{margin}]"
        yield after
    yield "\n"


def without_cases(view: ReportView) -> ReportView:
    """Return a view without its cases."""
    prompts = [prompt.model_copy(update={"case_details": []}) for prompt in view.prompts]
    return view.model_copy(update={"prompts": prompts})
