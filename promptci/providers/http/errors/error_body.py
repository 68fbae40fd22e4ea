"""Extract code, message and retry delay from the error bodies of OpenAI-compatible endpoints and their gateways."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from promptci.lazy_dataclass import dataclass

MAX_QUOTE_CHARS = 160
"""Length of a quoted message; leaves room for the hint after it."""
_MAX_SCANNED_CHARS = 20_000
_CODE_KEYS = ("code", "type", "status", "reason", "error_code", "quotaId")
_MESSAGE_KEYS = ("message", "msg", "error_msg", "error_description", "faultstring", "detail", "title")
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_DELAY = re.compile(r"(\d+(?:\.\d+)?)s")


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorDetails:
    """What an error body says."""

    codes: str = ""
    """Every code, type, status and reason in the body, in lower case."""
    message: str = ""
    """Quoted to the user, on one line."""
    searchable: str = ""
    """Codes and messages in lower case. Not the whole body: some endpoints echo the prompt in it."""
    retry_after_s: float | None = None
    """Google's `RetryInfo.retryDelay`."""
    is_web_page: bool = False
    """HTML: a firewall, proxy or login page answered, not the model's API."""
    is_json: bool = False


def shorten(text: str, max_chars: int) -> str:
    """Return the text on one line, cut to `max_chars`."""
    line = " ".join(text[: 20 * max_chars].split())
    return line if len(line) <= max_chars else line[: max_chars - 1] + "…"


def parse_error_body(body: object) -> ErrorDetails:
    """Extract the details of an error from the body of an HTTP error: JSON values, or text where it is not JSON."""
    if isinstance(body, bytes):
        body = body.decode(errors="replace")
    if isinstance(body, str):
        return _parse_text(body)
    error = _find_error(body)
    message = _find_message(error)
    codes = " ".join(_codes(body, 0)).lower()
    raw = " ".join(_values(error, "raw", 0))  # OpenRouter quotes the provider's own error here
    delay = _DELAY.fullmatch(next(_values(body, "retryDelay", 0), ""))
    return ErrorDetails(
        codes=codes,
        message=shorten(message, MAX_QUOTE_CHARS),
        searchable=f"{codes} {message} {raw}"[:_MAX_SCANNED_CHARS].lower(),
        retry_after_s=float(delay[1]) if delay else None,
        is_json=True,
    )


def _parse_text(text: str) -> ErrorDetails:
    text = text[:_MAX_SCANNED_CHARS]
    if text.lstrip()[:1] != "<":
        return ErrorDetails(message=shorten(text, MAX_QUOTE_CHARS), searchable=text.lower())
    title = _TITLE.search(text)
    message = f'a web page titled "{shorten(title[1], 80)}"' if title else "a web page"
    return ErrorDetails(message=message, searchable=text.lower(), is_web_page=True)


def _find_error(body: object) -> object:
    """Unwrap `[{"error": …}]` (Google), `{"error": …}` and `{"errors": [{…}]}` (Cloudflare)."""
    for _ in range(4):
        if isinstance(body, list) and body:
            body = body[0]
        elif isinstance(body, Mapping) and body.get("error"):
            body = body["error"]
        elif isinstance(body, Mapping) and isinstance(body.get("errors"), list) and body["errors"]:
            body = body["errors"]
        elif isinstance(body, Mapping) and isinstance(body.get("fault"), Mapping):
            body = body["fault"]
        else:
            break
    return body


def _find_message(error: object) -> str:
    if isinstance(error, str):
        return error
    if not isinstance(error, Mapping):
        return "" if error is None or error == [] else json.dumps(error, default=str)
    for key in _MESSAGE_KEYS:
        message = error.get(key)
        if isinstance(message, str) and message:
            return message
        if message:
            return _find_message(message[0]) if isinstance(message, list) else json.dumps(message, default=str)
    return ""


def _codes(value: object, depth: int) -> Iterator[str]:
    """Yield every code in the body: Azure and Google nest the specific one."""
    if depth > 6:
        return
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in _CODE_KEYS and isinstance(item, str | int):
                yield str(item)
            yield from _codes(item, depth + 1)
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _codes(item, depth + 1)


def _values(value: Any, key: str, depth: int) -> Iterator[str]:
    if depth > 6:
        return
    if isinstance(value, Mapping):
        if isinstance(value.get(key), str):
            yield value[key]
        for item in value.values():
            yield from _values(item, key, depth + 1)
    elif isinstance(value, list):
        for item in value[:20]:
            yield from _values(item, key, depth + 1)
