"""The shape of promptci.yml: what each key holds, its default and its meaning. The JSON Schema comes from here."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from promptci.config.run_limits import DEFAULT_AUTO_CALLS

Rate = Annotated[float, Field(ge=0, le=1)]
SCHEMA_FILE = Path(__file__).with_name("promptci.schema.json")
"""The JSON Schema, as it is shipped."""
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def _seconds(value: Any) -> float:
    """Read `45m`, `90s`, `1.5h` or a plain number of seconds."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(value))
    if match is None or isinstance(value, bool) or float(match[1]) <= 0:
        raise ValueError("is not a duration: write it like 90s, 45m or 1h")
    return float(match[1]) * UNITS[match[2] or "s"]


def _single_or_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Section(BaseModel):
    """A section of promptci.yml; a key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)


class PromptsSection(Section):
    """How prompts and their goldens are found."""

    include: Annotated[list[str], BeforeValidator(_single_or_list)] = Field(
        default=["prompts/**/*.prompt.yml", "prompts/**/*.prompt.yaml"],
        description="Globs of prompt files, from the repository's root. `*` stays within a folder, `**` does not.",
        min_length=1,
    )
    goldens: str = Field(
        default="goldens/{name}.*",
        description="Glob of a prompt's goldens; `{name}` is the prompt's `name`, else its file name without endings.",
    )


Money = Annotated[Decimal, Field(ge=0, strict=False)]


class PriceSection(Section):
    """Price of one model, in US dollars per million tokens."""

    input_usd: Money
    output_usd: Money


class ProviderSection(Section):
    """Who answers."""

    kind: Literal["openai", "local", "recorded"] = Field(
        default="openai",
        description="`openai`: any OpenAI-compatible endpoint. `local`: the embedded model. `recorded`: from a file.",
    )
    base_url: str = Field(default="https://api.openai.com/v1", description="Endpoint of kind `openai`.")
    api_key_env: str = Field(default="OPENAI_API_KEY", description="Name of the variable that holds the key.")
    path: str | None = Field(default=None, description="File of recorded answers, for kind `recorded`.")
    timeout: Annotated[float, BeforeValidator(_seconds)] = Field(
        default=60.0,
        description="Longest time for one attempt, such as 60s.",
        json_schema_extra={"type": ["string", "number"]},
    )
    prices: dict[str, PriceSection] = Field(
        default={}, description="Prices by model, for models that no public price list knows."
    )


Times = Annotated[int, Field(ge=1, le=100)]


def _repeats(value: Any) -> Any:
    """Let a plain number stand for `{initial: number}`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return {"initial": value}
    if value != "auto" and not isinstance(value, dict):
        raise ValueError("is neither auto nor a number nor a map such as {initial: 1, on_disagreement: 3}")
    return value


def _or_number(schema: dict[str, Any]) -> None:
    """Let editors take a plain number, too."""
    schema["anyOf"] = [{"type": "integer", "minimum": 1, "maximum": 100}, *schema.pop("anyOf")]


class RepeatsSection(Section):
    """Repeats only where they say something."""

    initial: Times = Field(default=1, description="Times each case is asked of each version.")
    on_disagreement: Times | None = Field(
        default=None,
        description="Times in all for a case on which the first answers of the two versions disagree.",
    )

    @model_validator(mode="after")
    def _more(self) -> "RepeatsSection":
        if self.on_disagreement is not None and self.on_disagreement <= self.initial:
            raise ValueError("`on_disagreement` counts all answers of a case, so it must be more than `initial`")
        return self


