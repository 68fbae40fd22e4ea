"""Build the view of a prompt's judge."""

from promptci.report.build.version_view import interval_ends
from promptci.report.model import json_safe
from promptci.report.model.judge import CalibrationView, JudgedRateView, JudgeView
from promptci.scoring.judges.trust import RECOMMENDED_LABELS, Calibration, JudgedRate, JudgeSummary
from promptci.stats.estimates import raters


def build_judge_view(judging: JudgeSummary | None) -> JudgeView | None:
    """Return the view; None if no judge scored anything."""
    if judging is None:
        return None
    trust = judging.trust
    return JudgeView(
        identities=[json_safe.text(str(identity)) for identity in trust.identities],
        trusted=trust.trusted,
        reasons=[json_safe.text(reason) for reason in trust.distrust_reasons],
        min_kappa=trust.min_kappa,
        calibration=None if trust.calibration is None else _calibration(trust.calibration),
        base=_rate(judging.base),
        head=_rate(judging.head),
    )


def _calibration(calibration: Calibration) -> CalibrationView:
    counts, interval = calibration.confusion, calibration.kappa_interval
    wide = interval is not None and calibration.scored < RECOMMENDED_LABELS
    return CalibrationView(
        labels=calibration.labels,
        scored=calibration.scored,
        passed_by_both=counts.tp,
        passed_by_judge_only=counts.fp,
        passed_by_people_only=counts.fn,
        failed_by_both=counts.tn,
        agreement=counts.agreement,
        kappa=counts.kappa,
        kappa_interval=interval_ends(interval),
        kappa_half_width_with_200=raters.half_width_with(interval, calibration.scored, RECOMMENDED_LABELS)
        if wide and interval
        else None,
        ac1=counts.ac1,
        sensitivity=counts.sensitivity,
        sensitivity_interval=interval_ends(counts.sensitivity_interval),
        specificity=counts.specificity,
        specificity_interval=interval_ends(counts.specificity_interval),
    )


def _rate(rate: JudgedRate | None) -> JudgedRateView | None:
    if rate is None:
        return None
    corrected = rate.corrected
    return JudgedRateView(
        cases=rate.cases,
        passed=rate.passed,
        corrected=corrected.estimate if corrected else None,
        interval=interval_ends(corrected.interval) if corrected else None,
        effective_labels=corrected.effective_n if corrected else None,
        **{"lambda": corrected.lambda_ if corrected else None},
        uncorrected_reason=json_safe.optional_text(rate.why_not),
    )
