"""ReportView: one flat view of a run. report.json is this view, and every text and page is rendered from it."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field, JsonValue

from promptci.documents.report_document import ReportDocument, VerdictName
from promptci.report.model.attribution import AttributionView
from promptci.report.model.case import AnswerView, CaseView, MarkView, TallyView
from promptci.report.model.judge import JudgeView
from promptci.report.model.numbers import (
    CostView,
    LabelRowView,
    LatencyView,
    PastQualityView,
    PercentilesView,
    Proportion,
    QualityView,
    VersionView,
    ViewModel,
)

__all__ = [
    "AnswerView",
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
    "VersionView",
    "ViewModel",
]
"""Parts defined in other files, importable from here."""


class RevisionView(ViewModel):
    """One side of the comparison."""

    rev: str = Field(description="As requested: a branch, a tag, `.` for the working tree.")
    sha: str | None = Field(description="Commit; null for the working tree.")


class FindingView(ViewModel):
    """One finding and the verdict that it alone would lead to."""

    rule: str
    verdict: VerdictName
    text: str = Field(description="The facts in words.")
    facts: dict[str, JsonValue] = Field(default={}, description="What the rule measured; the keys depend on the rule.")


class DiffLineView(ViewModel):
    """One line of the prompt's unified diff."""

    kind: Literal["added", "removed", "context", "hunk"]
    text: str


class ComparabilityView(ViewModel):
    """The conditions of a comparison."""

    fingerprint: str = Field(description="SHA-256 of `parts`: numbers with equal fingerprints are comparable.")
    parts: dict[str, str] = Field(description="By name; if the versions differ, both: `a → b`.")
    mismatches: list[str] = Field(
        default=[], description="Why the versions are not comparable; then `quality` is null."
    )


class JudgeProbeView(ViewModel):
    """Results of the tests of a prompt's judges, as text."""

    probes: list[str] = Field(default=[], description="One sentence per judge: how it scored useless answers.")
    position_bias: str | None = Field(
        default=None, description="How often a judge's verdict changed with the order of the answers."
    )


class FlakyCaseView(ViewModel):
    """A case that was right in one run and wrong in another, with nothing changed."""

    id: str
    passes: int
    fails: int


class FlakyView(ViewModel):
    """Flaky cases of a prompt and its noise, from earlier runs."""

    cases: list[FlakyCaseView] = Field(default=[])
    discordance: Proportion | None = Field(default=None, description="Share of cases on which two equal runs disagree.")
    measured: int = Field(default=0, description="Cases that `discordance` was measured on.")
    cases_needed: int | None = Field(default=None, description="Pairs that settle the margin at that noise.")


class GateView(ViewModel):
    """The policy that was applied."""

    mode: Literal["block", "advise"]
    max_drop: float
    alpha: float
    on_inconclusive: Literal["warn", "block"]
    min_quality: float | None
    max_cost_increase: float | None
    max_p95_increase: float | None
    max_error_rate: float
    source: str = Field(description="Where the policy was read, such as `promptci.yml at 1a2b3c4 (base)`.")


class PromptView(ViewModel):
    """One affected prompt."""

    name: str
    path: str
    status: Literal["changed", "added", "deleted", "renamed", "unchanged"]
    verdict: VerdictName
    sentence: str = Field(description="The verdict in one sentence.")
    change_reasons: list[str] = Field(description="Why the prompt counts as affected.")
    verdict_id: str | None = Field(default=None, description="Identifies the verdict in the memory.")
    base_fingerprint: str | None = Field(default=None, description="Over everything that can change an answer.")
    head_fingerprint: str | None = None
    goldens: str | None = Field(default=None, description="SHA-256 over the ids and texts of the cases; null: none.")
    gate: GateView | None = Field(
        default=None, description="The policy of this prompt, where it has keys of its own; null: that of the run."
    )
    cases: int
    pairs: int
    errors: int
    answers_requested: int
    quality: QualityView | None = Field(description="null without a pair, or if the versions are not comparable.")
    comparability: ComparabilityView | None = Field(default=None, description="null if nothing is compared.")
    base: VersionView | None
    head: VersionView | None
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
    weakened_cases: list[str] = Field(default=[])
    looser_cases: list[str] = Field(default=[], description="Weakened cases that are shown to be easier to pass.")
    loosened_example: str = Field(default="", description="What one of them asked for before and asks for now.")
    no_longer_critical: list[str] = Field(default=[], description="Cases that are critical at base alone.")
    removed_critical: list[str] = Field(default=[], description="Removed cases that are critical.")
    flaky: FlakyView = FlakyView()
    earlier_versions: list[PastQualityView] = Field(
        default=[], description="Earlier versions that were tested, oldest first."
    )
    notes: list[str] = Field(default=[])
    attribution: AttributionView | None = Field(default=None, description="Which edit broke it; null: not asked.")
    judge_checks: JudgeProbeView | None = None
    judge: JudgeView | None = Field(default=None, description="null: no judge scored it.")

    @property
    def mismatches(self) -> list[str]:
        """Why the versions are not comparable; empty if they are, or if nothing is compared."""
        return self.comparability.mismatches if self.comparability else []


