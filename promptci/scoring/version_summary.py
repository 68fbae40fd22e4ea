"""VersionSummary: what one version cost, how fast it was and how well it did."""

from collections.abc import Sequence
from decimal import Decimal
from statistics import fmean

from promptci.lazy_dataclass import dataclass
from promptci.runs.prompt_plan import Arm
from promptci.scoring.paired_case import PairedCase
from promptci.stats.estimates import agreement, intervals, percentiles
from promptci.stats.estimates.agreement import LabelConfusion
from promptci.stats.estimates.intervals import Interval
from promptci.stats.estimates.percentiles import Percentiles


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionSummary:
    """What one version cost, how fast it was and how well it did over every case it was asked."""

    answers_requested: int
    evaluated: int
    quality: float | None
    """Mean of `measure` over all evaluated cases, compared or not."""
    quality_interval: Interval | None
    """Wilson interval of the pass rate at 95 %; None for scores."""
    cost_per_request: Decimal | None
    """Mean list price of an answer in US dollars, cached or not; None where a price is unknown."""
    latency: Percentiles
    """Milliseconds."""
    latency_fresh: int = 0
    """Answers asked in this run; the others carry the latency of when they were first asked."""
    labels: LabelConfusion | None = None
    """Expected against given labels of `one-of` assertions."""
    models: tuple[str, ...] = ()
    """Models the endpoint says it used."""
    fingerprints: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """Answers that are missing data."""
        return self.answers_requested - self.evaluated


def summarize_version(cases: Sequence[PairedCase], arm: Arm, *, graded: bool) -> VersionSummary | None:
    """Summarize one version over every case it was asked, compared or not; None when it was asked nothing.

    Excluded cases count for cost and latency only.
    """
    answers = [answer for case in cases for answer in case.answers(arm)]
    if not answers:
        return None
    counted = [case for case in cases if case.excluded_reason is None]
    evaluated = [answer for answer in answers if answer.error is None]
    rates = [rate for case in counted if (rate := case.score(arm) if graded else case.pass_rate(arm)) is not None]
    complete = [answer.answer for answer in answers if answer.answer.completion is not None]
    completions = [answer.completion for answer in complete if answer.completion is not None]
    counting = [answer for case in counted for answer in case.answers(arm) if answer.error is None]
    labels = [result.label for answer in counting for result in answer.results if result.label is not None]
    return VersionSummary(
        answers_requested=len(answers),
        evaluated=len(evaluated),
        quality=fmean(rates) if rates else None,
        # Replicates of one case are not independent draws: the interval counts cases, not answers.
        quality_interval=None if graded or not rates else intervals.wilson(round(sum(rates)), len(rates)),
        cost_per_request=_mean_cost([answer.cost_usd for answer in complete]),
        latency=percentiles.percentiles([c.latency_ms for c in completions if c.latency_ms is not None]),
        latency_fresh=sum(not answer.cached for answer in complete),
        labels=agreement.label_confusion(labels) if labels else None,
        models=tuple(sorted({c.model for c in completions if c.model})),
        fingerprints=tuple(sorted({c.fingerprint for c in completions if c.fingerprint})),
    )


def _mean_cost(costs: Sequence[Decimal | None]) -> Decimal | None:
    """Return the mean price; None as soon as one is unknown, because a sum without it would be too low."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) / len(known) if known and len(known) == len(costs) else None
