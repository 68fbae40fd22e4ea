"""Build the view of one version: quality, tokens, latency, labels."""

from collections.abc import Iterator
from statistics import fmean

from promptci.providers.base import Usage
from promptci.report.model import json_safe
from promptci.report.model.report import LabelRowView, PercentilesView, VersionView
from promptci.runs.prompt_plan import Arm
from promptci.scoring.prompt_run import PromptRun
from promptci.scoring.version_summary import VersionSummary
from promptci.stats.estimates.agreement import LabelConfusion
from promptci.stats.estimates.intervals import Interval
from promptci.stats.estimates.percentiles import Percentiles

HISTOGRAM_BINS = 10
"""Bins of the distribution of scores, from 0 to 1."""


def build_version_view(run: PromptRun, arm: Arm) -> VersionView | None:
    """Build the view of one version; None if it was not asked."""
    summary, prompt = (run.base, run.plan.change.base) if arm is Arm.BASE else (run.head, run.plan.change.head)
    if summary is None:
        return None
    usages = list(_usages(run, arm))
    return VersionView(
        answers_requested=summary.answers_requested,
        evaluated=summary.evaluated,
        quality=json_safe.number(summary.quality),
        quality_interval=interval_ends(summary.quality_interval),
        model_requested=json_safe.optional_text(prompt.model) if prompt else None,
        models=[json_safe.text(name) for name in summary.models],
        fingerprints=[json_safe.text(name) for name in summary.fingerprints],
        input_tokens=_mean([None if usage is None else usage.input_tokens for usage in usages]),
        output_tokens=_mean([None if usage is None else usage.output_tokens for usage in usages]),
        labels=[] if summary.labels is None else _labels(summary.labels),
        score_histogram=_score_histogram(run, arm),
    )


def _usages(run: PromptRun, arm: Arm) -> Iterator[Usage | None]:
    """Return the tokens of every answer, cached or not, as in cost per request."""
    for case in run.cases:
        for scored in case.answers(arm):
            if scored.answer.completion is not None:
                yield scored.answer.completion.usage


def _mean(counts: list[int | None]) -> float | None:
    """Return the mean; None if any value is unknown, because it may be unlike the others."""
    known = [count for count in counts if count is not None]
    return fmean(known) if known and len(known) == len(counts) else None


def _score_histogram(run: PromptRun, arm: Arm) -> list[int]:
    """Count the answers of a graded prompt by score; a score of 1 is in the last bin.

    A prompt is graded if any score of either version lies between 0 and 1, so that both versions are shown.
    """
    scores = {side: _scores(run, side) for side in (Arm.BASE, Arm.HEAD)}
    if not any(0 < score < 1 for side in scores.values() for score in side):
        return []
    counts = [0] * HISTOGRAM_BINS
    for score in scores[arm]:
        counts[min(max(int(score * HISTOGRAM_BINS + 1e-9), 0), HISTOGRAM_BINS - 1)] += 1
    return counts


def _scores(run: PromptRun, arm: Arm) -> list[float]:
    counted = (case for case in run.cases if case.excluded_reason is None)
    return [scored.score for case in counted for scored in case.answers(arm) if scored.score is not None]


def _labels(confusion: LabelConfusion) -> list[LabelRowView]:
    names = [json_safe.text(label) for label in confusion.labels]
    return [
        LabelRowView(
            label=json_safe.text(row.label),
            counts=dict(zip(names, row.counts, strict=True)),
            precision=row.precision,
            recall=row.recall,
            f1=row.f1,
        )
        for row in confusion.rows
    ]


def build_latency_view(summary: VersionSummary | None) -> PercentilesView | None:
    """Build the latency percentiles of one version; None without an answer."""
    latency: Percentiles | None = None if summary is None else summary.latency
    if latency is None or latency.n == 0:
        return None
    return PercentilesView(
        p50=json_safe.number(latency.p50),
        p95=json_safe.number(latency.p95),
        p99=json_safe.number(latency.p99),
        n=latency.n,
        p95_certain=latency.p95_certain,
        p99_certain=latency.p99_certain,
    )


def interval_ends(interval: Interval | None) -> tuple[float, float] | None:
    """Return the ends of an interval."""
    return None if interval is None else interval.ends
