"""What the sections of promptci.yml share."""

from pydantic import BaseModel, ConfigDict


class ConfigSection(BaseModel):
    """Base of all sections of promptci.yml. An unknown key is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)
