"""ViewModel, the base of every part of a view, and the numbers of a prompt."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from promptci.documents.report_document import VerdictName

Proportion = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0)]


class ViewModel(BaseModel):
    """Frozen and strict, so that a report.json from elsewhere is validated when it is loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)


class GoldensTestView(ViewModel):
    """The test of these very cases, which decides with `gate.about: goldens`."""

    drop: float
    p: float | None
    max_drop: float | None = Field(description="Upper bound of the drop; null: too few answers for one.")
    detectable_drop: float | None = Field(description="Smallest drop shown with 80 % power; null: none.")
    method: str


class QualityView(ViewModel):
    """The measured difference over the complete pairs."""

    measure: Literal["pass rate", "mean score"]
    base: float
    head: float
    delta: float
    worse: int | None = Field(default=None, description="Pairs in which head did worse, lower scores included.")
    better: int | None = None
    interval: tuple[float, float] | None = Field(description="Of delta, at `confidence`.")
    confidence: Proportion
    p: float | None
    adjusted_p: float | None
    detectable_drop: float | None = Field(description="Smallest true drop detected with 80 % power; null: none.")
    cases_needed: int | None = Field(description="Pairs that would settle an inconclusive verdict.")
    repeats_needed: int | None = Field(default=None, description="Answers per case that would settle it instead.")
    method: str
    seed: int | None
    answers_per_case: int | None = Field(
        default=None,
        description="Answers of each version to a case that the verdict rests on. A critical case that broke has more.",
    )
    rounds: int | None = Field(
        default=None, description="Rounds that decided, with `repeats: auto`; null: a fixed number of answers."
    )
    max_rounds: int | None = Field(default=None, description="Rounds that would have been asked at most.")
    on_goldens: GoldensTestView | None = Field(
        default=None,
        description="Where these very cases decide. Interval, p, detectable_drop and method are for inputs like them,"
        " adjusted_p is that of the test that decides.",
    )


class PercentilesView(ViewModel):
    """Latency in milliseconds; null without an answer."""

    p50: float | None
    p95: float | None
    p99: float | None
    n: int = 0
    p95_certain: bool = Field(default=False, description="False: too few answers for an upper bound at 95 %.")
    p99_certain: bool = False


class LatencyView(ViewModel):
    """Latency of both versions; null for a version that was not asked."""

    base: PercentilesView | None
    head: PercentilesView | None


class CostView(ViewModel):
    """US dollars at list price or by `provider.prices`; null is unknown, never 0."""

    base_per_request: float | None
    head_per_request: float | None
    delta_per_month: float | None
    requests_per_day: float | None = None
    own_price: bool = Field(default=False, description="Whether promptci.yml has the price of head's model.")


class LabelRowView(ViewModel):
    """One expected label of a `one-of` assertion."""

    label: str
    counts: dict[str, int] = Field(description="Count by the label that was given.")
    precision: float | None
    recall: float | None
    f1: float | None


class VersionView(ViewModel):
    """One version of the prompt over all of its answers, compared or not."""

    answers_requested: int
    evaluated: int
    quality: float | None
    quality_interval: tuple[float, float] | None = Field(description="Wilson, 95 %; null for mean scores.")
    model_requested: str | None = Field(default=None, description="As the prompt names it.")
    models: list[str] = Field(default=[], description="As the endpoint names them.")
    fingerprints: list[str] = Field(default=[])
    input_tokens: float | None = Field(default=None, description="Mean per answer; null if any is unknown.")
    output_tokens: float | None = None
    labels: list[LabelRowView] = Field(default=[])
    score_histogram: list[int] = Field(
        default=[], description="Answers by score, in tenths from 0 to 1; empty for a prompt that is not graded."
    )


class PastQualityView(ViewModel):
    """One earlier version of the prompt, as its last check measured it."""

    at: str
    commit: str | None
    pull_request: int | None
    fingerprint: str | None = Field(description="First digits of the prompt's fingerprint.")
    verdict: VerdictName
    measure: Literal["pass rate", "mean score"]
    quality: float
    pairs: int
