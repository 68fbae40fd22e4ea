"""`is-json`: the answer is one JSON value; `fenced: true` takes the first fenced block of Markdown."""

import re
import unicodedata
from typing import Any

from promptci.files import lines
from promptci.goldens.model import Assertion, Case
from promptci.scoring.assertions import base
from promptci.scoring.assertions.base import CheckOutcome, Subject

OPTIONS = frozenset({"fenced"})
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)


def validate(assertion: Assertion, case: Case) -> str | None:
    """Check the option."""
    return base.flag_error(assertion, "fenced")


def check(assertion: Assertion, subject: Subject) -> CheckOutcome:
    """Parse the answer."""
    try:
        parse(assertion, subject)
    except lines.JsonError as error:
        return base.text_outcome(
            passed=False, requirement=f"should be JSON ({base.shorten(str(error))})", subject=subject
        )
    return CheckOutcome(passed=True, reason="is JSON")


def parse(assertion: Assertion, subject: Subject) -> Any:
    """Parse the answer as JSON. Raises JsonError, also for NaN and duplicate keys."""
    return parse_text(subject.text, fenced=assertion.options.get("fenced", False))


def parse_text(text: str, *, fenced: bool) -> Any:
    """Parse a text as JSON; with `fenced`, or else its first fenced block. Raises JsonError."""
    try:
        value = lines.parse_json(text.strip())
    except lines.JsonError:
        block = _find_fenced_block(text) if fenced else None
        if block is None:
            raise
        value = lines.parse_json(block.strip())
    return _normalize(value) if "\\u" in text else value


def _normalize(value: Any) -> Any:
    """Bring texts into Unicode's normal form C, as the answer was: escapes hid their characters from it."""
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list):
        return [_normalize(item) for item in value]
    if isinstance(value, dict):
        return {key: _normalize(item) for key, item in value.items()}
    return value


def _find_fenced_block(text: str) -> str | None:
    """Return what the first fence of a Markdown text encloses; an unclosed one reaches to the end."""
    opening = _FENCE.search(text)
    if opening is None:
        return None
    _, _, rest = text[opening.end() :].partition("\n")
    closing = next((fence for fence in _FENCE.finditer(rest) if fence[1].startswith(opening[1])), None)
    return rest if closing is None else rest[: closing.start()]
