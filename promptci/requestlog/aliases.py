"""The names under which applications log each field, in order: the first that a line has is read.

The first name of a field is the one that `promptci.runtime` writes. Names with `promptci.` that it does not write are
those of logs from before it; the others are of OpenTelemetry's conventions.
"""

from types import MappingProxyType

from promptci.lazy_dataclass import dataclass

QUALITY_EVALUATION = "quality"
"""Evaluations of another name are no quality score."""
EVALUATION_NAME = "gen_ai.evaluation.name"
PERCENT_MARKER = "promptci.arm"
"""A line with this name has its share in percent; any other line in 1/100 %."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Alias:
    """One name of a field."""

    name: str
    """A key, or the name of a column."""
    path: tuple[str, ...] = ()
    """Keys within its value, which is an object."""
    scale: float = 1.0
    """What the value is multiplied by."""

    def __str__(self) -> str:
        return ".".join((self.name, *self.path))


def aliases(*names: str | Alias) -> tuple[Alias, ...]:
    """Return aliases; `usage.input` is a name with a dot, an Alias with a path is a key within an object."""
    return tuple(name if isinstance(name, Alias) else Alias(name=name) for name in names)


ALIASES = MappingProxyType(
    {
        "time": aliases("time"),
        "id": aliases("promptci.request", "gen_ai.response.id"),
        "prompt": aliases("gen_ai.prompt.name", "promptci.prompt"),
        "version": aliases("gen_ai.prompt.version", "promptci.version"),
        "arm": aliases("feature_flag.result.variant", "promptci.arm"),
        "share": aliases("promptci.share"),
        "user": aliases("promptci.unit", "promptci.user"),
        "key": aliases("feature_flag.context.id", "promptci.key"),
        "error": aliases("error.type"),
        "latency_ms": aliases("promptci.latency_ms", Alias(name="gen_ai.client.operation.duration", scale=1000.0)),
        "cost_usd": aliases("gen_ai.usage.cost.amount", "promptci.cost_usd"),
        "quality": aliases("gen_ai.evaluation.score.value", "promptci.quality"),
        "signal": aliases("promptci.signal"),
        "model": aliases("gen_ai.request.model"),
        "response_model": aliases("gen_ai.response.model"),
        "system_fingerprint": aliases("promptci.system_fingerprint", "gen_ai.openai.response.system_fingerprint"),
        "input_tokens": aliases("gen_ai.usage.input_tokens"),
        "output_tokens": aliases("gen_ai.usage.output_tokens"),
        "tag": aliases("promptci.tag"),
    }
)
