"""One line of the request log: which attributes count, and what may stand in them."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from promptci.files.lines import JsonError, parse_json
from promptci.requestlog.model import Observation

ARMS = ("stable", "canary")
SIGNALS = ("positive", "negative")
MAX_TEXT_CHARS = 500
"""Characters of an id, a version, a hash."""
_ZONE = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")


def parse_line(text: str) -> Observation:
    """Read a line; unknown attributes that are not needed are ignored.

    Raises
    ------
    JsonError
        With what is wrong and what to do.
    """
    value = parse_json(text)
    if not isinstance(value, dict):
        raise JsonError("the line is not an object", "Write one JSON object for each request.")
    share = _number(value, "promptci.share", most=100)
    return Observation(
        id=_required_text(value, "promptci.request"),
        time=parse_time(_required_text(value, "time")),
        prompt=_required_text(value, "promptci.prompt"),
        version=_required_text(value, "promptci.version"),
        arm=_one_of(value, "promptci.arm", ARMS) or _raise_missing("promptci.arm"),
        share=share,
        user=_optional_text(value, "promptci.user"),
        error=_optional_text(value, "error.type"),
        latency_ms=_number(value, "promptci.latency_ms"),
        cost_usd=_number(value, "promptci.cost_usd"),
        quality=_number(value, "promptci.quality", most=1),
        signal=_one_of(value, "promptci.signal", SIGNALS),
        model=_optional_text(value, "gen_ai.request.model"),
        output_tokens=_whole_number(value, "gen_ai.usage.output_tokens"),
    )


def parse_time(text: str) -> datetime:
    """Read a time in ISO 8601 with its zone, as `2026-03-02T10:00:00Z`; return it in UTC."""
    fix = "Write it in ISO 8601 with its zone, as 2026-03-02T10:00:00Z."
    if not _ZONE.search(text):
        raise JsonError(f"`time` is {text[:40]!r}, without a zone", fix)
    try:
        # Also for a time that UTC cannot represent, such as one before the year 1.
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise JsonError(f"`time` is {text[:40]!r}, which is no time", fix) from error


def _raise_missing(key: str) -> str:
    raise JsonError(f"`{key}` is missing", "Log it with every request.")


def _required_text(value: Mapping[str, Any], key: str) -> str:
    return _optional_text(value, key) or _raise_missing(key)


def _optional_text(value: Mapping[str, Any], key: str) -> str | None:
    text = value.get(key)
    if text is None or text == "":
        return None
    if not isinstance(text, str) or len(text) > MAX_TEXT_CHARS:
        raise JsonError(f"`{key}` is not a text of at most {MAX_TEXT_CHARS} characters", "Write a short text, or null.")
    return text


def _one_of(value: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> str | None:
    text = _optional_text(value, key)
    if text is not None and text not in allowed:
        raise JsonError(f"`{key}` is {text[:40]!r}", f"Write one of: {', '.join(allowed)}.")
    return text


def _number(value: Mapping[str, Any], key: str, most: float = math.inf) -> float | None:
    number = value.get(key)
    if number is None:
        return None
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= most:
        limit = "" if math.isinf(most) else f" and at most {most:g}"
        raise JsonError(f"`{key}` is {str(number)[:40]!r}", f"Write a number, at least 0{limit}; null where unknown.")
    return float(number)


def _whole_number(value: Mapping[str, Any], key: str) -> int | None:
    number = _number(value, key)
    if number is not None and number != int(number):
        raise JsonError(f"`{key}` is {number:g}", "Write a whole number; null where unknown.")
    return None if number is None else int(number)
