"""Convert Python values to what JSON can hold: text without lone surrogates, finite numbers."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def text(value: str) -> str:
    """Return valid Unicode: a lone surrogate becomes its Python escape."""
    # A text knows whether it is ASCII; the pattern reads it all.
    return value if value.isascii() else _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", value)


def optional_text(value: str | None) -> str | None:
    """Return valid Unicode, or None."""
    return None if value is None else text(value)


def texts(values: Iterable[str]) -> list[str]:
    """Return each text as valid Unicode."""
    return [text(value) for value in values]


def number(value: float | Decimal | None) -> float | None:
    """Return a float, or None if it is unknown or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return float(value)


def value(data: Any) -> Any:
    """Return JSON data with valid text and finite numbers throughout; a number that is none becomes null."""
    if isinstance(data, str):
        return text(data)
    if isinstance(data, float):
        return number(data)
    if isinstance(data, list):
        return [value(item) for item in data]
    if isinstance(data, dict):
        return {text(key): value(item) for key, item in data.items()}
    return data


def spell_value(value: Any) -> str:
    """Return a golden value as text: a string as it is, anything else as JSON."""
    return text(value) if isinstance(value, str) else text(json.dumps(value, ensure_ascii=False, default=str))


def spell_variables(values: Mapping[str, Any]) -> str:
    """Return a case's variables as text: the value alone if there is one, else one line each."""
    if len(values) == 1:
        return spell_value(next(iter(values.values())))
    return "\n".join(f"{text(name)}: {spell_value(value)}" for name, value in values.items())
