"""From Python values to what JSON can hold: text without lone surrogates, numbers that are numbers."""

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def text(value: str) -> str:
    """Give text that is valid Unicode: a lone surrogate becomes its escape, the way Python spells it."""
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", value)


def optional(value: str | None) -> str | None:
    """Do the same where there may be no text."""
    return None if value is None else text(value)


def number(value: float | Decimal | None) -> float | None:
    """Give a float, or None where it is unknown or no number at all."""
    if value is None or not math.isfinite(value):
        return None
    return float(value)


def value(given: Any) -> Any:
    """Return JSON data with valid text and finite numbers throughout; a number that is none becomes null."""
    if isinstance(given, str):
        return text(given)
    if isinstance(given, float):
        return number(given)
    if isinstance(given, list):
        return [value(item) for item in given]
    if isinstance(given, dict):
        return {text(key): value(item) for key, item in given.items()}
    return given


def spelled(value: Any) -> str:
    """Give a value of a golden file in words: a text as it stands, anything else as JSON."""
    return text(value) if isinstance(value, str) else text(json.dumps(value, ensure_ascii=False, default=str))


def variables(values: Mapping[str, Any]) -> str:
    """Give a case's variables: the text alone where there is one, else a line each."""
    if len(values) == 1:
        return spelled(next(iter(values.values())))
    return "\n".join(f"{text(name)}: {spelled(value)}" for name, value in values.items())
