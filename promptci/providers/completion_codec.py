"""A Completion as JSON and back: one spelling for recordings, the cache and the journal."""

import math
from collections.abc import Mapping
from typing import Any

from promptci.providers.base import Completion, Usage


def to_json(completion: Completion) -> dict[str, Any]:
    """Give the completion as JSON values, unknown ones left out, keys in a fixed order."""
    usage = completion.usage
    value = {
        "text": completion.text,
        "usage": None if usage is None else _usage_to_json(usage),
        "latency_ms": completion.latency_ms,
        "model": completion.model,
        "fingerprint": completion.fingerprint,
        "finish_reason": completion.finish_reason,
        "refusal": completion.refusal,
        "batched": completion.batched or None,
    }
    return {key: item for key, item in value.items() if item is not None}


def from_json(value: object) -> Completion:
    """Give the completion that `to_json` wrote.

    Raises
    ------
    ValueError
        Saying which key is not what it should be; never KeyError or TypeError.
    """
    if not isinstance(value, Mapping):
        raise ValueError("the completion is not an object")  # noqa: TRY004 - one kind of error for bad content
    known = {"text", "usage", "latency_ms", "model", "fingerprint", "finish_reason", "refusal", "batched"}
    if unknown := sorted(set(map(str, value)) - known):
        raise ValueError(f"the completion has an unknown key `{unknown[0]}`")
    text = _text(value, "text")
    if text is None:
        raise ValueError("the completion has no `text`")
    return Completion(
        text=text,
        usage=None if value.get("usage") is None else _usage_from_json(value["usage"]),
        latency_ms=_latency(value.get("latency_ms")),
        model=_text(value, "model"),
        fingerprint=_text(value, "fingerprint"),
        finish_reason=_text(value, "finish_reason"),
        refusal=_text(value, "refusal"),
        batched=_flag(value, "batched"),
    )


def _usage_to_json(usage: Usage) -> dict[str, int]:
    value = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    return {**value, "cached_input_tokens": usage.cached_input_tokens} if usage.cached_input_tokens else value


def _usage_from_json(value: object) -> Usage:
    if not isinstance(value, Mapping):
        raise ValueError("`usage` is not an object")  # noqa: TRY004 - one kind of error for bad content
    return Usage(
        input_tokens=_tokens(value, "input_tokens"),
        output_tokens=_tokens(value, "output_tokens"),
        cached_input_tokens=_tokens(value, "cached_input_tokens") if "cached_input_tokens" in value else 0,
    )


def _tokens(value: Mapping[str, Any], key: str) -> int:
    number = value.get(key)
    if type(number) is not int or number < 0:
        raise ValueError(f"`{key}` is not a whole number of tokens")
    return number


def _latency(value: object) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError("`latency_ms` is not a duration")
    return float(value)


def _flag(value: Mapping[str, Any], key: str) -> bool:
    found = value.get(key, False)
    if not isinstance(found, bool):
        raise ValueError(f"`{key}` is neither true nor false")  # noqa: TRY004 - one kind of error for bad content
    return found


def _text(value: Mapping[str, Any], key: str) -> str | None:
    text = value.get(key)
    if text is not None and not isinstance(text, str):
        raise ValueError(f"`{key}` is not a text")
    return text
