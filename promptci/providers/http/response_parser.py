"""Parse the JSON of chat completions and embeddings as untrusted data; raises AttemptFailed where it is not usable."""

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from promptci.providers.base import CallError, Completion, ToolCall, Usage
from promptci.providers.http.errors import api_errors
from promptci.providers.http.retry import AttemptFailed, RetryAdvice

VECTOR_DIGITS = 7
"""Significant digits of a vector's numbers: endpoints compute in 32 bits, which hold no more."""
_REASONING_BLOCK = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>\s*", re.DOTALL)
_REASONING_END = "</think>"
_REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
_ONLY_REASONED = (
    "the model only reasoned and wrote no answer: raise `max_tokens`, lower `reasoning_effort`, or turn reasoning off"
)


def parse_completion(raw: object, *, latency_ms: float | None, wall: float) -> Completion:
    """Parse the body of an HTTP 200: JSON values, or text if it was not declared as JSON.

    A refusal, a content filter and an answer cut at `max_tokens` are results: the model did that.

    Raises
    ------
    AttemptFailed
        `malformed` if this is not a chat completion, else the failure for the `error` within.
    """
    body = _parse_object(raw, "a chat completion")
    choices = body.get("choices")
    if body.get("error") and not choices:
        raise api_errors.failure_from_error_object(body["error"], wall)
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], Mapping):
        raise api_errors.malformed_failure("the response holds no choice (`choices` is empty or missing)")
    choice = choices[0]
    if choice.get("error"):
        raise api_errors.failure_from_error_object(choice["error"], wall)
    message = choice.get("message")
    if not isinstance(message, Mapping):
        raise api_errors.malformed_failure("the response's choice holds no message")
    finish_reason = _text(choice.get("finish_reason"))
    refusal = _text(message.get("refusal")) or None
    calls = _tool_calls(message)
    text = "" if calls and not message.get("content") else _content(message, finish_reason, refusal)
    return Completion(
        text=text,
        usage=_usage(body.get("usage"), has_text=bool(text)),
        latency_ms=latency_ms,
        model=_shared_text(body.get("model")),
        fingerprint=_shared_text(body.get("system_fingerprint")),
        finish_reason=_shared_text(finish_reason),
        refusal=refusal,
        tool_calls=calls,
    )


def _tool_calls(message: Mapping[str, object]) -> tuple[ToolCall, ...]:
    """Return the tools that the model calls; none where one of them cannot be read."""
    written = message.get("tool_calls")
    functions = (
        [call.get("function") if isinstance(call, Mapping) else None for call in written or ()]
        if isinstance(written, list)
        else [message["function_call"]]
        if message.get("function_call")
        else []
    )
    calls = [_tool_call(function) for function in functions]
    return () if None in calls else tuple(call for call in calls if call is not None)


def _tool_call(function: object) -> ToolCall | None:
    name = _text(function.get("name")) if isinstance(function, Mapping) else None
    if not isinstance(function, Mapping) or not name:
        return None
    arguments = function.get("arguments")
    text = _text(arguments) if isinstance(arguments, str | None) else json.dumps(arguments)  # some send an object
    return ToolCall(name=name, arguments=text or "")


def strip_reasoning(completion: Completion) -> Completion:
    """Remove a leading `<think>…</think>` block, also one whose opening tag the chat template swallowed.

    Raises
    ------
    AttemptFailed
        If nothing follows the block: the model only reasoned.
    """
    text = completion.text
    stripped = _REASONING_BLOCK.sub("", text)
    if stripped == text and _REASONING_END in text and "<think>" not in text:
        stripped = text.partition(_REASONING_END)[2].lstrip()
    if stripped == text:
        if text.lstrip().startswith("<think>") and _REASONING_END not in text:  # cut within the block
            raise _only_reasoned(completion)
        return completion
    if not stripped.strip():
        raise _only_reasoned(completion)
    return replace(completion, text=stripped)


def parse_billed_usage(raw: object) -> Completion | None:
    """Return what the endpoint counted for an unusable response; None if it says nothing."""
    body = raw if isinstance(raw, Mapping) else {}
    usage = _usage(body.get("usage"), has_text=False)
    return None if usage is None else Completion(text="", usage=usage, model=_shared_text(body.get("model")))


