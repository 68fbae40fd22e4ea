"""Limits of golden files that are no text, and what every reader of them needs."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from promptci.errors import Problem
from promptci.wording import install_extra

MAX_ROWS = 100_000
MAX_UNPACKED_BYTES = 128 * 2**20
"""Of a file that is compressed."""


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