class RunSection(Section):
    """How much is asked, and what it may cost."""

    repeats: Annotated[Literal["auto"] | RepeatsSection, BeforeValidator(_repeats)] = Field(
        default="auto",
        description="Times each case is asked of each version. `auto`: in rounds of 1, 2, 4, 8 and 16 answers while the"
        " verdict is undecided, within `auto_calls` and the budget. A number: always that often."
        " `{initial: 1, on_disagreement: 3}`: more often only where the versions disagree.",
        json_schema_extra=_or_number,
    )
    auto_calls: Annotated[int, Field(ge=2, le=100_000)] = Field(
        default=DEFAULT_AUTO_CALLS,
        description="With `repeats: auto`: the most calls that the answers to one prompt's cases may take, both"
        " versions together. One round is always asked.",
    )
    early_stop: bool = Field(
        default=False,
        description="Stop asking once no answer can change the verdict. While a limit on cost or latency is set, only"
        " a failure can be foreseen.",
    )
    batch: Literal["never", "auto", "always"] = Field(
        default="never",
        description="Ask through OpenAI's Batch API, at half the price and within a day instead of minutes. `auto`: at"
        " the event schedule only. What is not there at the deadline is collected by a later run.",
    )
    concurrency: Literal["auto"] | Annotated[int, Field(ge=1, le=1000)] = Field(
        default="auto", description="Calls in flight at once; `auto` is what suits the provider."
    )
    budget_usd: Money | None = Field(
        default=None,
        description="The run stops with `error` before it would cost more than this many US dollars. Where calls cost"
        " more than their length let expect, those under way may pass it.",
    )
    deadline: Annotated[float, BeforeValidator(_seconds)] = Field(
        default=45 * 60.0,
        description="The run stops with `error` after this time, such as 45m.",
        json_schema_extra={"type": ["string", "number"]},
    )
    cache: str | Literal[False] | None = Field(
        default=".promptci/cache", description="Folder that keeps answers between runs; null or false: none."
    )
    history: str | Literal[False] | None = Field(
        default=".promptci/history",
        description="Folder that keeps verdicts and the outcome of each case between runs; null or false: none.",
    )


class TrustSection(Section):
    """What a judge must reach on people's labels, that it may block."""

    min_kappa: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.6, description="Cohen's kappa; below it the judge informs and does not block."
    )


class JudgeSection(Section):
    """Who marks what code cannot."""

    model: str | None = Field(default=None, description="Model of `judge` assertions.")
    rubric: str | None = Field(default=None, description="File with the rubric of `judge` assertions.")
    embedding_model: str | None = Field(
        default=None, description="Embedding model of `similar` assertions that name none, asked at the same endpoint."
    )
    pairwise: bool = Field(
        default=False,
        description="`judge` assertions compare both versions' answers to a case, in both orders, instead of grading"
        " each alone.",
    )
    probes: Annotated[int, Field(ge=0, le=200)] = Field(
        default=12,
        description="Useless answers with attacks that each judge must fail in every run, or it is not trusted;"
        " 0: none.",
    )
    labels: str = Field(
        default="goldens/{name}.labels.jsonl",
        description="Glob of people's marks of a prompt's answers, by which the judge is measured.",
    )
    trust: TrustSection = Field(
        default=TrustSection(),
        description="`min_kappa`: below this kappa with the labels the judge informs and does not block.",
    )


class GateSection(Section):
    """What a change must satisfy to pass."""

    mode: Literal["block", "advise"] = Field(default="block", description="`advise` reports and never blocks.")
    max_drop: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.05, description="Drop in quality worth blocking for: the margin, as a share."
    )
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = Field(
        default=0.05, description="One-sided error rate: how often a harmless change may be blocked."
    )
    on_inconclusive: Literal["warn", "block"] = Field(default="warn", description="What an undecided comparison does.")
    on_missing_goldens: Literal["error", "warn"] = Field(
        default="error", description="What a prompt without goldens is: an `error`, or `inconclusive`."
    )
    min_quality: Rate | None = Field(default=None, description="Quality that the new version must reach.")
    max_cost_increase: Annotated[float, Field(ge=0)] | None = Field(
        default=0.25, description="Allowed rise of cost per request, as a share; null: no limit."
    )
    max_p95_increase: Annotated[float, Field(ge=0)] | None = Field(
        default=0.30, description="Allowed rise of p95 latency, as a share; null: no limit."
    )
    max_error_rate: Rate = Field(
        default=0.05, description="Share of answers that may be missing before the verdict is `error`."
    )


class TrafficSection(Section):
    """How often the prompts are used."""

    requests_per_day: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Turns cost per request into cost per month (30 days)."
    )


class ReportSection(Section):
    """What is written of a run."""

    comment_template: str | None = Field(
        default=None,
        description="File of the repository that the comment is drawn by, such as one that replaces a block of ours.",
    )


class ConfigFile(Section):
    """promptci.yml: how prompts are found, asked, judged and gated."""

    version: Literal[1] = Field(default=1, description="Version of this format.")
    prompts: PromptsSection = PromptsSection()
    provider: ProviderSection = ProviderSection()
    run: RunSection = RunSection()
    judge: JudgeSection = JudgeSection()
    gate: GateSection = GateSection()
    traffic: TrafficSection = TrafficSection()
    report: ReportSection = ReportSection()


def json_schema() -> dict[str, Any]:
    """Give the JSON Schema of promptci.yml, for editors."""
    schema = ConfigFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "promptci.yml"}
