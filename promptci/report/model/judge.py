"""JudgeView: the judge of a prompt, its agreement with human labels, and its corrected pass rates."""

from pydantic import ConfigDict, Field

from promptci.report.model.numbers import Proportion, ViewModel


class CalibrationView(ViewModel):
    """Agreement of the judge with human labels; intervals at 95 %."""

    labels: int
    scored: int = Field(description="Labelled answers that the judge scored.")
    passed_by_both: int
    passed_by_judge_only: int
    passed_by_people_only: int
    failed_by_both: int
    agreement: Proportion | None
    kappa: float | None = Field(description="Cohen's; null where it cannot be computed.")
    kappa_interval: tuple[float, float] | None
    kappa_half_width_with_200: float | None = Field(description="Expected with 200 labels; null: there are as many.")
    ac1: float | None = Field(description="Gwet's.")
    sensitivity: Proportion | None = Field(description="Share of the answers that people pass which the judge passes.")
    sensitivity_interval: tuple[float, float] | None
    specificity: Proportion | None = Field(description="Share of the answers that people fail which the judge fails.")
    specificity_interval: tuple[float, float] | None


class JudgedRateView(ViewModel):
    """Pass rate of one version by its judge, and the estimate of what people would pass."""

    cases: int
    passed: Proportion = Field(description="Share that the judge passes.")
    corrected: Proportion | None = Field(
        description="Estimated share that people would pass; null: cannot be estimated."
    )
    interval: tuple[float, float] | None = Field(description="Of `corrected`, at 95 %.")
    effective_labels: float | None = Field(description="Number of labels that alone would be as precise.")
    lambda_: Proportion | None = Field(
        default=None, alias="lambda", description="Weight of the judge's scores in the corrected estimate (PPI)."
    )
    uncorrected_reason: str | None

    model_config = ConfigDict(populate_by_name=True)


class JudgeView(ViewModel):
    """The judge of one prompt."""

    identities: list[str] = Field(description="Model and fingerprint of each evaluator or rubric.")
    trusted: bool
    reasons: list[str] = Field(description="Why it is not trusted.")
    min_kappa: float
    calibration: CalibrationView | None = Field(description="null: there are no labels.")
    base: JudgedRateView | None = None
    head: JudgedRateView | None = None
