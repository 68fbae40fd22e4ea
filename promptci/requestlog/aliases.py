"""The names under which applications log each field, in order: the first that a line has is read.

The first name of a field is the one that `promptci.runtime` writes. Names with `promptci.` that it does not write are
those of logs from before it; the others are of OpenTelemetry's conventions.
"""

from dataclasses import dataclass
from types import MappingProxyType

QUALITY_EVALUATION = "quality"
"""Evaluations of another name are no quality score."""
EVALUATION_NAME = "gen_ai.evaluation.name"
PERCENT_MARKER = "promptci.arm"
"""A line with this name has its share in percent; any other line in 1/100 %."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alias:
    """One name of a field."""

    name: str
    scale: float = 1.0
    """What the value is multiplied by."""


def _aliases(*names: str | Alias) -> tuple[Alias, ...]:
    return tuple(name if isinstance(name, Alias) else Alias(name=name) for name in names)


ALIASES = MappingProxyType(
    {
        "time": _aliases("time"),
        "id": _aliases("promptci.request", "gen_ai.response.id"),
        "prompt": _aliases("gen_ai.prompt.name", "promptci.prompt"),
        "version": _aliases("gen_ai.prompt.version", "promptci.version"),
        "arm": _aliases("feature_flag.result.variant", "promptci.arm"),
        "share": _aliases("promptci.share"),
        "user": _aliases("promptci.unit", "promptci.user"),
        "key": _aliases("feature_flag.context.id", "promptci.key"),
        "error": _aliases("error.type"),
        "latency_ms": _aliases("promptci.latency_ms", Alias(name="gen_ai.client.operation.duration", scale=1000.0)),
        "cost_usd": _aliases("gen_ai.usage.cost.amount", "promptci.cost_usd"),
        "quality": _aliases("gen_ai.evaluation.score.value", "promptci.quality"),
        "signal": _aliases("promptci.signal"),
        "model": _aliases("gen_ai.request.model"),
        "response_model": _aliases("gen_ai.response.model"),
        "output_tokens": _aliases("gen_ai.usage.output_tokens"),
    }
)
