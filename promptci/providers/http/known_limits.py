"""What endpoints allowed in earlier runs: kept in the memory's folder, so that a run need not find it out again."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from promptci.documents.document import Document
from promptci.errors import InputError
from promptci.files import write

FILE_NAME = "limits.json"
MAX_MODELS = 200
"""Models that are kept; those that were asked longest ago are dropped."""


class KnownLimit(BaseModel):
    """What one model of one endpoint allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    calls_at_once: Annotated[float, Field(ge=1, le=1000)] = Field(description="Calls under way to begin with.")
    calls_per_second: Annotated[float, Field(gt=0, le=1e6)] | None = Field(
        description="The rate that was found; null if no call was refused."
    )
    answer_s: Annotated[float, Field(gt=0, le=1e6)] = Field(description="Seconds an answer takes when few are asked.")


class KnownLimits(Document):
    """The limits of all endpoints that were asked."""

    MAX_BYTES: ClassVar[int] = 2**20

    schema_: Literal["promptci/limits/v1"] = Field(default="promptci/limits/v1", alias="schema")
    limits: dict[str, KnownLimit] = Field(default={}, description="By address and model.")


class LimitsFile:
    """The file of one endpoint's limits. A fault in it never fails a run: what is not known is found out again."""

    def __init__(self, folder: Path, base_url: str) -> None:
        self._path = folder / FILE_NAME
        self._base_url = base_url

    def load(self) -> dict[str, KnownLimit]:
        """Return what is known, by model."""
        prefix = f"{self._base_url} "
        return {name.removeprefix(prefix): limit for name, limit in self._load().items() if name.startswith(prefix)}

    def save(self, limits: Mapping[str, KnownLimit]) -> None:
        """Replace what is known of these models."""
        if not limits:
            return
        new = {f"{self._base_url} {model}": limit for model, limit in limits.items()}
        kept = {name: limit for name, limit in self._load().items() if name not in new}
        latest = dict([*kept.items(), *new.items()][-MAX_MODELS:])
        with contextlib.suppress(OSError):
            write.write_text(self._path, KnownLimits(limits=latest).dump())

    def _load(self) -> dict[str, KnownLimit]:
        try:
            return KnownLimits.load(self._path).limits
        except InputError:
            return {}
