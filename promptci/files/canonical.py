"""One text for one value, so that equal things have equal fingerprints."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

_text = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode


def canonical_json(value: Any) -> str:
    """Return JSON with sorted keys and no spare blanks: equal values give equal text.

    A float that is a whole number is written as an integer, because YAML's `1` and `1.0` set the same
    temperature. A lone surrogate is written as its escape, so the text is always valid UTF-8.
    """
    text = _text(value)
    # Only such a text may hold a float that is a whole number; to look for one costs more than to write it all.
    return _text(_plain(value)) if ".0" in text or "e+" in text else text


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical text, in 64 hexadecimal digits."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def digest_all(items: Iterable[Any]) -> str:
    """Return `digest([*items])`, for items too many to be held at once."""
    return _hash_parts("[", _render_items(items), "]")


def digest_with(values: list[Any], items: Iterable[Any]) -> str:
    """Return `digest([*values, [*items]])`, for items too many to be held at once."""
    return _hash_parts(f"{canonical_json(values)[:-1]}{',' if values else ''}[", _render_items(items), "]]")


def _render_items(items: Iterable[Any]) -> Iterator[str]:
    for number, item in enumerate(items):
        yield f"{',' if number else ''}{canonical_json(item)}"


def _hash_parts(start: str, parts: Iterable[str], end: str) -> str:
    hasher = hashlib.sha256(start.encode())
    for part in parts:
        hasher.update(part.encode())
    hasher.update(end.encode())
    return hasher.hexdigest()
