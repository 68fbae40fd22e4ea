"""monitor.json -> what a person asks of it: one summary of each prompt, its versions, models and days."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import TypeVar

from promptci.lazy_dataclass import dataclass
from promptci.monitor.document import FailingRow, LatencyRow, ModelRow, MonitorDocument, SplitRow, TrafficRow
from promptci.monitor.histogram import find_percentile, merge_bins
from promptci.stats.estimates.intervals import wilson_of

MAX_WORST_TAGS = 10
RowT = TypeVar("RowT", TrafficRow, LatencyRow, ModelRow, FailingRow, SplitRow)
FIRST_HOUR = timedelta(hours=1)
"""Models first seen within it were there when the log began."""
MIN_TAGGED = 5
"""Judged requests of a tag that is named among the worst."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TrafficSummary:
    """Sums of some requests, and what they come to."""

    requests: int
    errors: tuple[tuple[str, int], ...]
    """Kinds of error, the most frequent first."""
    judged: int
    quality: float | None
    """Mean of the scores; None: no request was judged."""
    interval: tuple[float, float] | None
    """Wilson's 95% interval."""
    negative: int
    positive: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    unknown_cost: int

    @property
    def failed(self) -> int:
        """Return the number of failed requests."""
        return sum(count for _, count in self.errors)

    @property
    def cost_per_request(self) -> Decimal | None:
        """Return the mean of the known costs; None: none is known."""
        known = self.requests - self.unknown_cost
        return self.cost_usd / known if known else None


