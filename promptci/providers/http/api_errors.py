"""What went wrong with one attempt, in the caller's words, and whether another is worth it."""

import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any

from promptci.files import canonical
from promptci.providers.base import CallError
from promptci.providers.http.retry import AttemptFailed, RetryAdvice, parse_retry_after

MAX_MESSAGE_CHARS = 300
MAX_QUOTE_CHARS = 160
"""Of what the endpoint said, so that the hint after it is not cut off."""
MAX_RETRY_AFTER_S = 120.0
"""An endpoint that asks for more is not waited for."""
_OVERLOADED = {502, 503, 504, 529}
"""These say "not now" by definition, however often in the same words."""
_FILTERED = ("content_filter", "content_policy", "moderation")
_TOO_LONG = ("maximum context length", "context length", "context size", "context window", "too many tokens")


def shorten(text: str, longest: int = MAX_MESSAGE_CHARS) -> str:
    """Give the text on one line and short enough for a table."""
    line = " ".join(text[: 20 * longest].split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def failure_from_status(
    status: int, headers: Mapping[str, str], body: object, wall: float, *, path: str = "/chat/completions"
) -> AttemptFailed:
    """Give the failure that an HTTP status stands for; header names are in lower case, `wall` is the time of day.

    `path` is what was asked, beneath the base URL.
    """
    code, said = _code_and_message(body)
    where = f"HTTP {status}: {said}" if said else f"HTTP {status}"
    if 300 <= status < 400:
        hint = "the endpoint redirects elsewhere, which is not followed: put the final address into provider.base_url"
        return _never("bad-request", f"{where}. {hint}", fatal=True)
    if status in {408, 409, 425} or status >= 500:
        return _passing(status, headers, body, where, wall)
    if status == 402 or "insufficient_quota" in code:
        return _never("quota", f"{where}. The account's credit is used up: top it up, or use another key", fatal=True)
    if status == 429:
        return _limited(headers, where, wall)
    if status == 401 or (status == 403 and not any(word in code for word in _FILTERED)):
        # What was said is left out for 401: endpoints quote the key there.
        shown = "HTTP 401" if status == 401 else where
        return _never("auth", f"{shown}. The endpoint does not accept the key: check the secret behind it", fatal=True)
    if status == 404:
        name = "the prompt's `model`" if path == "/chat/completions" else "the name of the embedding model"
        hint = f"Check {name}, and that provider.base_url ends where {path} follows"
        return _never("not-found", f"{where}. {hint}", fatal=True)
    if status == 413 or "context_length" in code or "context_size" in code or _any(_TOO_LONG, said):
        return _never("context-length", f"{where}. The prompt is too long for the model")
    return _never("bad-request", where)


def is_content_filter(status: int, body: object) -> bool:
    """Tell whether a refused request is a model's content filter at work: a result of the prompt, not an error."""
    code, _ = _code_and_message(body)
    return status in {400, 403} and any(word in code for word in _FILTERED)


def failure_from_error_object(error: object, wall: float) -> AttemptFailed:
    """Give the failure that an `error` within an HTTP 200 stands for."""
    code, _ = _code_and_message({"error": error})
    number = error.get("code") if isinstance(error, Mapping) else None
    if type(number) is int and 400 <= number < 600:
        return failure_from_status(number, {}, {"error": error}, wall)
    if "rate_limit" in code or "quota" in code:
        return failure_from_status(429, {}, {"error": error}, wall)
    return failure_from_status(400 if "invalid" in code or "context" in code else 502, {}, {"error": error}, wall)


def failure_from_transport(error: BaseException, address: str) -> AttemptFailed:
    """Give the failure that a broken or missing connection to `address` stands for."""
    causes = list(exception_chain(error))
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return timeout_failure(None)
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            why = shorten(getattr(cause, "verify_message", "") or str(cause))
            return _never("connection", f"the certificate of {address} is not valid: {why}", fatal=True)
    return AttemptFailed(CallError("connection", _connection_hint(causes, address)), advice=RetryAdvice.LATER)


def failure_from_proxy(status: int) -> AttemptFailed:
    """Give the failure that a proxy's refusal to connect stands for."""
    hint = "it wants a user and password in HTTPS_PROXY" if status == 407 else "check HTTPS_PROXY and NO_PROXY"
    message = f"the proxy does not let the call through (HTTP {status}): {hint}"
    return AttemptFailed(
        CallError("connection", message, fatal=status < 500),
        advice=RetryAdvice.NEVER if status < 500 else RetryAdvice.LATER,
    )


def timeout_failure(seconds: float | None) -> AttemptFailed:
    """Give the failure of an attempt that took longer than `seconds`."""
    within = "in time" if seconds is None else f"within {seconds:.0f} s"
    hint = "raise provider.timeout_s if the model is that slow"
    return AttemptFailed(CallError("timeout", f"no whole answer came {within}: {hint}"), advice=RetryAdvice.LATER)


def malformed_failure(what: str) -> AttemptFailed:
    """Give the failure of an answer that is no chat completion."""
    return AttemptFailed(CallError("malformed", shorten(what)), advice=RetryAdvice.IMMEDIATELY)


def _connection_hint(causes: list[BaseException], address: str) -> str:
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return f"the name {address} cannot be resolved: check provider.base_url, and the network"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"nothing listens at {address}: check that the server runs, and provider.base_url's port"
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return f"{address} does not speak TLS as it should: check provider.base_url's scheme and port"
    return f"the connection to {address} broke before the whole answer came"


def _passing(status: int, headers: Mapping[str, str], body: object, where: str, wall: float) -> AttemptFailed:
    """Judge a status that may pass by itself."""
    kind = "timeout" if status == 408 else "server"
    after = parse_retry_after(headers, wall)
    if endless := _endless(after):
        return _never(kind, f"{where}. {endless}")  # of this call only: others may find another server
    signature = None if status in _OVERLOADED else f"{status} {canonical.digest(_hashable(body))}"
    return AttemptFailed(CallError(kind, where), advice=_again(headers), retry_after_s=after, signature=signature)


def _limited(headers: Mapping[str, str], where: str, wall: float) -> AttemptFailed:
    after = parse_retry_after(headers, wall)
    if endless := _endless(after):
        return _never("rate-limit", f"{where}. {endless}", fatal=True)
    hint = "set run.concurrency lower if this persists"
    error = CallError("rate-limit", f"{where}. Too many calls: {hint}")
    return AttemptFailed(error, advice=_again(headers), retry_after_s=after, rate_limited=True)


def _endless(after_s: float | None) -> str | None:
    """Say that the endpoint asks for a longer pause than a call may wait, or None."""
    if after_s is None or after_s <= MAX_RETRY_AFTER_S:
        return None
    pause = f"the endpoint wants a pause of {after_s:.0f} s, longer than the {MAX_RETRY_AFTER_S:.0f} s a call may wait"
    return f"{pause}: run again later"


def _again(headers: Mapping[str, str]) -> RetryAdvice:
    return RetryAdvice.NEVER if headers.get("x-should-retry") == "false" else RetryAdvice.LATER


def _never(kind: str, message: str, *, fatal: bool = False) -> AttemptFailed:
    return AttemptFailed(CallError(kind, message, fatal=fatal))


def _code_and_message(body: object) -> tuple[str, str]:
    """Find the error's code (with its type, in lower case) and message in whatever came."""
    if isinstance(body, str | bytes):
        text = body if isinstance(body, str) else body.decode(errors="replace")
        return "", shorten(text, MAX_QUOTE_CHARS)
    error = body.get("error", body) if isinstance(body, Mapping) else body
    if isinstance(error, Mapping):
        code = f"{error.get('code')} {error.get('type')}".lower()
        message = error.get("message") or error.get("detail")
        text = message if isinstance(message, str) else json.dumps(message) if message else ""
        return code, shorten(text, MAX_QUOTE_CHARS)
    return "", shorten(str(error), MAX_QUOTE_CHARS) if error else ""


def _hashable(body: object) -> Any:
    return body if isinstance(body, str | dict | list) else str(body)


def _any(words: tuple[str, ...], text: str) -> bool:
    return any(word in text.lower() for word in words)


def exception_chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give the error and what caused it; a loop among causes ends it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
