"""Parse the JSON of chat completions and embeddings as untrusted data; raises AttemptFailed where it is not usable."""

import json
import math
import sys
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from promptci.providers.base import Completion, Usage
from promptci.providers.http import api_errors
from promptci.providers.http.retry import AttemptFailed, RetryAdvice

VECTOR_DIGITS = 7
"""Significant digits of a vector's numbers: endpoints compute in 32 bits, which hold no more."""


def parse_completion(raw: object, *, latency_ms: float | None, wall: float) -> Completion:
    """Give the completion in `raw`, the parsed body of an HTTP 200 (or its text, where it did not call itself JSON).

    A refusal, a content filter and an answer cut at `max_tokens` are results: the model did that.

    Raises
    ------
    AttemptFailed
        `malformed` where this is no chat completion, else what the `error` within stands for.
    """
    body = _object(raw, "a chat completion")
    choices = body.get("choices")
    if body.get("error") and not choices:
        raise api_errors.failure_from_error_object(body["error"], wall)
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise api_errors.malformed_failure("the answer holds no choice (`choices` is empty or missing)")
    choice = choices[0]
    if choice.get("error"):
        raise api_errors.failure_from_error_object(choice["error"], wall)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        raise api_errors.malformed_failure("the answer's choice holds no message")
    finish = _text(choice.get("finish_reason"))
    refusal = _text(message.get("refusal")) or None
    return Completion(
        text=_content(message, finish=finish, refusal=refusal),
        usage=_usage(body.get("usage")),
        latency_ms=latency_ms,
        model=_name(body.get("model")),
        fingerprint=_name(body.get("system_fingerprint")),
        finish_reason=_name(finish),
        refusal=refusal,
    )


def parse_billed_usage(raw: object) -> Completion | None:
    """Give what the endpoint counted for an answer that cannot be used; None where it says nothing."""
    body = raw if isinstance(raw, Mapping) else {}
    usage = _usage(body.get("usage"))
    return None if usage is None else Completion(text="", usage=usage, model=_name(body.get("model")))


def parse_embedding(raw: object, *, latency_ms: float | None, wall: float) -> Completion:
    """Give the vector in `raw` as the completion whose text is that vector in JSON, so that it is kept like any answer.

    Raises
    ------
    AttemptFailed
        `malformed` where there is not exactly one vector of finite numbers, else what the `error` within stands for.
    """
    body = _object(raw, "an embedding")
    rows = body.get("data")
    if body.get("error") and not rows:
        raise api_errors.failure_from_error_object(body["error"], wall)
    if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], Mapping):
        raise api_errors.malformed_failure("the answer does not hold the embedding of one text (`data`)")
    usage = body.get("usage")
    # Nothing is written, so endpoints leave the count of what was written out.
    counted = {"completion_tokens": 0, **usage} if isinstance(usage, Mapping) else None
    return Completion(
        text=json.dumps(_vector(rows[0].get("embedding")), separators=(",", ":")),
        usage=_usage(counted),
        latency_ms=latency_ms,
        model=_name(body.get("model")),
    )


def _vector(value: object) -> list[float]:
    if not isinstance(value, list) or not value:
        raise api_errors.malformed_failure("the embedding is no list of numbers, or an empty one")
    return [_rounded(number) for number in value]


def _rounded(number: object) -> float:
    """Give a number with as many digits as mean something."""
    try:
        if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
            return float(f"{number:.{VECTOR_DIGITS}g}")
    except OverflowError:  # a whole number beyond every float
        pass
    raise api_errors.malformed_failure("the embedding holds something that is no finite number")


def _object(raw: object, wanted: str) -> Mapping[str, Any]:
    body = _parsed(raw) if isinstance(raw, str) else raw
    if not isinstance(body, Mapping):
        raise api_errors.malformed_failure(f"the answer is not {wanted} but {_shown(raw)}")
    return body


def _content(message: Mapping[str, object], *, finish: str | None, refusal: str | None) -> str:
    content = message.get("content")
    if isinstance(content, str):
        return _clean(content)
    if isinstance(content, list):
        texts = [part["text"] for part in content if isinstance(part, Mapping) and isinstance(part.get("text"), str)]
        if texts:
            return _clean("".join(texts))
    # Without text: a model that refused, was filtered, or thought until max_tokens was used up, gave this result.
    if refusal is not None or finish in {"content_filter", "length"}:
        return ""
    if message.get("tool_calls") or message.get("function_call"):
        failed = api_errors.malformed_failure(
            "the model called a tool instead of answering: take the tools out of the prompt"
        )
        raise AttemptFailed(failed.error, advice=RetryAdvice.NEVER)
    raise api_errors.malformed_failure("the answer's message holds no text (`content` is null)")


def _usage(value: object) -> Usage | None:
    if not isinstance(value, Mapping):
        return None
    read, written = _count(value.get("prompt_tokens")), _count(value.get("completion_tokens"))
    if read is None or written is None:
        return None
    details = value.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    return _counted(read, written, min(cached or 0, read))


@lru_cache(maxsize=4096)  # thousands of answers share a few
def _counted(read: int, written: int, cached: int) -> Usage:
    return Usage(input_tokens=read, output_tokens=written, cached_input_tokens=cached)


def _count(value: object) -> int | None:
    """Give a number of tokens, or None where it is none: unknown is not 0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < 2**53 else None


def _text(value: object) -> str | None:
    return _clean(value) if isinstance(value, str) else None


def _name(value: object) -> str | None:
    """Give a text that many answers share, which is then kept once."""
    text = _text(value)
    return None if text is None else sys.intern(text)


def _clean(text: str) -> str:
    """Replace halves of surrogate pairs, which no file and no request can carry."""
    return text.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _shown(raw: object) -> str:
    text = raw.strip() if isinstance(raw, str) else json.dumps(raw, default=str)
    if text[:1] == "<":
        return "a web page: perhaps a proxy or login page answers in the endpoint's place"
    return f"`{text[:80]}`" if text else "empty"