@dataclass(frozen=True, kw_only=True, slots=True)
class LatencySummary:
    """Percentiles in milliseconds; None: too few requests for it."""

    n: int
    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmSummary:
    """One version in one arm."""

    version: str | None
    arm: str | None
    traffic: TrafficSummary
    latency: LatencySummary


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelSummary:
    """Requests that one model answered, with the time in which it was seen."""

    request_model: str | None
    response_model: str | None
    fingerprints: tuple[str, ...]
    first: str
    last: str
    traffic: TrafficSummary


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelChange:
    """A model that began to answer while another one answered already: an update that nobody asked for."""

    request_model: str
    before: str
    after: str
    at: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PeriodSummary:
    """One day, or hour."""

    start: str
    traffic: TrafficSummary
    latency: LatencySummary | None
    """None for an hour: latencies are kept by day."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MonitoredPrompt:
    """One prompt."""

    name: str
    traffic: TrafficSummary
    latency: LatencySummary
    arms: tuple[ArmSummary, ...]
    models: tuple[ModelSummary, ...]
    changes: tuple[ModelChange, ...]
    days: tuple[PeriodSummary, ...]
    periods: tuple[PeriodSummary, ...]
    """The days; the hours, where there is one day."""
    worst_tags: tuple[FailingRow, ...]
    splits: tuple[SplitRow, ...]


def summarize(document: MonitorDocument) -> tuple[MonitoredPrompt, ...]:
    """Return the summary of each prompt, by name."""
    traffic, latency, models = _by_prompt(document.traffic), _by_prompt(document.latency), _by_prompt(document.models)
    failing, splits = _by_prompt(document.failing), _by_prompt(document.splits)
    days = {name: _summarize_days(rows, latency.get(name, [])) for name, rows in traffic.items()}
    return tuple(
        MonitoredPrompt(
            name=name,
            traffic=summarize_traffic(traffic[name]),
            latency=summarize_latency(latency.get(name, [])),
            arms=_arms(traffic[name], latency.get(name, [])),
            models=_models(traffic[name], models.get(name, [])),
            changes=find_changes(models.get(name, [])),
            days=days[name],
            periods=days[name] if len(days[name]) > 1 else _summarize_hours(traffic[name]),
            worst_tags=_worst(failing.get(name, [])),
            splits=tuple(splits.get(name, [])),
        )
        for name in sorted(traffic)
    )


def _by_prompt(rows: Iterable[RowT]) -> dict[str, list[RowT]]:
    return _group(rows, lambda row: row.prompt)


def _group(rows: Iterable[RowT], key: Callable[[RowT], str]) -> dict[str, list[RowT]]:
    groups: dict[str, list[RowT]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return dict(groups)


def _worst(tags: Sequence[FailingRow]) -> tuple[FailingRow, ...]:
    """Return the tags that are surely the lowest, by the upper end of their interval."""
    judged = [row for row in tags if row.n >= MIN_TAGGED]
    return tuple(sorted(judged, key=lambda row: (row.interval[1], row.tag))[:MAX_WORST_TAGS])


def summarize_traffic(rows: Iterable[TrafficRow]) -> TrafficSummary:
    """Return the sums of some rows."""
    listed = list(rows)
    errors: Counter[str] = Counter()
    for row in listed:
        errors.update(row.errors)
    judged = sum(row.judged for row in listed)
    quality = min(1.0, sum(row.quality_sum for row in listed) / judged) if judged else None
    return TrafficSummary(
        requests=sum(row.requests for row in listed),
        errors=tuple(sorted(errors.items(), key=lambda item: (-item[1], item[0]))),
        judged=judged,
        quality=quality,
        interval=None if quality is None else wilson_of(quality, judged).ends,
        negative=sum(row.negative for row in listed),
        positive=sum(row.positive for row in listed),
        input_tokens=sum(row.input_tokens for row in listed),
        output_tokens=sum(row.output_tokens for row in listed),
        cost_usd=sum((row.cost_usd for row in listed), Decimal()),
        unknown_cost=sum(row.unknown_cost for row in listed),
    )


def summarize_latency(rows: Iterable[LatencyRow]) -> LatencySummary:
    """Return the percentiles of some histograms together."""
    bins = merge_bins(row.bins for row in rows)
    p50, p95, p99 = (find_percentile(bins, share) for share in (0.5, 0.95, 0.99))
    return LatencySummary(n=sum(bins.values()), p50=p50, p95=p95, p99=p99)


def find_changes(models: Sequence[ModelRow]) -> tuple[ModelChange, ...]:
    """Return the models that began to answer a request model after another one, by time."""
    firsts: dict[str, dict[str, str]] = defaultdict(dict)
    for row in models:
        if row.request_model is not None and row.response_model is not None:
            seen = firsts[row.request_model]
            seen[row.response_model] = min(seen.get(row.response_model, row.first), row.first)
    changes = []
    for request_model, seen in firsts.items():
        ordered = sorted(seen.items(), key=lambda item: item[1])
        changes += [
            ModelChange(request_model=request_model, before=before, after=after, at=at)
            for (before, _), (after, at) in pairwise(ordered)
            if datetime.fromisoformat(at) - datetime.fromisoformat(ordered[0][1]) >= FIRST_HOUR
        ]
    return tuple(sorted(changes, key=lambda change: (change.at, change.request_model)))


def _arms(traffic: Sequence[TrafficRow], latency: Sequence[LatencyRow]) -> tuple[ArmSummary, ...]:
    keys = sorted({(row.version, row.arm) for row in traffic}, key=lambda key: (key[1] != "stable", key[0] or ""))
    return tuple(
        ArmSummary(
            version=version,
            arm=arm,
            traffic=summarize_traffic(row for row in traffic if (row.version, row.arm) == (version, arm)),
            latency=summarize_latency(row for row in latency if (row.version, row.arm) == (version, arm)),
        )
        for version, arm in keys
    )


def _models(traffic: Sequence[TrafficRow], models: Sequence[ModelRow]) -> tuple[ModelSummary, ...]:
    seen: dict[tuple[str | None, str | None], list[ModelRow]] = defaultdict(list)
    for row in models:
        seen[row.request_model, row.response_model].append(row)
    summaries = [
        ModelSummary(
            request_model=key[0],
            response_model=key[1],
            fingerprints=tuple(sorted({row.system_fingerprint for row in rows if row.system_fingerprint})),
            first=min(row.first for row in rows),
            last=max(row.last for row in rows),
            traffic=summarize_traffic(row for row in traffic if (row.request_model, row.response_model) == key),
        )
        for key, rows in seen.items()
    ]
    return tuple(sorted(summaries, key=lambda model: (model.first, model.response_model or "")))


def _summarize_hours(traffic: Iterable[TrafficRow]) -> tuple[PeriodSummary, ...]:
    hours = _group(traffic, lambda row: row.hour)
    return tuple(
        PeriodSummary(start=hour, traffic=summarize_traffic(hours[hour]), latency=None) for hour in sorted(hours)
    )


def _summarize_days(traffic: Iterable[TrafficRow], latency: Iterable[LatencyRow]) -> tuple[PeriodSummary, ...]:
    """Return the summary of each day that has requests, by day."""
    rows, latencies = _group(traffic, lambda row: row.hour[:10]), _group(latency, lambda row: row.day)
    return tuple(
        PeriodSummary(
            start=day, traffic=summarize_traffic(rows[day]), latency=summarize_latency(latencies.get(day, []))
        )
        for day in sorted(rows)
    )
