"""Tables that are no text: limits, values as JSON has them, and the rows of an XLSX sheet. No formula is run."""

import io
import zipfile
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from promptci.errors import InputError, Problem
from promptci.lazy_import import lazy_import
from promptci.wording import install_extra

if TYPE_CHECKING:
    import openpyxl
else:
    openpyxl = lazy_import("openpyxl")

MAX_ROWS = 100_000
MAX_COLUMNS = 1000
MAX_UNPACKED_BYTES = 128 * 2**20
"""Of a file that is compressed."""


def read_xlsx(path: str, data: bytes) -> list[tuple[int, list[str]]]:
    """Return the rows of the first sheet that are not empty, as texts, with their numbers.

    Raises
    ------
    InputError
        For a file that is damaged or too large, and where the extra `goldens` is not installed.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
        rows = _read_rows(data) if size <= MAX_UNPACKED_BYTES else []
    except ImportError:
        raise InputError([missing_extra(path, "XLSX")]) from None
    except Exception as error:  # noqa: BLE001 - openpyxl lets any fault of a damaged file through
        message = f"not an XLSX file: {str(error)[:200] or type(error).__name__}"
        raise InputError([refuse(path, message)]) from None
    if size > MAX_UNPACKED_BYTES:
        raise InputError([refuse(path, f"the file unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MiB")])
    return rows


def missing_extra(path: str, kind: str) -> Problem:
    """Return the problem that a reader is not installed."""
    hint = f"{install_extra('goldens')} Or save the file as JSON Lines."
    return Problem(path=path, message=f"reading {kind} files needs the extra `goldens`", hint=hint)


def refuse(path: str, message: str) -> Problem:
    """Return the problem of a file that cannot be read."""
    return Problem(path=path, message=message, hint="Save the file again, or as JSON Lines.")


def to_json_value(value: Any) -> Any:
    """Return a value of a table or column as one of JSON; raise TypeError for bytes."""
    if isinstance(value, dict):
        return {str(key): to_json_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_value(item) for item in value]
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        raise TypeError("a column has bytes, such as images, which cannot be cases")
    if isinstance(value, Decimal):
        return str(value)
    return value if value is None or isinstance(value, str | bool | int | float) else str(value)


def _read_rows(data: bytes) -> list[tuple[int, list[str]]]:
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


def _to_text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return str(to_json_value(cell))
