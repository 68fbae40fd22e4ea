"""Figure of a prompt in production: quality, p95 latency and cost per request, by day."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from promptci.monitor.document import MonitorDocument, TrafficRow
from promptci.monitor.histogram import find_percentile, merge_bins
from promptci.present import figures
from promptci.present.escape import one_line
from promptci.present.formatting import percent
from promptci.wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Series = Mapping[date, float | None]


def write_figures(document: MonitorDocument, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write one figure for each prompt; return the paths.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    paths = []
    for prompt in sorted({row.prompt for row in document.traffic}) if formats else ():
        name = f"trend-{figures.file_name(prompt)}"
        paths += figures.save_figure(partial(draw_trend, document, prompt), folder, name, formats)
    return paths


def draw_trend(document: MonitorDocument, prompt: str) -> "Figure":
    """Draw the days of one prompt: means from sums, percentiles from merged histograms; a gap where little is known."""
    rows = [row for row in document.traffic if row.prompt == prompt]
    requests = sum(row.requests for row in rows)
    hours = [row.hour for row in rows]
    first, last = min(hours)[:10], max(hours)[:10]
    figure = figures.new_figure(
        f"{one_line(prompt)} in production",
        f"{count(requests, 'request')} · {first} to {last} (UTC)",
        f"promptci monitor, {document.made_at[:16].replace('T', ' ')} UTC. A day with too few requests has no p95.",
        height=6.5,
    )
    quality, latency, cost = figure.subplots(3, 1, sharex=True)
    _draw(quality, _daily_quality(rows), "quality")
    quality.yaxis.set_major_formatter(lambda value, _: percent(value))
    _draw(latency, daily_p95(document, prompt), "p95 (ms)")
    _begin_at_zero(latency)
    _draw(cost, _daily_cost(rows), "US$ per request")
    _begin_at_zero(cost)
    cost.tick_params(axis="x", labelrotation=30)
    return figure


def _draw(axes: "Axes", series: Series, label: str) -> None:
    figures.plot_days(axes, sorted(series.items()), marker=".", color=figures.AFTER)
    axes.set_ylabel(label)
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    axes.margins(y=0.15)


def _begin_at_zero(axes: "Axes") -> None:
    axes.set_ylim(0, max(axes.dataLim.y1, 1e-9) * 1.15)


def _by_day(rows: Sequence[TrafficRow]) -> Mapping[date, list[TrafficRow]]:
    days: dict[date, list[TrafficRow]] = defaultdict(list)
    for row in rows:
        days[date.fromisoformat(row.hour[:10])].append(row)
    return days


def _daily_quality(rows: Sequence[TrafficRow]) -> Series:
    sums = {
        day: (sum(row.judged for row in each), sum(row.quality_sum for row in each))
        for day, each in _by_day(rows).items()
    }
    return {day: total / judged if judged else None for day, (judged, total) in sums.items()}


def daily_p95(document: MonitorDocument, prompt: str) -> Series:
    """Return the p95 latency of each day in milliseconds; None for a day with too few requests."""
    days = {row.day for row in document.latency if row.prompt == prompt}
    return {
        date.fromisoformat(day): find_percentile(
            merge_bins(row.bins for row in document.latency if row.prompt == prompt and row.day == day), 0.95
        )
        for day in days
    }


def _daily_cost(rows: Sequence[TrafficRow]) -> Series:
    sums = {
        day: (
            sum(row.requests - row.unknown_cost for row in each),
            sum((Decimal(row.cost_usd) for row in each), Decimal(0)),
        )
        for day, each in _by_day(rows).items()
    }
    return {day: float(usd / known) if known else None for day, (known, usd) in sums.items()}
