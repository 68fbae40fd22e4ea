"""Measure one rule on one prompt: pure, from the rows of monitor.json to a value and whether it is beyond the limit."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from promptci.config.alert_options import DAY_S, HOUR_S, SHARES, AlertRule
from promptci.monitor.alerts.facts import AlertFacts
from promptci.monitor.alerts.windows import (
    HOUR,
    WEEK,
    HourSpan,
    Interval,
    Share,
    difference_interval,
    find_quantile_interval,
    hourly_costs,
    mean_interval,
    parse_hour,
    ratio_interval,
    select_days,
    sum_cost,
    sum_share,
)
from promptci.monitor.document import LatencyRow, TrafficRow
from promptci.monitor.histogram import find_percentile, merge_bins

SHORT_S, LONG_S = HOUR_S, 6 * HOUR_S
"""The windows of a burn rate."""
P95 = 0.95


class PromptRows(NamedTuple):
    """What monitor.json has of one prompt."""

    traffic: Sequence[TrafficRow]
    latency: Sequence[LatencyRow]


class Measurement(NamedTuple):
    """A rule on one prompt at one look."""

    firing: bool | None
    """None: too little is known to tell."""
    facts: AlertFacts


def measure(rule: AlertRule, rows: PromptRows, now: datetime) -> Measurement:
    """Return what a rule measures at a time."""
    return _MEASURES[rule.kind](rule, rows, now)


def _measure_threshold(rule: AlertRule, rows: PromptRows, now: datetime) -> Measurement:
    if rule.metric == "silence":
        return _measure_silence(rule, rows, now)
    interval: Interval | None = None
    value: float | None = None
    if rule.metric in SHARES:
        share = sum_share(rule.metric, HourSpan.touching(now, rule.over_s).select(rows.traffic))
        count = share.n
        if count:
            value, interval = share.mean, mean_interval(share)
    elif rule.metric == "cost":
        count, usd = sum_cost(HourSpan.touching(now, rule.over_s).select(rows.traffic))
        value = float(usd) / count if count else None
    else:
        bins = _latencies(rows.latency, now, rule.over_s)
        count, value = sum(bins.values()), find_percentile(bins, P95)
    if value is None or count < rule.min_requests:
        return Measurement(None, _facts(rule, None, count))
    facts = _facts(rule, value, count)._replace(interval=interval)
    return Measurement(value < rule.limit if rule.metric == "quality" else value > rule.limit, facts)


def _measure_silence(rule: AlertRule, rows: PromptRows, now: datetime) -> Measurement:
    """Measure the time since the end of the last hour with requests; the whole period where there is none."""
    newest = max((row.hour for row in rows.traffic if row.requests), default=None)
    if newest is None:
        return Measurement(firing=True, facts=_facts(rule, None, 0))
    age = max((now - parse_hour(newest) - HOUR).total_seconds(), 0.0)
    return Measurement(age > rule.limit, _facts(rule, age, 0))


def _measure_burn_rate(rule: AlertRule, rows: PromptRows, now: datetime) -> Measurement:
    shares = [sum_share(rule.metric, HourSpan.touching(now, each).select(rows.traffic)) for each in (SHORT_S, LONG_S)]
    count = shares[0].n
    if min(share.n for share in shares) < rule.min_requests:
        return Measurement(None, _facts(rule, None, count))
    rates = [_bad_share(rule.metric, share) / (1 - rule.objective) for share in shares]
    facts = _facts(rule, min(rates), count)._replace(baseline=rule.objective, over_s=LONG_S)
    return Measurement(min(rates) >= rule.limit, facts)


def _bad_share(metric: str, share: Share) -> float:
    return 1 - share.mean if metric == "quality" else share.mean


def _measure_last_week(rule: AlertRule, rows: PromptRows, now: datetime) -> Measurement:
    if rule.metric == "p95":
        return _compare_latency(rule, rows, now)
    hours = HourSpan.complete(now, rule.over_s).select(rows.traffic)
    before = HourSpan.complete(now, rule.over_s, ago=WEEK).select(rows.traffic)
    if rule.metric == "cost":
        return _compare_costs(rule, hours, before)
    share, base = sum_share(rule.metric, hours), sum_share(rule.metric, before)
    if min(share.n, base.n) < max(rule.min_requests, 1):
        return Measurement(None, _facts(rule, None, share.n))
    interval = difference_interval(share, base)
    return _judge_change(rule, share.mean - base.mean, interval, (share.n, share.mean, base.mean))


def _compare_costs(rule: AlertRule, hours: Sequence[TrafficRow], before: Sequence[TrafficRow]) -> Measurement:
    count, usd = sum_cost(hours)
    base_count, base_usd = sum_cost(before)
    costs, base = hourly_costs(hours), hourly_costs(before)
    pairs = [(cost, base[then]) for hour, cost in costs.items() if (then := _a_week_before(hour)) in base]
    change = ratio_interval(pairs)
    if change is None or min(count, base_count) < rule.min_requests:
        return Measurement(None, _facts(rule, None, count))
    return _judge_change(rule, *change, (count, float(usd) / count, float(base_usd) / base_count))


def _compare_latency(rule: AlertRule, rows: PromptRows, now: datetime) -> Measurement:
    """Compare whole days: the interval is the widest that the intervals of both percentiles allow."""
    end = now.replace(hour=0, minute=0, second=0, microsecond=0) - HOUR  # yesterday is the last whole day
    bins, base = (_latencies(rows.latency, moment, rule.over_s - DAY_S) for moment in (end, end - WEEK))
    count = sum(bins.values())
    value, base_value = find_percentile(bins, P95), find_percentile(base, P95)
    interval = find_quantile_interval(bins, P95, find_percentile)
    base_interval = find_quantile_interval(base, P95, find_percentile)
    if value is None or base_value is None or interval is None or base_interval is None:
        return Measurement(None, _facts(rule, None, count))
    if min(count, sum(base.values())) < rule.min_requests:
        return Measurement(None, _facts(rule, None, count))
    widest = (interval[0] / base_interval[1] - 1, interval[1] / base_interval[0] - 1)
    return _judge_change(rule, value / base_value - 1, widest, (count, value, base_value))


def _judge_change(rule: AlertRule, change: float, interval: Interval, values: Sequence[float]) -> Measurement:
    """Return whether a change is for the worse, as large as the limit, and more than chance."""
    count, now, base = values
    facts = _facts(rule, change, int(count))._replace(interval=interval, now=now, baseline=base)
    if rule.metric == "quality":
        return Measurement(change <= -rule.limit and interval[1] < 0, facts)
    return Measurement(change >= rule.limit and interval[0] > 0, facts)


def _latencies(rows: Sequence[LatencyRow], last: datetime, seconds: float) -> dict[int, int]:
    return merge_bins(row.bins for row in select_days(rows, last - timedelta(seconds=seconds), last))


def _a_week_before(hour: str) -> str:
    return f"{parse_hour(hour) - WEEK:%Y-%m-%dT%H}:00:00Z"


def _facts(rule: AlertRule, value: float | None, count: int) -> AlertFacts:
    known = value is not None and math.isfinite(value)
    return AlertFacts(
        kind=rule.kind,
        metric=rule.metric,
        limit=rule.limit,
        value=value if known else None,
        n=count,
        over_s=rule.over_s,
    )


_MEASURES: Mapping[str, Callable[[AlertRule, PromptRows, datetime], Measurement]] = {
    "threshold": _measure_threshold,
    "burn-rate": _measure_burn_rate,
    "last-week": _measure_last_week,
}
