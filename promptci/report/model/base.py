"""What every part of a view has in common."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

VerdictName = Literal["no-change", "pass", "inconclusive", "fail", "error"]
Share = Annotated[float, Field(ge=0, le=1)]


class View(BaseModel):
    """Frozen, and strict about what it holds, so that a report.json from elsewhere is checked when read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)
