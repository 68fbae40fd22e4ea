"""Sentences and numbers about a prompt's judge. Pure."""

from collections.abc import Iterator

from promptci import wording
from promptci.present import formatting
from promptci.report.model.judge import CalibrationView, JudgedRateView, JudgeView
from promptci.scoring.judges.trust import RECOMMENDED_LABELS


def trust_sentence(judge: JudgeView) -> str:
    """Return whether the judge is trusted, and why."""
    if not judge.trusted:
        return f"It is not trusted: {'; '.join(judge.reasons)}. Its results are advisory and do not block."
    calibration = judge.calibration
    if calibration is None:
        return "Nobody has checked it: there are no labels by people. Its scores count all the same."
    return (
        f"It agrees with people well enough: kappa {kappa_with_interval(calibration)}"
        f" with {formatting.count(calibration.scored, 'label')}, where {judge.min_kappa:g} is asked for."
        " Its scores count."
    )


def kappa_with_interval(calibration: CalibrationView) -> str:
    """Return kappa with its interval: `0.71 (0.52 to 0.90)`."""
    if calibration.kappa is None:
        return formatting.UNKNOWN
    span = (
        f" ({' to '.join(map(wording.format_kappa, calibration.kappa_interval))})" if calibration.kappa_interval else ""
    )
    return f"{wording.format_kappa(calibration.kappa)}{span}"


def rate_sentences(judge: JudgeView) -> list[str]:
    """Return for each version the share that the judge passes, and the estimate of what people would pass."""
    labels = judge.calibration.scored if judge.calibration else 0
    sides = (("Before", judge.base), ("Now", judge.head)) if judge.base else (("", judge.head),)
    return [_rate_words(name, side, labels) for name, side in sides if side is not None]


def short_rates(judge: JudgeView) -> list[str]:
    """Return in one sentence which share the judge passes, before and after: a hint where it decides nothing."""
    if judge.head is None:
        return []
    after = f"{formatting.percent(judge.head.passed)}"
    shares = f"{formatting.percent(judge.base.passed)} of the answers before and {after} after" if judge.base else after
    return [f"As a hint, it passes {shares}."]


def _rate_words(name: str, side: JudgedRateView, labels: int) -> str:
    start = f"{name}: the judge" if name else "The judge"
    sentence = f"{start} passes {formatting.percent(side.passed)} of {formatting.count(side.cases, 'case')}"
    if side.corrected is not None:
        by = f"corrected by {formatting.count(labels, 'human label')}"
        corrected_rate = _with_interval(side.corrected, side.interval)
        return f"{sentence}; {by}: {corrected_rate}, if the labelled answers are like these."
    return (
        f"{sentence}; what people would pass cannot be told: {side.uncorrected_reason}."
        if side.uncorrected_reason
        else f"{sentence}."
    )


def _with_interval(share: float | None, interval: tuple[float, float] | None) -> str:
    if share is None or interval is None:
        return formatting.percent(share)
    return f"{formatting.percent(share)} ({' to '.join(map(formatting.percent, interval))})"


def judge_numbers(judge: JudgeView) -> list[tuple[str, str]]:
    """Return the numbers, in the order of reading."""
    rows = [("Judge", ", ".join(judge.identities)), ("Kappa asked for", f"{judge.min_kappa:g} (judge.trust.min_kappa)")]
    if judge.calibration is not None:
        rows += _calibration_rows(judge.calibration)
    for name, side in (("before", judge.base), ("now", judge.head)):
        if side is not None and side.effective_labels is not None and side.lambda_ is not None:
            correction = f"as sure as {side.effective_labels:,.0f} labels alone; lambda {side.lambda_:.2f}"
            rows.append((f"Correction {name}", f"power-tuned prediction-powered inference, {correction}"))
    return rows


def _calibration_rows(calibration: CalibrationView) -> Iterator[tuple[str, str]]:
    silent = calibration.labels - calibration.scored
    yield "Labels", f"{calibration.scored:,}" + (f", and {silent:,} that the judge could not score" if silent else "")
    yield "Agreement", f"{formatting.percent(calibration.agreement)}, chance included"
    narrow = calibration.kappa_half_width_with_200
    yield (
        "Cohen's kappa",
        kappa_with_interval(calibration)
        + (f"; with {RECOMMENDED_LABELS} labels about ±{narrow:.2f}" if narrow else ""),
    )
    yield "Gwet's AC1", formatting.UNKNOWN if calibration.ac1 is None else wording.format_kappa(calibration.ac1)
    of_good = _with_interval(calibration.sensitivity, calibration.sensitivity_interval)
    of_bad = _with_interval(calibration.specificity, calibration.specificity_interval)
    yield "Sensitivity", f"{of_good} of what people pass, the judge passes"
    yield "Specificity", f"{of_bad} of what people fail, the judge fails"
    yield "Both pass", f"{calibration.passed_by_both:,}"
    yield "Only the judge passes", f"{calibration.passed_by_judge_only:,}"
    yield "Only people pass", f"{calibration.passed_by_people_only:,}"
    yield "Both fail", f"{calibration.failed_by_both:,}"
