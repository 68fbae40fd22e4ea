"""Figure of a prompt in production: quality, p95 latency and cost per request, by day."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from promptci.monitor.document import MonitorDocument
from promptci.monitor.summary import MonitoredPrompt, summarize
from promptci.present import figures
from promptci.present.escape import one_line
from promptci.present.formatting import percent
from promptci.wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_figures(document: MonitorDocument, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write one figure for each prompt; return the paths.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    paths = []
    for prompt in summarize(document) if formats else ():
        name = f"trend-{figures.file_name(prompt.name)}"
        paths += figures.save_figure(partial(draw_trend, prompt, document.made_at), folder, name, formats)
    return paths


def draw_trend(prompt: MonitoredPrompt, made_at: str) -> "Figure":
    """Draw the days of one prompt; a gap where too little is known."""
    days = [date.fromisoformat(day.start) for day in prompt.days]
    figure = figures.new_figure(
        f"{one_line(prompt.name)} in production",
        f"{count(prompt.traffic.requests, 'request')} · {days[0]} to {days[-1]} (UTC)",
        f"promptci monitor, {made_at[:16].replace('T', ' ')} UTC. A day with too few requests has no p95.",
        height=6.5,
    )
    quality, latency, cost = figure.subplots(3, 1, sharex=True)
    _draw(quality, days, [day.traffic.quality for day in prompt.days], "quality")
    quality.yaxis.set_major_formatter(lambda value, _: percent(value))
    _draw(latency, days, [day.latency.p95 if day.latency else None for day in prompt.days], "p95 (ms)")
    _begin_at_zero(latency)
    costs = [day.traffic.cost_per_request for day in prompt.days]
    _draw(cost, days, [None if usd is None else float(usd) for usd in costs], "US$ per request")
    _begin_at_zero(cost)
    cost.tick_params(axis="x", labelrotation=30)
    return figure


def _draw(axes: "Axes", days: Sequence[date], values: Sequence[float | None], label: str) -> None:
    figures.plot_days(axes, list(zip(days, values, strict=True)), marker=".", color=figures.AFTER)
    axes.set_ylabel(label)
    axes.grid(axis="y", color="#e5e7eb", linewidth=0.8)
    axes.margins(y=0.15)


def _begin_at_zero(axes: "Axes") -> None:
    axes.set_ylim(0, max(axes.dataLim.y1, 1e-9) * 1.15)
