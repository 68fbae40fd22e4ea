"""ReportView: one flat, JSON-able view of a run. report.json is this view; every text and page is drawn from it."""

from collections.abc import Sequence
from typing import Literal

from pydantic import ConfigDict, Field, JsonValue

from promptci.report.model.base import Share, VerdictName, View
from promptci.report.model.case import AnswerView, CaseView, MarkView, TallyView
from promptci.report.model.judge import JudgeView
from promptci.report.model.numbers import (
    ArmView,
    CostView,
    LabelRowView,
    LatencyView,
    PastQualityView,
    PercentilesView,
    QualityView,
)

__all__ = [
    "AnswerView",
    "ArmView",
    "CaseView",
    "CostView",
    "LabelRowView",
    "LatencyView",
    "MarkView",
    "PastQualityView",
    "PercentilesView",
    "QualityView",
    "TallyView",
    "VerdictName",
    "View",
]
"""Parts that have files of their own; `from promptci.report.model.report import …` gives every part of a view."""

SCHEMA: Literal["promptci/report/v1"] = "promptci/report/v1"


class RevisionView(View):
    """One side of the comparison."""

    rev: str = Field(description="As it was asked for: a branch, a tag, `.` for the working tree.")
    sha: str | None = Field(description="Commit; null for the working tree.")


class FindingView(View):
    """What one rule found, and what that alone would make the verdict."""

    rule: str
    verdict: VerdictName
    text: str = Field(description="The facts in words.")
    facts: dict[str, JsonValue] = Field(default={}, description="What the rule measured; the keys depend on the rule.")


class DiffLineView(View):
    """One line of the prompt's unified diff."""

    kind: Literal["added", "removed", "context", "hunk"]
    text: str


class ComparabilityView(View):
    """What the comparison of one prompt rests on."""

    fingerprint: str = Field(description="SHA-256 of `parts`: numbers under one fingerprint may be compared.")
    parts: dict[str, str] = Field(description="By name; where the versions differ, both: `a → b`.")
    mismatches: list[str] = Field(
        default=[], description="Why the versions are not comparable; then `quality` is null."
    )


class JudgeChecksView(View):
    """What was done to find out whether the judges of a prompt can be trusted, in words."""

    probes: list[str] = Field(default=[], description="A sentence for each judge: how useless answers fared.")
    position_bias: str | None = Field(
        default=None, description="How often a verdict changed with the order of the answers."
    )


class FlakyCaseView(View):
    """A case that was right once and wrong another time, with nothing changed."""

    id: str
    passes: int
    fails: int


class FlakyView(View):
    """What earlier runs say about chance in a prompt's cases."""

    cases: list[FlakyCaseView] = Field(default=[])
    discordance: Share | None = Field(default=None, description="Share of cases on which two equal runs disagree.")
    measured: int = Field(default=0, description="Cases that this was measured on.")
    cases_needed: int | None = Field(default=None, description="Pairs that settle the margin with that much chance.")


class PromptView(View):
    """One affected prompt."""

    name: str
    path: str
    status: Literal["changed", "added", "deleted", "renamed", "unchanged"]
    verdict: VerdictName
    sentence: str = Field(description="The verdict in one sentence.")
    why: list[str] = Field(description="Why the prompt counts as affected.")
    verdict_id: str | None = Field(default=None, description="Names the verdict in the history.")
    base_fingerprint: str | None = Field(default=None, description="Of all that can change an answer.")
    head_fingerprint: str | None = None
    goldens: str | None = Field(default=None, description="SHA-256 over the ids and texts of the cases; null: none.")
    cases: int
    pairs: int
    errors: int
    asked: int
    quality: QualityView | None = Field(description="null where there is no pair, or the versions are not comparable.")
    comparability: ComparabilityView | None = Field(default=None, description="null where nothing is compared.")
    base: ArmView | None
    head: ArmView | None
    regressions: list[str]
    fixes: list[str]
    latency_ms: LatencyView
    cost_usd: CostView
    findings: list[FindingView]
    diff: list[DiffLineView] = Field(default=[])
    diff_note: str | None = Field(default=None, description="Such as: only the line endings changed.")
    case_details: Sequence[CaseView] = Field(default=[])
    new_cases: list[str] = Field(default=[])
    changed_cases: list[str] = Field(default=[])
    removed_cases: list[str] = Field(default=[])
    loosened_cases: list[str] = Field(default=[])
    flaky: FlakyView = FlakyView()
    history: list[PastQualityView] = Field(
        default=[], description="Earlier versions as they were tested, oldest first."
    )
    notes: list[str] = Field(default=[])
    judge_checks: JudgeChecksView | None = None
    judge: JudgeView | None = Field(default=None, description="null: no judge had a say.")


class SpendView(View):
    """What this run asked and paid."""

    calls: int = Field(description="Calls really made, judge included.")
    cached: int = Field(description="Answers taken from the cache or shared between the versions.")
    usd: float | None
    usd_is_lower_bound: bool = Field(description="True where some call's price is unknown.")


class GateView(View):
    """The policy that decided."""

    mode: Literal["block", "advise"]
    max_drop: float
    alpha: float
    on_inconclusive: Literal["warn", "block"]
    min_quality: float | None
    max_cost_increase: float | None
    max_p95_increase: float | None
    max_error_rate: float
    source: str = Field(description="Where the policy was read, such as `promptci.yml at 1a2b3c4 (base)`.")


class PrecisionView(View):
    """Earlier verdicts that blocked, or would have, and what people made of them."""

    verdicts: int
    labelled: int
    correct: int
    interval: tuple[float, float] | None = Field(description="Wilson, 95 %, of correct among labelled.")


class ReportView(View):
    """A run: what was compared, what was found, what was decided."""

    schema_: Literal["promptci/report/v1"] = Field(default=SCHEMA, alias="schema")
    promptci_version: str
    verdict: VerdictName
    exit_code: int
    headline: str = Field(description="The verdict in one sentence, naming the prompts.")
    kind: Literal["check", "run"] = Field(default="check", description="`run` has one revision and no comparison.")
    base: RevisionView | None
    head: RevisionView
    repository: str | None = None
    pull_request: int | None = None
    actor: str | None = Field(default=None, description="Who set off the run, as GitHub names them.")
    run_url: str | None = Field(default=None, description="The workflow's run; null outside of GitHub Actions.")
    started_at: str | None = Field(default=None, description="UTC, ISO 8601; null in reproducible output.")
    generated_at: str | None = Field(default=None, description="UTC, ISO 8601; null in reproducible output.")
    provider: str | None = Field(default=None, description="Who answered; null where nobody was asked.")
    prompts: list[PromptView]
    problems: list[FindingView] = Field(default=[], description="Findings about the run as a whole.")
    pooled: str | None = Field(default=None, description="What the prompts show together, by one stratified test.")
    notes: list[str] = Field(default=[])
    gate: GateView
    precision: PrecisionView | None = Field(default=None, description="null: no history is kept.")
    spend: SpendView

    model_config = ConfigDict(populate_by_name=True)
