"""Schema of promptci.yml: its keys with their types, defaults and descriptions."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from promptci.config.log_section import ConfigSection, LogSection
from promptci.config.model import DEFAULT_INCLUDE
from promptci.config.run_limits import DEFAULT_ASSERTION_TIME_S, DEFAULT_AUTO_CALLS
from promptci.config.trust import is_platform_token

Rate = Annotated[float, Field(ge=0, le=1)]
SCHEMA_FILE = Path(__file__).with_name("promptci.schema.json")
"""The generated JSON Schema, which is part of the package."""
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(value: Any) -> float:
    """Parse `45m`, `90s`, `1.5h` or a plain number of seconds."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(value))
    if match is None or isinstance(value, bool) or float(match[1]) <= 0:
        raise ValueError("is not a duration: write it like 90s, 45m or 1h")
    return float(match[1]) * UNITS[match[2] or "s"]


def _single_or_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class PromptsSection(ConfigSection):
    """Where prompts and their golden cases are."""

    include: Annotated[list[str], BeforeValidator(_single_or_list)] = Field(
        default=list(DEFAULT_INCLUDE),
        description="Globs of prompts from the repository's root. `*` stays within a folder, `**` does not. Vendored"
        " folders such as node_modules are left out unless a pattern names them.",
        min_length=1,
    )
    goldens: str = Field(
        default="goldens/{name}.*",
        description="Glob of a prompt's goldens. `{name}` is the prompt's `name`, or its file name without extensions.",
    )


Money = Annotated[Decimal, Field(ge=0, strict=False)]


class PriceSection(ConfigSection):
    """Price of one model, in US dollars per million tokens."""

    input_usd: Money
    output_usd: Money


class ProviderSection(ConfigSection):
    """The model endpoint that answers."""

    kind: Literal["openai", "local", "recorded"] = Field(
        default="openai",
        description="`openai`: any OpenAI-compatible endpoint. `local`: the embedded model. `recorded`: from a file.",
    )
    base_url: str = Field(default="https://api.openai.com/v1", description="Endpoint of kind `openai`.")
    api_key_env: str = Field(
        default="OPENAI_API_KEY",
        description="Environment variable with the API key. Tokens of GitHub and of cloud providers are refused.",
    )

    @field_validator("api_key_env")
    @classmethod
    def _refuse_platform_tokens(cls, name: str) -> str:
        if is_platform_token(name):
            raise ValueError("a platform's own token is never an API key: store the key in a secret of its own")
        return name

    model: str | None = Field(default=None, description="Model of prompt files that name none.")
    path: str | None = Field(default=None, description="File of recorded answers, for kind `recorded`.")
    timeout: Annotated[float, BeforeValidator(_seconds)] = Field(
        default=60.0,
        description="Timeout of one attempt, such as 60s.",
        json_schema_extra={"type": ["string", "number"]},
    )
    headers: dict[str, str] = Field(
        default={}, description="Extra request headers; `${NAME}` in a value is the environment variable NAME."
    )
    models: dict[str, str] = Field(
        default={},
        description='Names that the endpoint knows models by, such as `openai/*: "*"`; `*` stands for the same text.',
    )
    strip_reasoning: bool = Field(default=True, description="Remove a leading `<think>` block from answers.")
    prices: dict[str, PriceSection] = Field(
        default={}, description="Prices by model, for models without a public list price."
    )


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
        description="Answers per case and version. `auto`: rounds of 1, 2, 4, 8 and 16 answers while the verdict is "
        "undecided, within `auto_calls` and the budget. A number: always that many. `{initial: 1, "
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
    deadline: Annotated[float, BeforeValidator(_seconds)] = Field(
        default=45 * 60.0,
        description="Time limit, such as 45m. A run that exceeds it ends with `error`.",
        json_schema_extra={"type": ["string", "number"]},
    )
    assertion_time: Annotated[float, BeforeValidator(_seconds)] = Field(
        default=DEFAULT_ASSERTION_TIME_S,
        description="Processor time that assertions in code (patterns, schemas, paths) may take in the whole run, such "
        "as 5m. A run that exceeds it ends with `error`, which names the case that took most.",
        json_schema_extra={"type": ["string", "number"]},
    )
    cache: str | Literal[False] | None = Field(
        default=".promptci/cache", description="Folder of cached answers; null or false: no cache."
    )
    history: str | Literal[False] | None = Field(
        default=".promptci/history",
        description="Folder with the verdicts and case results of earlier runs; null or false: no history.",
    )


