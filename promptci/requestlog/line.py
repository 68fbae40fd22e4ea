"""One line of the request log: which attributes count, and what may stand in them."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from promptci.files.lines import JsonError, parse_json
from promptci.requestlog.aliases import ALIASES, EVALUATION_NAME, PERCENT_MARKER, QUALITY_EVALUATION
from promptci.requestlog.model import LateMark, Observation

ARMS = ("stable", "canary")
SIGNALS = ("positive", "negative")
MAX_TEXT_CHARS = 500
"""Characters of an id, a version, a hash."""
MAX_SHARE = 10_000.0
"""All traffic, in 1/100 %."""
_DECIMAL = re.compile(r"[0-9]{1,30}(?:\.[0-9]{1,30})?")
ZONE = r"(Z|[+-]\d\d:?\d\d|:[\d.]+[+-]\d\d)$"
"""How a time in ISO 8601 with its zone ends; a zone of hours alone stands behind a time, not behind a date."""


def parse_line(text: str) -> Observation | LateMark:
    """Read a line: a request, or, where it names no prompt, version or arm, a mark that came later.

    Unknown attributes are ignored, and an empty text is null.

    Raises
    ------
    JsonError
        With what is wrong and what to do.
    """
    value = parse_json(text)
    if not isinstance(value, dict):
        raise JsonError("the line is not an object", "Write one JSON object for each request.")
    request_id = _required_text(value, "id")
    time = parse_time(_required_text(value, "time"))
    marks: dict[str, Any] = {
        "quality": _quality(value),
        "signal": _one_of(value, "signal", SIGNALS),
        "cost_usd": _number(value, "cost_usd"),
    }
    is_mark = _attribute(value, EVALUATION_NAME) is not None or any(mark is not None for mark in marks.values())
    if is_mark and all(_find(value, field)[1] is None for field in ("prompt", "version", "arm")):
        return LateMark(id=request_id, time=time, **marks)
    key = _optional_text(value, "key")
    return Observation(
        id=request_id,
        time=time,
        prompt=_required_text(value, "prompt"),
        version=_required_text(value, "version"),
        arm=_one_of(value, "arm", ARMS) or (None if key else _raise_missing("arm")),
        share=_share(value),
        user=_optional_text(value, "user") or key,
        key=key,
        error=_optional_text(value, "error"),
        latency_ms=_number(value, "latency_ms"),
        model=_optional_text(value, "model"),
        response_model=_optional_text(value, "response_model"),
        output_tokens=_whole_number(value, "output_tokens"),
        **marks,
    )


def parse_time(text: str) -> datetime:
    """Read a time in ISO 8601 with its zone, as `2026-03-02T10:00:00Z`; return it in UTC."""
    fix = "Write it in ISO 8601 with its zone, as 2026-03-02T10:00:00Z."
    if not re.search(ZONE, text):
        raise JsonError(f"`time` is {text[:40]!r}, without a zone", fix)
    try:
        # Also for a time that UTC cannot represent, such as one before the year 1.
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise JsonError(f"`time` is {text[:40]!r}, which is no time", fix) from error


def _raise_missing(field: str) -> str:
    raise JsonError(f"`{ALIASES[field][0].name}` is missing", "Log it with every request.")


def _attribute(value: Mapping[str, Any], name: str) -> Any:
    """Return the value of an attribute; None where it is absent, null or empty."""
    setting = value.get(name)
    return None if setting == "" else setting


def _find(value: Mapping[str, Any], field: str) -> tuple[str, Any, float]:
    """Return the first name of a field that has a value, the value, and its scale; None where none has."""
    for alias in ALIASES[field]:
        setting = _attribute(value, alias.name)
        if setting is not None:
            return alias.name, setting, alias.scale
    return ALIASES[field][0].name, None, 1.0


def _required_text(value: Mapping[str, Any], field: str) -> str:
    return _optional_text(value, field) or _raise_missing(field)


def _optional_text(value: Mapping[str, Any], field: str) -> str | None:
    name, text, _ = _find(value, field)
    if text is None:
        return None
    if not isinstance(text, str) or len(text) > MAX_TEXT_CHARS:
        raise JsonError(
            f"`{name}` is not a text of at most {MAX_TEXT_CHARS} characters", "Write a short text, or null."
        )
    return text


def _one_of(value: Mapping[str, Any], field: str, allowed: tuple[str, ...]) -> str | None:
    text = _optional_text(value, field)
    if text is not None and text not in allowed:
        raise JsonError(f"`{_find(value, field)[0]}` is {text[:40]!r}", f"Write one of: {', '.join(allowed)}.")
    return text


def _number(value: Mapping[str, Any], field: str, most: float = math.inf) -> float | None:
    name, number, scale = _find(value, field)
    if number is None:
        return None
    if field == "cost_usd" and isinstance(number, str) and _DECIMAL.fullmatch(number):
        number = float(number)
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= most:
        limit = "" if math.isinf(most) else f" and at most {most:g}"
        raise JsonError(f"`{name}` is {str(number)[:40]!r}", f"Write a number, at least 0{limit}; null where unknown.")
    return float(number) * scale


def _quality(value: Mapping[str, Any]) -> float | None:
    """Return the quality score; an evaluation of another name is none."""
    if _attribute(value, EVALUATION_NAME) not in (None, QUALITY_EVALUATION):
        return None
    return _number(value, "quality", most=1)


def _share(value: Mapping[str, Any]) -> float | None:
    """Return the share in percent."""
    if _attribute(value, PERCENT_MARKER) is not None:
        return _number(value, "share", most=100)
    share = _number(value, "share", most=MAX_SHARE)
    return None if share is None else share / 100


def _whole_number(value: Mapping[str, Any], field: str) -> int | None:
    number = _number(value, field)
    if number is not None and number != int(number):
        raise JsonError(f"`{_find(value, field)[0]}` is {number:g}", "Write a whole number; null where unknown.")
    return None if number is None else int(number)
