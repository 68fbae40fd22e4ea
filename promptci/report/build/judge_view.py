"""Build the view of a prompt's judge: how it scored, and whether it can be trusted."""

from collections.abc import Sequence

from promptci.present import formatting
from promptci.report.build.version_view import interval_ends
from promptci.report.model import json_safe
from promptci.report.model.judge import CalibrationView, JudgedRateView, JudgeView
from promptci.report.model.report import JudgeProbeView
from promptci.scoring.judges.pairwise import PositionBias
from promptci.scoring.judges.probes import ProbeOutcome
from promptci.scoring.judges.trust import RECOMMENDED_LABELS, Calibration, JudgedRate, JudgeSummary
from promptci.scoring.prompt_run import PromptRun
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


def build_judge_checks_view(run: PromptRun) -> JudgeProbeView | None:
    """Return the view of the checks of a prompt's judges; None if none of them was checked."""
    if not run.probes and run.position_bias is None:
        return None
    return JudgeProbeView(
        probes=[json_safe.text(probe_sentence(outcome)) for outcome in run.probes],
        position_bias=None if run.position_bias is None else position_bias_sentence(run.position_bias),
    )


def probe_sentence(outcome: ProbeOutcome) -> str:
    """Return how a judge scored useless answers."""
    asked = formatting.count(outcome.asked, "useless answer")
    if outcome.compromised:
        names = ", ".join(dict.fromkeys(outcome.passed))
        result = f"{len(outcome.passed)} of {asked} passed ({names}), so it is not trusted"
    elif outcome.untested:
        result = f"none of {asked} got a mark, so it is not trusted"
    else:
        result = f"none of {asked} passed"
    some = f"; {outcome.unscored} got no mark" if outcome.unscored and not outcome.untested else ""
    return f"{outcome.judge}: {result}{some}"


def position_bias_sentence(outcome: PositionBias) -> str:
    """Return how often the verdict changed when the answers changed places."""
    pairs = formatting.count(outcome.pairs, "pair")
    return f"the verdict changed with it on {outcome.flipped} of {pairs} ({formatting.percent(outcome.rate)})"


def injection_warning(names: Sequence[str]) -> str:
    """Ask a person to read an answer that carries what looks like an attack."""
    return f"Looks like an attack on the judge ({', '.join(names)}): read it yourself."
