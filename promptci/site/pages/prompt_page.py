"""The page of one prompt."""

from __future__ import annotations

from collections.abc import Sequence

from promptci.drift.night import NightLine
from promptci.lazy_dataclass import dataclass
from promptci.present import charts, formatting
from promptci.site.collect.version_changes import ReadChange
from promptci.site.model import SitePrompt, VersionChange
from promptci.site.pages.frame import Frame
from promptci.site.pages.series_chart import ChartLine, DrawnChart, data_block, draw_series
from promptci.site.view import answers, nights, stages, ways
from promptci.site.view.nights import FigurePoint
from promptci.site.view.ways import VersionWay

MAX_CHANGES = 20
"""Versions of which the page shows the change in full."""
NIGHTS, PRODUCTION = "goldens", "production"


@dataclass(frozen=True, kw_only=True, slots=True)
class VersionRow:
    """One row of the table of versions."""

    way: VersionWay
    change: VersionChange | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AnsweringModel:
    """A model that answered."""

    name: str
    asked: str
    first: str
    last: str
    source: str


def render_prompt(frame: Frame, prompt: SitePrompt, read_change: ReadChange) -> bytes:
    """Return the page."""
    watched, bad_lines = nights.parse_nights(prompt.night_lines)
    drawn = draw_charts(prompt, watched)
    pair = answers.find_main_pair(prompt)
    path = frame.prompt_link(prompt)
    return frame.render(
        "prompt.html.j2",
        path,
        prompt=prompt,
        main=None if pair is None else answers.answer(prompt, pair),
        others=[answers.answer(prompt, other) for other in prompt.running if other is not pair],
        cards=list(stages.find_cards(prompt)),
        charts=drawn,
        chart_data=data_block(drawn),
        night=watched[-1] if watched else None,
        nights=len(watched),
        bad_lines=bad_lines,
        months=summarize_months(nights.night_points(watched)),
        versions=_show_versions(prompt, read_change),
        models=find_models(prompt, watched),
        open_alerts=stages.open_alerts(prompt),
        has_drift=stages.has_open_drift(prompt),
        badge=frame.badge_path(prompt),
    )


def draw_charts(prompt: SitePrompt, watched: Sequence[NightLine]) -> list[DrawnChart]:
    """Return quality, cost and p95 over time, as far as they are known."""
    tested, served = nights.night_points(watched), nights.day_points(prompt.monitored)
    marks = ways.find_marks(prompt, watched)
    quality = [
        ChartLine(
            name=PRODUCTION,
            colour=charts.BEFORE,
            points=[(point, point.quality) for point in served if point.quality is not None],
        ),
        ChartLine(
            name=NIGHTS,
            colour=charts.AFTER,
            points=[(point, point.quality) for point in tested if point.quality is not None],
            band=True,
        ),
    ]
    drawn = [
        draw_series("quality", "Quality", quality, marks, format_value=formatting.percent, share=True),
        draw_series(
            "cost",
            "Cost of an answer",
            [
                ChartLine(name=PRODUCTION, colour=charts.BEFORE, points=_costs(served)),
                ChartLine(name=NIGHTS, colour=charts.AFTER, points=_costs(tested)),
            ],
            marks,
            format_value=formatting.money,
        ),
        draw_series(
            "p95",
            "p95 latency",
            [
                ChartLine(name=PRODUCTION, colour=charts.BEFORE, points=_latencies(served)),
                ChartLine(name=NIGHTS, colour=charts.AFTER, points=_latencies(tested)),
            ],
            marks,
            format_value=formatting.duration,
        ),
    ]
    return [chart for chart in drawn if chart is not None]


def _costs(points: Sequence[FigurePoint]) -> list[tuple[FigurePoint, float]]:
    return [(point, point.cost) for point in points if point.cost is not None]


def _latencies(points: Sequence[FigurePoint]) -> list[tuple[FigurePoint, float]]:
    return [(point, point.p95_ms) for point in points if point.p95_ms is not None]


def summarize_months(points: Sequence[FigurePoint]) -> list[FigurePoint]:
    """Return the last point of each month, newest first: the chart as a table."""
    last = {point.until[:7]: point for point in points}
    return [last[month] for month in sorted(last, reverse=True)][:24]


def _show_versions(prompt: SitePrompt, read_change: ReadChange) -> list[VersionRow]:
    version_ways = ways.find_ways(prompt)
    shown = []
    for place, version_way in enumerate(version_ways):
        before = version_ways[place + 1].version if place + 1 < len(version_ways) else None
        is_shown = before is not None and place < MAX_CHANGES
        change = read_change(prompt, before, version_way.version) if is_shown and before is not None else None
        shown.append(VersionRow(way=version_way, change=change))
    return shown


def find_models(prompt: SitePrompt, watched: Sequence[NightLine]) -> list[AnsweringModel]:
    """Return the models that answered, in production and in the nights, the last seen first."""
    spans: dict[tuple[str, str, str], tuple[str, str]] = {}
    for night in watched:
        for name in night.models or (night.model,):
            key = (name, night.model, NIGHTS)
            spans[key] = (spans.get(key, (night.day, ""))[0], night.day)
    for model in prompt.monitored.models if prompt.monitored else ():
        key = (model.response_model or "not logged", model.request_model or "not logged", PRODUCTION)
        spans[key] = (model.first[:10], model.last[:10])
    models = [
        AnsweringModel(name=name, asked=asked, source=source, first=first, last=last)
        for (name, asked, source), (first, last) in spans.items()
    ]
    return sorted(models, key=lambda model: (model.last, model.first, model.name), reverse=True)[:20]
