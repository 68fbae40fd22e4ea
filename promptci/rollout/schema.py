"""The shape of a deployment file: what each key holds, its default and its meaning. Its JSON Schema comes from here."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

SCHEMA_FILE = Path(__file__).with_name("deployment.schema.json")
"""The JSON Schema, as it is shipped."""
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
Version = Annotated[str, Field(min_length=1, max_length=500)]
Limit = Annotated[float, Field(gt=0, le=1)]


def _require_decimals(value: float) -> float:
    """Return a share in percent that a bundle can hold: it counts in hundredths of a percent."""
    if round(value, 2) != value:
        raise ValueError("has more than two decimals; the smallest share is 0.01")
    return value


Percent = Annotated[float, Field(ge=0, le=100, strict=False), AfterValidator(_require_decimals)]


def _seconds(value: Any) -> float:
    """Read `90s`, `10m`, `24h`, `7d` or a plain number of seconds."""
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([smhd]?)", str(value))
    if match is None or isinstance(value, bool):
        raise ValueError("is not a duration: write it like 10m, 24h or 7d")
    return float(match[1]) * UNITS[match[2] or "s"]


Duration = Annotated[float, BeforeValidator(_seconds)]


def _either(schema: dict[str, Any]) -> None:
    """Let editors take both ways of writing a duration."""
    schema["type"] = ["string", "number"]


class DeploymentSection(BaseModel):
    """A section of a deployment file; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class CanarySection(DeploymentSection):
    """The version that is tried."""

    version: Version = Field(description="Git tag or commit whose prompt the canary's users get.")
    share: Percent = Field(description="Percent of users that get it; `promptci canary --apply` writes it.")


class PromptSection(DeploymentSection):
    """What runs of one prompt."""

    stable: Version = Field(description="Git tag or commit whose prompt everybody else gets.")
    canary: CanarySection | None = Field(default=None, description="None: nothing is being tried.")


class PolicySection(DeploymentSection):
    """When a canary goes on, and when it is rolled back."""

    alpha: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        default=0.01,
        description="Chance that a canary that is no worse is rolled back: all steps, metrics and looks together.",
    )
    promote_alpha: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        default=0.05, description="Chance at each step that a canary that is worse by a limit or more is promoted."
    )
    min_requests: Annotated[int, Field(ge=10)] = Field(
        default=200, description="Users (or requests, by `unit`) of the canary that each metric needs at each step."
    )
    min_time: Duration = Field(
        default=24 * 3600.0, description="Shortest time of a step, such as 24h.", json_schema_extra=_either
    )
    max_time: Duration = Field(
        default=14 * 24 * 3600.0,
        description="A step that is undecided for longer is held for a person.",
        json_schema_extra=_either,
    )
    lag: Duration = Field(
        default=600.0,
        description="Requests younger than this wait for the next look. Longer than the log and the judge need.",
        json_schema_extra=_either,
    )
    stale: Duration = Field(
        default=2 * 3600.0,
        description="An arm without a request for so long has no data, and the canary is held.",
        json_schema_extra=_either,
    )
    unit: Literal["user", "request"] = Field(
        default="user",
        description="`user`: the first request of each user at a step counts; `request`: all do, which is honest only"
        " where one user's requests do not go alike.",
    )
    max_quality_drop: Limit | None = Field(
        default=0.02, description="Drop of mean quality worth a rollback; null: quality is not tested."
    )
    max_error_rise: Limit | None = Field(
        default=0.01, description="Rise of the share of failed requests worth a rollback; null: not tested."
    )
    max_slow_rise: Limit | None = Field(
        default=0.05,
        description="Rise of the share of requests slower than the control's p95, which is 0.05 of the control's own;"
        " null: not tested.",
    )
    max_cost_increase: Annotated[float, Field(gt=0, le=10)] | None = Field(
        default=0.25, description="Relative rise of the mean cost of a request; null: not tested."
    )
    max_complaint_rise: Limit | None = Field(
        default=None, description="Rise of the share of requests with a negative signal; null: not tested."
    )

    @model_validator(mode="after")
    def _sensible(self) -> "PolicySection":
        if self.max_time <= self.min_time:
            raise ValueError("`max_time` must be longer than `min_time`")
        return self


class DeploymentFile(DeploymentSection):
    """deployments/<env>.yml: what runs in an environment."""

    version: Literal[1] = Field(default=1, description="Version of this format.")
    prompts: dict[Annotated[str, Field(min_length=1, max_length=200)], PromptSection] = Field(
        description="What runs of each prompt, by the prompt's name."
    )
    steps: Annotated[list[Percent], Field(min_length=2, max_length=20)] = Field(
        default=[5, 25, 50, 100], description="Shares of traffic in percent through which a canary goes, one by one."
    )
    policy: PolicySection = Field(default=PolicySection(), description="When it goes on, and when it is rolled back.")

    @model_validator(mode="after")
    def _rising(self) -> "DeploymentFile":
        if self.steps != sorted(set(self.steps)) or self.steps[0] <= 0 or self.steps[-1] != 100:
            raise ValueError("`steps` must rise from above 0 to 100")
        return self


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a deployment file, for editors."""
    schema = DeploymentFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "deployments/<env>.yml"}
