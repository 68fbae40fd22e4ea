"""The numbers of a prompt in a view: quality, latency, cost, tokens, labels, marks, and what was measured before."""

from typing import Literal

from pydantic import Field

from promptci.report.model.base import Share, VerdictName, View


class QualityView(View):
    """The measured difference over the complete pairs."""

    measure: Literal["pass rate", "mean score"]
    base: float
    head: float
    delta: float
    worse: int | None = Field(default=None, description="Pairs in which head did worse, be it by marks alone.")
    better: int | None = None
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
    model_asked: str | None = Field(default=None, description="As the prompt names it.")
    models: list[str] = Field(default=[], description="As the endpoint names them.")
    fingerprints: list[str] = Field(default=[])
    input_tokens: float | None = Field(default=None, description="Mean of an answer; null where any is unknown.")
    output_tokens: float | None = None
    labels: list[LabelRowView] = Field(default=[])
    scores: list[int] = Field(
        default=[], description="Answers by mark, in tenths from 0 to 1; empty where the prompt is not graded."
    )


class PastQualityView(View):
    """One earlier version of the prompt, as a check found it."""

    at: str
    commit: str | None
    pull_request: int | None
    fingerprint: str | None = Field(description="Of the prompt, its beginning.")
    verdict: VerdictName
    measure: Literal["pass rate", "mean score"]
    quality: float
    pairs: int
