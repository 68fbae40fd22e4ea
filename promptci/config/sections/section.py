"""What the sections of promptci.yml share."""

import re
from typing import Any

from pydantic import BaseModel, ConfigDict

UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_seconds(value: Any) -> float:
    """Parse `45m`, `90s`, `1.5h` or a plain number of seconds."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(value))
    if match is None or isinstance(value, bool) or float(match[1]) <= 0:
        raise ValueError("is not a duration: write it like 90s, 45m or 1h")
    return float(match[1]) * UNITS[match[2] or "s"]


class ConfigSection(BaseModel):
    """Base of all sections of promptci.yml. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)
