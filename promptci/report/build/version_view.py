"""The view of one version: how well it did, what it used, how fast it was."""

from collections.abc import Iterator
from statistics import fmean

from promptci.providers.base import Usage
from promptci.report.model import json_safe
from promptci.report.model.report import ArmView, LabelRowView, PercentilesView
from promptci.runs.model import Arm
from promptci.scoring.comparison import Comparison
from promptci.scoring.model import ScoredCase
from promptci.scoring.version_summary import VersionSummary
from promptci.stats.agreement import LabelConfusion
from promptci.stats.intervals import Interval
from promptci.stats.percentiles import Percentiles

BINS = 10
"""Of the distribution of marks, from 0 to 1."""


def view(comparison: Comparison, arm: Arm) -> ArmView | None:
    """Give the view of one version; None where it was asked nothing."""
    summary, prompt = (
        (comparison.base, comparison.plan.base) if arm is Arm.BASE else (comparison.head, comparison.plan.head)
    )
    if summary is None:
        return None
    usages = list(_usages(comparison, arm))
    return ArmView(
        asked=summary.answers_requested,
        evaluated=summary.evaluated,
        quality=json_safe.number(summary.quality),
        quality_interval=ends(summary.quality_interval),
        model_asked=json_safe.optional(prompt.model) if prompt else None,
        models=[json_safe.text(name) for name in summary.models],
        fingerprints=[json_safe.text(name) for name in summary.fingerprints],
        input_tokens=_mean([None if usage is None else usage.input_tokens for usage in usages]),
        output_tokens=_mean([None if usage is None else usage.output_tokens for usage in usages]),
        labels=[] if summary.labels is None else _labels(summary.labels),
        scores=_scores(comparison, arm),
    )


def _usages(comparison: Comparison, arm: Arm) -> Iterator[Usage | None]:
    """Give the tokens of every answer, cached or not, as cost per request counts them."""
    for case in comparison.cases:
        for one in case.answers(arm):
            if one.answer.completion is not None:
                yield one.answer.completion.usage


def _mean(counts: list[int | None]) -> float | None:
    """Mean; None as soon as one is unknown, because the mean of the others may be another."""
    known = [count for count in counts if count is not None]
    return fmean(known) if known and len(known) == len(counts) else None


def _scores(comparison: Comparison, arm: Arm) -> list[int]:
    """Count the answers of a graded prompt by their marks; a mark of 1 belongs to the last tenth."""
    marks = [one.score for one in _counting(comparison, arm) if one.score is not None]
    if not any(0 < mark < 1 for mark in marks):
        return []
    counts = [0] * BINS
    for mark in marks:
        counts[min(max(int(mark * BINS + 1e-9), 0), BINS - 1)] += 1
    return counts


def _counting(comparison: Comparison, arm: Arm) -> Iterator[ScoredCase]:
    for case in comparison.cases:
        if case.excluded_reason is None:
            yield from case.answers(arm)


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


def latency(summary: VersionSummary | None) -> PercentilesView | None:
    """Give the percentiles of one version; None where there is no answer."""
    found: Percentiles | None = None if summary is None else summary.latency
    if found is None or found.n == 0:
        return None
    return PercentilesView(
        p50=json_safe.number(found.p50),
        p95=json_safe.number(found.p95),
        p99=json_safe.number(found.p99),
        n=found.n,
        p95_certain=found.p95_certain,
        p99_certain=found.p99_certain,
    )


def ends(found: Interval | None) -> tuple[float, float] | None:
    """Give an interval as JSON holds it."""
    return None if found is None else (found.lo, found.hi)