class TrustSection(ConfigSection):
    """Agreement with people that a judge needs to affect the verdict."""

    min_kappa: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.6, description="Cohen's kappa; below it, the judge is advisory."
    )


class JudgeSection(ConfigSection):
    """Models that score what code cannot check."""

    model: str | None = Field(default=None, description="Model of `judge` assertions.")
    rubric: str | None = Field(default=None, description="File with the rubric of `judge` assertions.")
    embedding_model: str | None = Field(
        default=None, description="Default embedding model of `similar` assertions, at the same endpoint."
    )
    pairwise: bool = Field(
        default=False,
        description="`judge` assertions compare both versions' answers to a case, in both orders, instead of grading "
        "each alone.",
    )
    probes: Annotated[int, Field(ge=0, le=200)] = Field(
        default=12,
        description="Number of adversarial probes: useless answers that each judge must reject in every run to be "
        "trusted. 0: none.",
    )
    labels: str = Field(
        default="goldens/{name}.labels.jsonl",
        description="Glob of answers that people labelled, to measure the judge.",
    )
    trust: TrustSection = Field(
        default=TrustSection(),
        description="`min_kappa`: below this agreement with the labels, the judge is advisory.",
    )


class GateSection(ConfigSection):
    """Conditions that a change must meet to pass."""

    mode: Literal["block", "advise"] = Field(default="block", description="`advise` reports and never blocks.")
    about: Literal["goldens", "inputs"] = Field(
        default="goldens",
        description="What the verdict is about. `goldens`: these very cases, as a test suite is meant. `inputs`: inputs"
        " like them, for a sample of production traffic; it takes a hundred cases and more to decide.",
    )
    max_drop: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.05, description="Margin: the smallest drop in quality that blocks, as a share."
    )
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        default=0.05, description="One-sided error rate: how often a harmless change may be blocked."
    )
    on_inconclusive: Literal["warn", "block"] = Field(
        default="warn", description="Effect of the verdict `inconclusive`."
    )
    on_missing_goldens: Literal["error", "warn"] = Field(
        default="error", description="Verdict of a prompt without golden cases."
    )
    min_quality: Rate | None = Field(default=None, description="Lowest allowed quality of the new version, as a share.")
    max_cost_increase: Annotated[float, Field(ge=0)] | None = Field(
        default=0.25,
        description="Largest allowed increase of cost per request, as a share; null: no limit. It takes 8 cases.",
    )
    max_p95_increase: Annotated[float, Field(ge=0)] | None = Field(
        default=0.30, description="Largest allowed increase of p95 latency, as a share; null: no limit."
    )
    max_error_rate: Rate = Field(
        default=0.05, description="Largest allowed share of missing answers; above it, the verdict is `error`."
    )


class TrafficSection(ConfigSection):
    """How often the prompts are used in production."""

    requests_per_day: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Requests per day, to estimate the cost per month of 30 days."
    )


class ReportSection(ConfigSection):
    """Output of a run."""

    comment_template: str | None = Field(
        default=None,
        description="Jinja template for the comment; it can override blocks of the default template.",
    )


class ConfigFile(ConfigSection):
    """promptci.yml: how prompts are found, run, judged and gated."""

    version: Literal[1] = Field(default=1, description="Version of this format.")
    prompts: PromptsSection = PromptsSection()
    provider: ProviderSection = ProviderSection()
    run: RunSection = RunSection()
    judge: JudgeSection = JudgeSection()
    gate: GateSection = GateSection()
    traffic: TrafficSection = TrafficSection()
    log: LogSection = LogSection()
    report: ReportSection = ReportSection()


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of promptci.yml, for editors."""
    schema = ConfigFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "promptci.yml"}