class SpendView(ViewModel):
    """Calls and cost of this run."""

    calls: int = Field(description="Calls made, judge included.")
    cached: int = Field(description="Answers from the cache or shared between the versions.")
    usd: float | None
    usd_is_lower_bound: bool = Field(description="True if the price of a call is unknown.")


class PrecisionView(ViewModel):
    """Earlier verdicts that blocked or would have, and how people labelled them."""

    verdicts: int
    labelled: int
    correct: int
    interval: tuple[float, float] | None = Field(description="Wilson, 95 %, of `correct` among `labelled`.")


class OverrideView(ViewModel):
    """Who let a blocked change through. The verdict stays what it is; `exit_code` is 0."""

    by: str = Field(description="Login of who put the label on.")
    id: int = Field(description="Number of that account, which stays the same when its login changes.")
    permission: str = Field(description="What the person may do in the repository.")
    reason: str
    reason_by: str | None = Field(description="Login of the comment's author; null for another source.")
    source: Literal["comment", "trailer", "body"] = Field(
        description="Where the reason stands: a comment, the head commit's message, the pull request's text."
    )
    head: str = Field(description="The commit that it is for.")
    at: str = Field(description="When label and reason were there, UTC, ISO 8601.")
    verdict: VerdictName = Field(description="What was overridden.")
    rules: list[str] = Field(description="Rules of the findings that were overridden.")


class ApproverView(ViewModel):
    """A person who approved the head commit."""

    by: str = Field(description="Login.")
    id: int
    at: str | None = Field(description="UTC, ISO 8601.")


class ApprovalView(ViewModel):
    """An approval that the change takes."""

    role: str
    prompts: list[str]
    pattern: str = Field(description="Glob of the rule.")
    required: int
    allowed: list[str] = Field(description="Logins and teams of the rule.")
    state: Literal["approved", "missing", "unknown", "not-checked"]
    approvers: list[ApproverView]


class ReportView(ViewModel, ReportDocument):
    """One run: what was compared, the findings, the verdict. report.json is its serialized form."""

    promptci_version: str
    verdict: VerdictName
    exit_code: int
    headline: str = Field(description="The verdict in one sentence that names the prompts.")
    kind: Literal["check", "run"] = Field(default="check", description="`run` has one revision and no comparison.")
    base: RevisionView | None
    head: RevisionView
    repository: str | None = None
    pull_request: int | None = None
    actor: str | None = Field(default=None, description="GitHub user who triggered the run.")
    run_url: str | None = Field(default=None, description="The workflow run; null outside of GitHub Actions.")
    started_at: str | None = Field(default=None, description="UTC, ISO 8601; null in reproducible output.")
    generated_at: str | None = Field(default=None, description="UTC, ISO 8601; null in reproducible output.")
    provider: str | None = Field(default=None, description="Who answered; null if nothing was asked.")
    prompts: list[PromptView]
    problems: list[FindingView] = Field(default=[], description="Findings about the run as a whole.")
    pooled: str | None = Field(default=None, description="Result of one stratified test over all prompts.")
    site_url: str | None = Field(default=None, description="Address of the site; null: `site.url` is not set.")
    notes: list[str] = Field(default=[])
    asking_notes: list[str] = Field(default=[], description="How often the cases were asked, and what was saved.")
    override: OverrideView | None = Field(default=None, description="null: nobody overrode the verdict.")
    approvals: list[ApprovalView] = Field(default=[], description="Approvals that `approvals.rules` asks for.")
    gate: GateView
    precision: PrecisionView | None = Field(
        default=None, description="null: no memory is kept, or no prompt was tested."
    )
    spend: SpendView
