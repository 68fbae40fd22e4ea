"""Schema of the section `run` of promptci.yml."""

from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from promptci.config.durations import parse_seconds
from promptci.config.run_limits import DEFAULT_ASSERTION_TIME_S, DEFAULT_AUTO_CALLS
from promptci.config.sections.section import ConfigSection, check_path

Money = Annotated[Decimal, Field(ge=0, strict=False)]
Times = Annotated[int, Field(ge=1, le=100)]


def _repeats(value: Any) -> Any:
    """Accept a plain number for `{initial: number}`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"initial": value}
    if value != "auto" and not isinstance(value, dict):
        raise ValueError("is neither auto nor a number nor a map such as {initial: 1, on_disagreement: 3}")
    return value


def _or_number(schema: dict[str, Any]) -> None:
    """Accept a plain number in the JSON Schema too."""
    schema["anyOf"] = [{"type": "integer", "minimum": 1, "maximum": 100}, *schema.pop("anyOf")]


def _check_folder(value: str | Literal[False] | None) -> str | Literal[False] | None:
    return check_path(value, "Name a folder inside it, such as `.promptci/cache`") if value else value


StateFolder = Annotated[str | Literal[False] | None, AfterValidator(_check_folder)]
"""A folder that promptci writes; null or false: none."""


class RepeatsSection(ConfigSection):
    """Repeats only for cases on which the versions disagree."""

    initial: Times = Field(default=1, description="Answers per case and version.")
    on_disagreement: Times | None = Field(
        default=None,
        description="Answers per version for a case on which the first answers of both versions disagree.",
    )

    @model_validator(mode="after")
    def _check_on_disagreement(self) -> "RepeatsSection":
        if self.on_disagreement is not None and self.on_disagreement <= self.initial:
            raise ValueError("`on_disagreement` counts all answers of a case, so it must be more than `initial`")
        return self


class RunSection(ConfigSection):
    """How many requests a run sends, and what it may cost."""

    repeats: Annotated[Literal["auto"] | RepeatsSection, BeforeValidator(_repeats)] = Field(
        default="auto",
        description="Answers per case and version. `auto`: rounds of 1, 2, 4, 8 and more answers, 64 at most, while "
        "the verdict is undecided, within `auto_calls` and the budget. A number: always that many. `{initial: 1, "
        "on_disagreement: 3}`: more only where the versions disagree.",
        json_schema_extra=_or_number,
    )
    auto_calls: Annotated[int, Field(ge=2, le=100_000)] = Field(
        default=DEFAULT_AUTO_CALLS,
        description="With `repeats: auto`: the largest number of requests for one prompt's cases, both versions "
        "together. One round is always sent.",
    )
    early_stop: bool = Field(
        default=False,
        description="Stop the run once no remaining answer can change the verdict. With a limit on cost or latency, "
        "only a `fail` can be decided early.",
    )
    batch: Literal["never", "auto", "always"] = Field(
        default="never",
        description="Use OpenAI's Batch API: half the price, within a day instead of minutes. `auto`: on scheduled "
        "runs only. A later run collects what is not ready at the deadline.",
    )
    concurrency: Literal["auto"] | Annotated[int, Field(ge=1, le=1000)] = Field(
        default="auto", description="Concurrent requests. `auto` finds what the provider allows."
    )
    budget_usd: Money | None = Field(
        default=None,
        description="Budget in US dollars. A run that would exceed it stops with `error`. Requests in flight may "
        "exceed it if they cost more than estimated.",
    )
    deadline: Annotated[float, BeforeValidator(parse_seconds)] = Field(
        default=45 * 60.0,
        description="Time limit, such as 45m. A run that exceeds it ends with `error`.",
        json_schema_extra={"type": ["string", "number"]},
    )
    assertion_time: Annotated[float, BeforeValidator(parse_seconds)] = Field(
        default=DEFAULT_ASSERTION_TIME_S,
        description="Processor time that assertions in code (patterns, schemas, paths) may take in the whole run, such "
        "as 5m. A run that exceeds it ends with `error`, which names the case that took most.",
        json_schema_extra={"type": ["string", "number"]},
    )
    cache: StateFolder = Field(
        default=".promptci/cache", description="Folder of cached answers; null or false: no cache."
    )
    memory: StateFolder = Field(
        default=".promptci/memory",
        description="Folder with the verdicts and case results of earlier runs; null or false: no memory.",
    )
