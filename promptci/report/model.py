"""ReportView: one flat, JSON-able view of a run. report.json is this view; every text and page is drawn from it."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from promptci.report.judge_model import JudgeView

SCHEMA: Literal["promptci/report/v1"] = "promptci/report/v1"

VerdictName = Literal["no-change", "pass", "inconclusive", "fail", "error"]
Share = Annotated[float, Field(ge=0, le=1)]


class View(BaseModel):
    """Frozen, and strict about what it holds, so that a report.json from elsewhere is checked when read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class RevisionView(View):
    """One side of the comparison."""

    rev: str = Field(description="As it was asked for: a branch, a tag, `.` for the working tree.")
    sha: str | None = Field(description="Commit; null for the working tree.")


class ReasonView(View):
    """One finding and what it alone would make the verdict."""

    rule: str
    verdict: VerdictName
    text: str


class MarkView(View):
    """One assertion on one answer."""

    name: str
    type: str
    passed: bool | None = Field(description="null: unscored.")
    score: float | None
    reason: str
    judge: str | None = Field(default=None, description="Who gave it, where code did not.")
    informs: bool = Field(default=False, description="True: it has no weight and decides nothing.")


class AnswerView(View):
    """One answer of one version."""

    text: str | None = Field(description="null where the call failed.")
    passed: bool | None = Field(description="null: missing data.")
    score: float | None
    error: str | None
    marks: list[MarkView] = []
    model: str | None = None
    fingerprint: str | None = None
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    latency_ms: float | None = None
    cost_usd: float | None = None
    cached: bool = False
    flags: list[str] = Field(default=[], description="Why a person should read this answer.")


class TallyView(View):
    """Fresh answers of one version to one case, as the history counts them; from the cache or missing: not counted."""

    arm: Literal["base", "head"]
    model: str | None
    passes: int
    fails: int
    chosen: bool = Field(default=False, description="Asked again because the versions disagreed.")


class CaseView(View):
    """One golden case with both answers (the first replicate that shows the outcome)."""

    id: str
    change: Literal["same", "new", "changed"]
    outcome: Literal["broken", "fixed", "same", "incomplete", "base-only", "head-only"]
    critical: bool
    tags: list[str] = []
    asked: str = Field(description="The case's variables, in words.")
    expected: str | None
    digest: str | None = Field(default=None, description="Of the case's text, and of the judge where one marks it.")
    flaky: bool = Field(default=False, description="Has flipped by itself in an earlier run.")
    tallies: list[TallyView] = []
    base_pass_rate: Share | None
    head_pass_rate: Share | None
    base: AnswerView | None
    head: AnswerView | None
    aside: str | None = Field(default=None, description="Why the case decides nothing; null: it counts.")


class QualityView(View):
    """The measured difference over the complete pairs."""

    measure: Literal["pass rate", "mean score"]
    base: float
    head: float
    delta: float
    interval: tuple[float, float] | None = Field(description="Of delta, at `confidence`.")
    confidence: Share
    p: float | None
    adjusted_p: float | None
    detectable_drop: float | None = Field(description="Smallest true drop shown with 80 % power; null: none.")
    cases_needed: int | None = Field(description="Pairs that would settle it, where it is not settled.")
    repeats_needed: int | None = Field(default=None, description="Times to ask each of these cases instead.")
    method: str
    seed: int | None


class PercentilesView(View):
    """Latency in milliseconds; null where there is no answer."""

    p50: float | None
    p95: float | None
    p99: float | None
    n: int = 0
    p95_certain: bool = Field(default=False, description="False: too few answers for an upper bound at 95 %.")
    p99_certain: bool = False


class LatencyView(View):
    """Both versions; null where a version was not asked."""

    base: PercentilesView | None
    head: PercentilesView | None


class CostView(View):
    """US dollars at list price; null is unknown, never 0."""

    base_per_request: float | None
    head_per_request: float | None
    delta_per_month: float | None
    requests_per_day: float | None = None


class LabelRowView(View):
    """One expected label of a `one-of` assertion."""

    label: str
    counts: dict[str, int] = Field(description="Given label to count.")
    precision: float | None
    recall: float | None
    f1: float | None


class ArmView(View):
    """One version over every case it was asked, compared or not."""

    asked: int
    evaluated: int
    quality: float | None
    quality_interval: tuple[float, float] | None = Field(description="Wilson, 95 %; null for mean scores.")
    models: list[str] = []
    fingerprints: list[str] = []
    labels: list[LabelRowView] = []


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

    canaries: list[str] = Field(default=[], description="A sentence for each judge: how useless answers fared.")
    swaps: str | None = Field(default=None, description="How often a verdict changed with the order of the answers.")


class FlakyCaseView(View):
    """A case that was right once and wrong another time, with nothing changed."""

    id: str
    passes: int
    fails: int


class FlakyView(View):
    """What earlier runs say about chance in a prompt's cases."""

    cases: list[FlakyCaseView] = []
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
    reasons: list[ReasonView]
    diff: list[DiffLineView] = []
    diff_note: str | None = Field(default=None, description="Such as: only the line endings changed.")
    case_details: list[CaseView] = []
    new_cases: list[str] = []
    changed_cases: list[str] = []
    removed_cases: list[str] = []
    loosened_cases: list[str] = []
    flaky: FlakyView = FlakyView()
    notes: list[str] = []
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
    judged: int
    right: int
    interval: tuple[float, float] | None = Field(description="Wilson, 95 %, of right among judged.")


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
    generated_at: str | None = Field(default=None, description="UTC, ISO 8601; null in reproducible output.")
    provider: str | None = Field(default=None, description="Who answered; null where nobody was asked.")
    prompts: list[PromptView]
    problems: list[ReasonView] = Field(default=[], description="Findings about the run as a whole.")
    pooled: str | None = Field(default=None, description="What the prompts show together, by one stratified test.")
    notes: list[str] = []
    gate: GateView
    precision: PrecisionView | None = Field(default=None, description="null: no history is kept.")
    spend: SpendView

    model_config = ConfigDict(populate_by_name=True)
