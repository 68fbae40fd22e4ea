"""What the sections of promptci.yml share."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class ConfigSection(BaseModel):
    """Base of all sections of promptci.yml. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


def accept_single(value: Any) -> Any:
    """Return a text as a list of one."""
    return [value] if isinstance(value, str) else value
