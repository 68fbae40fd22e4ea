"""Golden cases as XLSX: the first sheet, with a header row. Columns mean what they mean in CSV; no formula is run."""

import io
import zipfile
from typing import TYPE_CHECKING, Any

from promptci.errors import Problem
from promptci.goldens.formats.binary_limits import (
    MAX_ROWS,
    MAX_UNPACKED_BYTES,
    missing_extra,
    refuse,
    to_json_value,
)
from promptci.goldens.formats.csv_goldens import find_header_problems, parse_row
from promptci.goldens.model import Case
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = lazy_import("openpyxl")

MAX_COLUMNS = 1000


def parse_xlsx(path: str, data: bytes) -> tuple[list[Case], list[Problem]]:
    """Return the cases that can be used, and every problem of the others."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MAX_UNPACKED_BYTES:
                return [], [refuse(path, f"the file unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MiB")]
        rows = _read_rows(data)
    except ImportError:
        return [], [missing_extra(path, "XLSX")]
    except Exception as error:  # noqa: BLE001 - openpyxl lets any fault of a damaged file through
        return [], [refuse(path, f"not an XLSX file: {str(error)[:200] or type(error).__name__}")]
    problems: list[Problem] = []
    header: list[str] = []
    cases = []
    for line, row in rows:
        if not header:
            header = [text.strip() for text in row]
            while header and not header[-1]:
                header.pop()
            problems += find_header_problems(header, path, line)
            if problems:
                return [], problems
        else:
            cases.append(parse_row(header, _fit(row, len(header)), path, line, problems))
    return [case for case in cases if case is not None], problems


def _read_rows(data: bytes) -> list[tuple[int, list[str]]]:
    """Return the rows of the first sheet that are not empty, with their numbers."""
    book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
    try:
        sheet: Any = book.worksheets[0]  # the stubs do not know the class of read-only sheets
        sheet.reset_dimensions()  # the range that a file states may leave out rows, which would be lost unseen
        rows = []
        for number, row in enumerate(sheet.iter_rows(values_only=True, max_col=MAX_COLUMNS), start=1):
            if number > MAX_ROWS:
                raise ValueError(f"the sheet has more than {MAX_ROWS:,} rows")
            texts = [_to_text(cell) for cell in row]
            if any(text.strip() for text in texts):
                rows.append((number, texts))
        return rows
    finally:
        book.close()


def _fit(row: list[str], width: int) -> list[str]:
    """Return a row with as many cells as the header, or more where these are filled."""
    filled = max((place for place, text in enumerate(row, start=1) if text.strip()), default=0)
    return [*row[: max(width, filled)], *[""] * (width - len(row))]


def _to_text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(to_json_value(cell))
