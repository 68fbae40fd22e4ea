"""Sums of the traffic table over hours of one prompt, and how much of a mean is chance."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from promptci.errors import InputError, Problem
from promptci.monitor.document import LatencyRow, MonitorDocument, TrafficRow
from promptci.stats import distributions

Z = 1.96
"""Of a 95% interval."""
HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
MIN_HOURS = 4
"""Hours with requests that an interval over hours needs."""
Interval = tuple[float, float]


class Share(NamedTuple):
    """Scores between 0 and 1 of some requests, as sums."""

    n: int
    total: float
    squares: float

    @property
    def mean(self) -> float:
        """Return the mean; there must be requests."""
        return self.total / self.n

    @property
    def variance_of_mean(self) -> float:
        """Return the variance of the mean, with one best and one worst request added: equal scores are no certainty."""
        n, total, squares = self.n + 2, self.total + 1, self.squares + 1
        return max(squares / n - (total / n) ** 2, 0.0) / n

    @property
    def shrunk_mean(self) -> float:
        """Return the mean with these two requests added."""
        return (self.total + 1) / (self.n + 2)


class HourSpan(NamedTuple):
    """Hours by their start, as the traffic table spells them; `until` is not included."""

    since: str
    until: str

    @classmethod
    def touching(cls, now: datetime, seconds: float) -> "HourSpan":
        """Return the hours that the time before `now` touches, the current one included."""
        return cls(_spell(now - timedelta(seconds=seconds)), _spell(now + HOUR))

    @classmethod
    def complete(cls, now: datetime, seconds: float, *, ago: timedelta = timedelta()) -> "HourSpan":
        """Return the last whole hours before `now`, or the same hours some time `ago`."""
        end = now.replace(minute=0, second=0, microsecond=0) - ago
        return cls(_spell(end - timedelta(seconds=seconds)), _spell(end))

    def select(self, rows: Iterable[TrafficRow]) -> list[TrafficRow]:
        """Return the rows of these hours."""
        return [row for row in rows if self.since <= row.hour < self.until]


def select_days(rows: Iterable[LatencyRow], first: datetime, last: datetime) -> list[LatencyRow]:
    """Return the rows of some days, the last one included."""
    return [row for row in rows if f"{first:%Y-%m-%d}" <= row.day <= f"{last:%Y-%m-%d}"]


def sum_share(metric: str, rows: Iterable[TrafficRow]) -> Share:
    """Return the sums of a metric that is a share of requests: of good ones for `quality`, else of bad ones."""
    rows = list(rows)
    if metric == "quality":
        return Share(
            sum(row.judged for row in rows),
            math.fsum(row.quality_sum for row in rows),
            math.fsum(row.quality_squares for row in rows),
        )
    bad = sum(sum(row.errors.values()) if metric == "errors" else row.negative for row in rows)
    return Share(sum(row.requests for row in rows), bad, bad)


def sum_cost(rows: Iterable[TrafficRow]) -> tuple[int, Decimal]:
    """Return the number of requests whose cost is known, and what they cost."""
    rows = list(rows)
    return sum(row.requests - row.unknown_cost for row in rows), sum((row.cost_usd for row in rows), Decimal())


def mean_interval(share: Share) -> Interval:
    """Return the 95% interval of a share."""
    half = Z * math.sqrt(share.variance_of_mean)
    return max(share.shrunk_mean - half, 0.0), min(share.shrunk_mean + half, 1.0)


def difference_interval(now: Share, before: Share) -> Interval:
    """Return the 95% interval of the difference of two shares (Agresti and Caffo's for ones and zeros)."""
    difference = now.shrunk_mean - before.shrunk_mean
    half = Z * math.sqrt(now.variance_of_mean + before.variance_of_mean)
    return max(difference - half, -1.0), min(difference + half, 1.0)


def hourly_costs(rows: Sequence[TrafficRow]) -> dict[str, float]:
    """Return the cost per request of each hour (`T10`) that has one above 0."""
    costs: dict[str, float] = {}
    for hour in sorted({row.hour for row in rows}):
        count, usd = sum_cost(row for row in rows if row.hour == hour)
        if count and usd > 0:
            costs[hour] = float(usd) / count
    return costs


def ratio_interval(pairs: Sequence[tuple[float, float]]) -> tuple[float, Interval] | None:
    """Return the mean relative change of pairs of hours (now, before), with its 95% interval; None: too few."""
    if len(pairs) < MIN_HOURS:
        return None
    logs = [math.log(now / before) for now, before in pairs]
    mean = math.fsum(logs) / len(logs)
    deviation = math.sqrt(math.fsum((each - mean) ** 2 for each in logs) / (len(logs) - 1))
    half = distributions.student_quantile(0.975, len(logs) - 1) * deviation / math.sqrt(len(logs))
    return math.expm1(mean), (math.expm1(mean - half), math.expm1(mean + half))


def find_quantile_interval(
    bins: dict[int, int], share: float, find: Callable[[dict[int, int], float], float | None]
) -> Interval | None:
    """Return the 95% interval of a percentile by the ranks that it can have; None: too few requests."""
    count = sum(bins.values())
    half = Z * math.sqrt(share * (1 - share) / count) if count else 1.0
    if share + half >= 1 or share - half <= 0:
        return None
    low, high = find(bins, share - half), find(bins, share + half)
    return None if low is None or high is None else (low, high)


def parse_hour(text: str) -> datetime:
    """Return a time of monitor.json.

    Raises
    ------
    InputError
        If it is not a time with its zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        problem = Problem(path="monitor.json", message=f"{text[:60]!r} is not a time", hint=MonitorDocument.HINT)
        raise InputError([problem])
    return moment.astimezone(UTC)


def _spell(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H}:00:00Z"
