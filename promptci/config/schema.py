"""Schema of promptci.yml: its keys with their types, defaults and descriptions."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from promptci.config.model import DEFAULT_INCLUDE
from promptci.config.sections.alert_schema import AlertsSection
from promptci.config.sections.drift_schema import DriftSection
from promptci.config.sections.log_schema import LogSection
from promptci.config.sections.override_schema import OverrideSection, PromptGateSection
from promptci.config.sections.provider_schema import ProviderSection
from promptci.config.sections.review_schema import ApprovalsSection, MergeOverrideSection
from promptci.config.sections.run_schema import RunSection
from promptci.config.sections.section import ConfigSection, RepositoryFile, accept_single, check_path
from promptci.config.sections.site_schema import SiteSection
from promptci.prompts.options import Syntax

SCHEMA_FILE = Path(__file__).with_name("promptci.schema.json")
"""The generated JSON Schema, which is part of the package."""


def _check_glob(value: str) -> str:
    return check_path(value, "Write it from the repository's root, such as `prompts/*.md`")


RepositoryGlob = Annotated[str, AfterValidator(_check_glob)]


class PromptsSection(ConfigSection):
    """Where prompts and their golden cases are."""

    include: Annotated[list[RepositoryGlob], BeforeValidator(accept_single)] = Field(
        default=list(DEFAULT_INCLUDE),
        description="Globs of prompts from the repository's root. `*` stays within a folder, `**` does not. Vendored"
        " folders such as node_modules are left out unless a pattern names them. docs/formats.md lists the formats.",
        min_length=1,
    )
    goldens: RepositoryGlob = Field(
        default="goldens/{name}.*",
        description="Glob of a prompt's goldens. `{name}` is the prompt's `name`, or its file name without extensions.",
    )
    user: str | Literal[False] | None = Field(
        default=None,
        description="User message after a text that is a system message, such as `{{input}}`. false: each text is the"
        " whole prompt. null: a text with variables is the whole prompt, unless its name has `system` in it; any other"
        " is followed by `{{input}}`.",
    )
    syntax: Syntax | None = Field(
        default=None, description="Spelling of variables: `{{name}}`, `{name}`, `$name`, `jinja`; null: by the format."
    )
    max_golden_mb: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=200,
        description="Largest golden file, in MB. Large JSON Lines, JSON and CSV files are read as a stream.",
    )


class TrustSection(ConfigSection):
    """Agreement with people that a judge needs to affect the verdict."""

    min_kappa: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.6, description="Cohen's kappa; below it, the judge is advisory."
    )


class JudgeSection(ConfigSection):
    """Models that score what code cannot check."""

    model: str | None = Field(default=None, description="Model of `judge` assertions.")
    rubric: RepositoryFile | None = Field(default=None, description="File with the rubric of `judge` assertions.")
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
    labels: RepositoryFile = Field(
        default="goldens/{name}.labels.jsonl",
        description="Glob of answers that people labelled, to measure the judge.",
    )
    trust: TrustSection = Field(
        default=TrustSection(), description="`min_kappa`: below this agreement with the labels, the judge is advisory."
    )


class GateSection(PromptGateSection):
    """Conditions that a change must meet to pass."""

    mode: Literal["block", "advise"] = Field(default="block", description="`advise` reports and never blocks.")
    alpha: Annotated[float, Field(ge=0.0001, lt=0.5)] = Field(
        default=0.05, description="One-sided error rate: how often a harmless change may be blocked."
    )
    on_inconclusive: Literal["warn", "block"] = Field(
        default="warn", description="Effect of the verdict `inconclusive`."
    )


class TrafficSection(ConfigSection):
    """How often the prompts are used in production."""

    requests_per_day: Annotated[float, Field(ge=0)] | None = Field(
        default=None, description="Requests per day, to estimate the cost per month of 30 days."
    )


class ReportSection(ConfigSection):
    """Output of a run."""

    comment_template: RepositoryFile | None = Field(
        default=None, description="Jinja template for the comment; it can override blocks of the default template."
    )
    full_texts: bool = Field(
        default=False,
        description="Keep long texts of cases that passed also in the report of a large run. Otherwise they are cut"
        " where inputs and answers have more than 8 million characters; goldens and journal have them in full.",
    )


class ExplainSection(ConfigSection):
    """Which edit broke a prompt: asked where a check fails."""

    calls: int = Field(
        default=200,
        ge=0,
        le=10_000,
        description="Calls, at most, that find out which edits of a failed prompt broke its cases, over all failed"
        " prompts together; they count in `run.budget_usd`. 0: this is not asked.",
    )


class ConfigFile(ConfigSection):
    """promptci.yml: how prompts are found, run, judged and gated."""

    version: Literal[1] = Field(default=1, description="Version of this format.")
    prompts: PromptsSection = PromptsSection()
    provider: ProviderSection = ProviderSection()
    run: RunSection = RunSection()
    judge: JudgeSection = JudgeSection()
    gate: GateSection = GateSection()
    explain: ExplainSection = ExplainSection()
    overrides: list[OverrideSection] = Field(
        default=[],
        description="Gate, judge, endpoint, model and parameters of single prompts. Of two items, the later counts.",
    )
    traffic: TrafficSection = TrafficSection()
    log: LogSection = LogSection()
    report: ReportSection = ReportSection()
    alerts: AlertsSection = AlertsSection()
    drift: DriftSection = DriftSection()
    merge_override: MergeOverrideSection = MergeOverrideSection()
    approvals: ApprovalsSection = ApprovalsSection()
    site: SiteSection = SiteSection()


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of promptci.yml, for editors."""
    schema = ConfigFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "promptci.yml"}
