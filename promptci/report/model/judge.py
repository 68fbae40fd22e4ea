"""JudgeView: who marked what code cannot, how far people agree, and what its pass rates are worth."""

from pydantic import Field

from promptci.report.model.base import Share, View


class CalibrationView(View):
    """The judge beside people, on answers that people have marked; intervals at 95 %."""

    labels: int
    scored: int = Field(description="Labels that the judge could mark.")
    passed_by_both: int
    passed_by_judge_only: int
    passed_by_people_only: int
    failed_by_both: int
    agreement: Share | None
    kappa: float | None = Field(description="Cohen's; null where it cannot be computed.")
    kappa_interval: tuple[float, float] | None
    kappa_half_width_with_200: float | None = Field(description="What 200 labels would give; null: there are as many.")
    ac1: float | None = Field(description="Gwet's.")
    sensitivity: Share | None = Field(description="Share of what people pass that the judge passes.")
    sensitivity_interval: tuple[float, float] | None
    specificity: Share | None = Field(description="Share of what people fail that the judge fails.")
    specificity_interval: tuple[float, float] | None


class JudgedRateView(View):
    """One version as its judge sees it, and as people would."""

    cases: int
    passed: Share = Field(description="Share that the judge passes.")
    corrected: Share | None = Field(description="Share that people would pass; null where it cannot be told.")
    interval: tuple[float, float] | None = Field(description="Of `corrected`, at 95 %.")
    effective_labels: float | None = Field(description="Labels that would tell as much by themselves.")
    lambda_: Share | None = Field(description="Lambda: how far the judge's marks were used.")
    why_not: str | None


class JudgeView(View):
    """The judge of one prompt."""

    identities: list[str] = Field(description="Model and fingerprint of each evaluator or rubric.")
    trusted: bool
    reasons: list[str] = Field(description="Why it is not trusted.")
    min_kappa: float
    calibration: CalibrationView | None = Field(description="null: there are no labels.")
    base: JudgedRateView | None = None
    head: JudgedRateView | None = None
