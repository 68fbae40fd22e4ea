"""State of each canary between two evaluations: a file next to the deployment file."""

from datetime import UTC
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from promptci.documents.document import Document

Utc = Annotated[AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC))]


class CanaryProgress(BaseModel):
    """How far one canary has come."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stable: str
    canary: str
    share: float = Field(ge=0, le=100, allow_inf_nan=False)
    since: Utc
    """When this share began."""
    paused: bool = False
    """Whether a person had set its share to 0 at the last evaluation."""
    rolled_back: Utc | None = None
    rollback_reason: str = ""
    """Reason of the rollback."""


class CanaryState(Document):
    """The file deployments/ENVIRONMENT.canary.json."""

    HINT: ClassVar[str] = "Revert the change, or delete the file: each canary then restarts at its first step."

    schema_: Literal["promptci/canary-state/v1"] = Field(default="promptci/canary-state/v1", alias="schema")
    prompts: dict[str, CanaryProgress]


def load_progress(data: bytes | None, path: str) -> dict[str, CanaryProgress]:
    """Return the state of each prompt's canary; empty if there is no file yet.

    Raises
    ------
    InputError
        If the file has another format: an unknown state must not restart a canary.
    """
    return {} if data is None else CanaryState.parse(data, path).prompts


def dump_progress(standings: dict[str, CanaryProgress]) -> str:
    """Return the text of the file."""
    return CanaryState(prompts=dict(sorted(standings.items()))).dump()