def parse_embedding(raw: object, *, latency_ms: float | None, wall: float) -> Completion:
    """Parse an embedding into a completion whose text is the vector in JSON, so that it is stored like any answer.

    Raises
    ------
    AttemptFailed
        `malformed` unless there is exactly one vector of finite numbers, else the failure for the `error` within.
    """
    body = _parse_object(raw, "an embedding")
    rows = body.get("data")
    if body.get("error") and not rows:
        raise api_errors.failure_from_error_object(body["error"], wall)
    if not isinstance(rows, list) or len(rows) != 1 or not isinstance(rows[0], Mapping):
        raise api_errors.malformed_failure("the response does not hold the embedding of one text (`data`)")
    usage = body.get("usage")
    # Nothing is written, so endpoints leave the count of output tokens out.
    counts = {"completion_tokens": 0, **usage} if isinstance(usage, Mapping) else None
    return Completion(
        text=json.dumps(_vector(rows[0].get("embedding")), separators=(",", ":")),
        usage=_usage(counts, has_text=False),
        latency_ms=latency_ms,
        model=_shared_text(body.get("model")),
    )


def _vector(value: object) -> list[float]:
    if not isinstance(value, list) or not value:
        raise api_errors.malformed_failure("the embedding is not a list of numbers, or is empty")
    return [_round_significant(number) for number in value]


def _round_significant(number: object) -> float:
    """Round to the digits that a 32-bit number holds."""
    try:
        if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
            return float(f"{number:.{VECTOR_DIGITS}g}")
    except OverflowError:  # an integer beyond every float
        pass
    raise api_errors.malformed_failure("the embedding holds something that is not a finite number")


def _parse_object(raw: object, expected: str) -> Mapping[str, Any]:
    body = _parse_json(raw) if isinstance(raw, str) else raw
    if not isinstance(body, Mapping):
        raise api_errors.malformed_failure(f"the response is not {expected} but {_describe(raw)}")
    return body


def _content(message: Mapping[str, object], finish_reason: str | None, refusal: str | None) -> str:
    content = message.get("content")
    text = content if isinstance(content, str) else None
    if isinstance(content, list):
        parts = [part["text"] for part in content if isinstance(part, Mapping) and isinstance(part.get("text"), str)]
        text = "".join(parts) if parts else None
    if text is not None and text.strip():
        return _clean(text)
    # Without text: a model that refused or was filtered gave this result.
    if refusal is not None or finish_reason == "content_filter":
        return ""
    if message.get("tool_calls") or message.get("function_call"):
        failed = api_errors.malformed_failure(
            "the model called a tool in a way that cannot be read: a call has a function with a `name`"
        )
        raise AttemptFailed(failed.error, advice=RetryAdvice.NEVER)
    if any(message.get(key) for key in _REASONING_KEYS):
        raise AttemptFailed(CallError("malformed", _ONLY_REASONED, caused_by_request=True))
    if text is not None or finish_reason == "length":
        return _clean(text or "")
    raise api_errors.malformed_failure("the response's message holds no text (`content` is null)")


def _only_reasoned(completion: Completion) -> AttemptFailed:
    failed = AttemptFailed(CallError("malformed", _ONLY_REASONED, caused_by_request=True))
    failed.billed_completion = completion if completion.usage is not None else None
    return failed


def _usage(value: object, *, has_text: bool) -> Usage | None:
    """Return the token counts, or None if they are missing or cannot be true: unknown is not 0."""
    if not isinstance(value, Mapping):
        return None
    input_tokens, output_tokens = _count(value.get("prompt_tokens")), _count(value.get("completion_tokens"))
    if input_tokens is None or output_tokens is None:
        return None
    total = _count(value.get("total_tokens"))
    if total is not None:  # Google and xAI leave the tokens of reasoning out of `completion_tokens`
        output_tokens = max(output_tokens, total - input_tokens)
    if input_tokens == 0 or (has_text and output_tokens == 0):
        return None
    details = value.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    return _shared_usage(input_tokens, output_tokens, min(cached or 0, input_tokens))


@lru_cache(maxsize=4096)  # thousands of answers share a few
def _shared_usage(input_tokens: int, output_tokens: int, cached: int) -> Usage:
    return Usage(input_tokens=input_tokens, output_tokens=output_tokens, cached_input_tokens=cached)


def _count(value: object) -> int | None:
    """Return a number of tokens, or None if the value is not one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value < 2**53 else None


def _text(value: object) -> str | None:
    return _clean(value) if isinstance(value, str) else None


def _shared_text(value: object) -> str | None:
    """Return a text that many answers share, so that it is kept in memory once."""
    text = _text(value)
    return None if text is None else sys.intern(text)


def _clean(text: str) -> str:
    """Replace halves of surrogate pairs, which no file and no request can carry."""
    return text.encode("utf-16", errors="surrogatepass").decode("utf-16", errors="replace")


def _parse_json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _describe(raw: object) -> str:
    text = raw.strip() if isinstance(raw, str) else json.dumps(raw, default=str)
    if text[:1] == "<":
        return "a web page: perhaps a proxy or login page answers instead of the endpoint"
    return f"`{text[:80]}`" if text else "empty"
