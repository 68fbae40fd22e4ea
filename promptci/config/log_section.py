"""The base of the sections of promptci.yml, and section `log`."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ConfigSection(BaseModel):
    """Base of all sections of promptci.yml. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


LogField = Literal[
    "time",
    "id",
    "prompt",
    "version",
    "arm",
    "share",
    "user",
    "key",
    "error",
    "latency_ms",
    "latency_s",
    "cost_usd",
    "quality",
    "signal",
    "model",
    "response_model",
    "system_fingerprint",
    "input_tokens",
    "output_tokens",
    "tag",
]


class LogSection(ConfigSection):
    """The request log of the application."""

    columns: dict[LogField, str] = Field(
        default={},
        description="Names under which the application logs fields, such as `prompt: template`, if promptci does not"
        " know them. A key of a JSON line, or a column.",
    )
