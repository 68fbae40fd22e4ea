"""Nights of one prompt as figures: the last ones one by one, older ones by week."""

from collections.abc import Iterable, Sequence
from datetime import date

from pydantic import ValidationError

from promptci.drift.night import NightLine
from promptci.lazy_dataclass import dataclass
from promptci.monitor.summary import MonitoredPrompt
from promptci.stats.estimates.intervals import wilson_of

RECENT = 90
"""Points that are shown one by one; older ones are joined to weeks."""

RIGHTS = {"1": 1.0, "0": 0.0, **{sign: place / 10 for place, sign in enumerate("abcdefghi", 1)}}
"""Marks of a night's cases, as its line has them; a missing answer has none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FigurePoint:
    """One night or day, or a week of them."""

    day: str
    until: str
    """The same day, or the last one of the week."""
    quality: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    cost: float | None = None
    """Of one answer, in US dollars."""
    p95_ms: float | None = None
    version: str = ""
    model: str = ""
    count: int = 1
    """Nights or days in it."""


def parse_nights(lines: Iterable[bytes]) -> tuple[list[NightLine], int]:
    """Return the nights, and the number of lines that are none."""
    nights: list[NightLine] = []
    bad = 0
    for line in lines:
        try:
            nights.append(NightLine.model_validate_json(line))
        except ValidationError:
            bad += 1
    return nights, bad


def night_points(nights: Sequence[NightLine]) -> list[FigurePoint]:
    """Return a point for each night that has marks, weeks for the older ones."""
    return join_weeks([_night_point(night) for night in nights if read_quality(night) is not None])


def day_points(monitored: MonitoredPrompt | None) -> list[FigurePoint]:
    """Return a point for each day of production."""
    if monitored is None:
        return []
    points = []
    for period in monitored.days:
        traffic = period.traffic
        low, high = traffic.interval or (None, None)
        cost = traffic.cost_per_request
        points.append(
            FigurePoint(
                day=period.start[:10],
                until=period.start[:10],
                quality=traffic.quality,
                low=low,
                high=high,
                n=traffic.judged or traffic.requests,
                cost=None if cost is None else float(cost),
                p95_ms=period.latency.p95 if period.latency else None,
            )
        )
    return join_weeks(points)


def read_quality(night: NightLine) -> float | None:
    """Return the quality of a night; by its marks where it could not be compared with a reference."""
    if night.quality is not None:
        return min(max(night.quality, 0.0), 1.0)
    marks = [RIGHTS[sign] for sign in night.marks if sign in RIGHTS]
    return sum(marks) / len(marks) if marks else None


def _night_point(night: NightLine) -> FigurePoint:
    answers = sum(sign != "-" for sign in night.marks) or night.n
    quality = read_quality(night)
    interval = (None, None) if quality is None else wilson_of(quality, answers).ends
    try:
        cost = float(night.usd) / answers if night.usd and answers else None
    except ValueError:
        cost = None
    return FigurePoint(
        day=night.day,
        until=night.day,
        quality=quality,
        low=interval[0],
        high=interval[1],
        n=answers,
        cost=cost,
        p95_ms=night.p95_ms,
        version=night.version,
        model=", ".join(night.models) or night.model,
    )


def join_weeks(points: Sequence[FigurePoint]) -> list[FigurePoint]:
    """Return the points with those before the last `RECENT` joined to weeks; a new version begins a new one."""
    older, recent = points[:-RECENT], points[-RECENT:]
    weeks: dict[tuple[int, int, str], list[FigurePoint]] = {}
    for point in older:
        year, week, _ = date.fromisoformat(point.day).isocalendar()
        weeks.setdefault((year, week, point.version), []).append(point)
    return [*(_join(group) for group in weeks.values()), *recent]


def _join(points: Sequence[FigurePoint]) -> FigurePoint:
    """Return one point: means, and the lowest and highest night as its range."""
    qualities = [point.quality for point in points if point.quality is not None]
    return FigurePoint(
        day=points[0].day,
        until=points[-1].day,
        quality=_mean(qualities),
        low=min(qualities, default=None),
        high=max(qualities, default=None),
        n=points[-1].n,
        cost=_mean([point.cost for point in points if point.cost is not None]),
        p95_ms=_mean([point.p95_ms for point in points if point.p95_ms is not None]),
        version=points[-1].version,
        model=points[-1].model,
        count=len(points),
    )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None
