"""monitor.json -> monitor.html: what each prompt does in production."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from promptci.monitor.document import MonitorDocument
from promptci.monitor.summary import MonitoredPrompt, PeriodSummary, TrafficSummary, summarize, summarize_traffic
from promptci.present import charts, formatting
from promptci.present.content_policy import content_policy
from promptci.report import templates

HEIGHT, TOP, BOTTOM, LEFT = 150.0, 8.0, 20.0, 44.0
DEFAULT_STALE_AFTER = timedelta(hours=2)


def render_page(document: MonitorDocument, stale_after: timedelta = DEFAULT_STALE_AFTER) -> str:
    """Render the page: one file that makes no request; its script only turns the header red when the log stops."""
    style = templates.read_asset("report.css") + templates.read_asset("monitor.css")
    script = templates.read_asset("monitor.js")
    newest = document.newest
    return (
        templates.environment()
        .get_template("html/monitor.html.j2")
        .render(
            document=document,
            prompts=summarize(document),
            whole=summarize_traffic(document.traffic),
            newest=newest,
            is_stale=is_stale(document, stale_after),
            stale_after=stale_after,
            quality_chart=draw_quality,
            latency_chart=draw_latency,
            requests_chart=draw_requests,
            amount=format_amount,
            moment=short_time,
            arm_name=arm_name,
            style=style,
            script=script,
            policy=content_policy(style, script),
        )
    )


def is_stale(document: MonitorDocument, stale_after: timedelta) -> bool:
    """Return whether the log had stopped already when it was read."""
    newest = document.newest
    return newest is None or datetime.fromisoformat(document.made_at) - datetime.fromisoformat(newest) > stale_after


def short_time(text: str) -> str:
    """Return a time to the minute: `2026-03-02 10:15`."""
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%d %H:%M}"


def format_amount(traffic: TrafficSummary) -> str:
    """Return the total cost; requests without a known cost make it a lower bound."""
    if traffic.unknown_cost == traffic.requests:
        return formatting.UNKNOWN
    at_least = "at least " if traffic.unknown_cost else ""
    return f"{at_least}{formatting.money(float(traffic.cost_usd))}"


def arm_name(arm: str | None) -> str:
    """Return the name of an arm."""
    return arm or "no arm logged"


def draw_quality(prompt: MonitoredPrompt, name: str) -> Markup | None:
    """Draw the quality of each day with its interval; None: nothing was judged."""
    judged = [period for period in prompt.periods if period.traffic.interval is not None]
    if not judged:
        return None
    lowest = min(period.traffic.interval[0] for period in judged if period.traffic.interval)
    low = max(0.0, min(0.9, lowest - 0.02))
    across, up = _axes(prompt.periods, low, 1.0)
    parts = _scale(prompt.periods, across, up, (low, 1.0), formatting.percent)
    for place, period in enumerate(prompt.periods):
        quality, interval = period.traffic.quality, period.traffic.interval
        if quality is None or interval is None:
            continue
        x, (bottom, top) = across(place), (_height(up, end) for end in interval)
        shown = f"{formatting.percent(interval[0])} to {formatting.percent(interval[1])}"
        words = f"{_label(period)}: {formatting.percent(quality)} ({shown}), {period.traffic.judged:,} judged"
        mark = charts.line((x, bottom), (x, top), charts.AFTER, width=2) + charts.dot(
            x, _height(up, quality), charts.AFTER, 3.5
        )
        parts.append(_titled(words, mark))
    parts += _changes(prompt, across)
    return charts.svg(name, "Quality", _described(judged, low), "".join(parts), (charts.CHART_WIDTH, HEIGHT))


def draw_latency(prompt: MonitoredPrompt, name: str) -> Markup | None:
    """Draw p50 and p95 of each day; None: there is one day."""
    values = [(period.latency.p50, period.latency.p95) for period in prompt.periods if period.latency is not None]
    known = [value for pair in values for value in pair if value is not None]
    if not known:
        return None
    across, up = _axes(prompt.periods, 0, max(known) * 1.05)
    parts = _scale(prompt.periods, across, up, (0, max(known) * 1.05), formatting.duration)
    for index, (words, colour) in enumerate((("p50", charts.BEFORE), ("p95", charts.AFTER))):
        path = [
            (across(place), _height(up, value))
            for place, pair in enumerate(values)
            if (value := pair[index]) is not None
        ]
        parts.append(charts.polyline(path, colour))
        for place, pair in enumerate(values):
            if (value := pair[index]) is not None:
                shown = f"{_label(prompt.periods[place])}: {words} {formatting.duration(value)}"
                parts.append(_titled(shown, charts.dot(across(place), _height(up, value), colour, 3)))
    described = f"p95 of {len(values)} days, at most {formatting.duration(max(known))}"
    return charts.svg(name, "Latency", described, "".join(parts), (charts.CHART_WIDTH, HEIGHT))


def draw_requests(prompt: MonitoredPrompt, name: str) -> Markup:
    """Draw the requests of each day, and the failed ones of them."""
    most = max(period.traffic.requests for period in prompt.periods)
    across, up = _axes(prompt.periods, 0, most)
    parts = _scale(prompt.periods, across, up, (0, most), formatting.tokens)
    width = min(18.0, (charts.CHART_WIDTH - LEFT) / (len(prompt.periods) + 1) * 0.7)
    for place, period in enumerate(prompt.periods):
        bars = "".join(
            charts.rect(
                (across(place) - width / 2, _height(up, count)),
                (width, _height(up, 0) - _height(up, count)),
                colour,
            )
            for count, colour in ((period.traffic.requests, charts.BEFORE), (period.traffic.failed, charts.LIMIT))
        )
        words = f"{_label(period)}: {period.traffic.requests:,} requests, {period.traffic.failed:,} failed"
        parts.append(_titled(words, bars))
    described = f"{prompt.traffic.requests:,} requests, {prompt.traffic.failed:,} failed"
    return charts.svg(name, "Requests", described, "".join(parts), (charts.CHART_WIDTH, HEIGHT))


def _axes(periods: Sequence[PeriodSummary], low: float, high: float) -> tuple[charts.Axis, charts.Axis]:
    last = max(len(periods) - 1, 1)
    start = 0.0 if len(periods) > 1 else -0.5
    across = charts.Axis(start, last + start, charts.CHART_WIDTH - LEFT - 12, LEFT + 6)
    return across, charts.Axis(low, high, HEIGHT - TOP - BOTTOM)


def _height(up: charts.Axis, value: float) -> float:
    return HEIGHT - BOTTOM - up(value)


def _scale(
    periods: Sequence[PeriodSummary],
    across: charts.Axis,
    up: charts.Axis,
    ends: tuple[float, float],
    format_value: Callable[[float], str],
) -> list[str]:
    floor = _height(up, ends[0])
    parts = [charts.line((LEFT, floor), (charts.CHART_WIDTH, floor), charts.INK)]
    parts += [
        charts.text(LEFT - 4, _height(up, value) + 3.5, format_value(value), "end")
        for value in charts.axis_ticks(*ends, most=4)
    ]
    step = max(1, -(-len(periods) // 5))
    parts += [
        charts.text(across(place), floor + 14, _short_label(periods[place]), "middle")
        for place in range(0, len(periods), step)
    ]
    return parts


def _changes(prompt: MonitoredPrompt, across: charts.Axis) -> list[str]:
    """Draw a line where another model began to answer."""
    parts = []
    for change in prompt.changes:
        starts = [period.start for period in prompt.periods]
        place = sum(start <= change.at for start in starts) - 1
        x = across(max(place, 0))
        words = f"{change.after} first seen {short_time(change.at)}"
        parts.append(_titled(words, charts.line((x, 0), (x, HEIGHT - BOTTOM), charts.LIMIT, dash=True)))
    return parts


def _titled(words: str, mark: str) -> str:
    return f"<g><title>{Markup.escape(words)}</title>{mark}</g>"


def _label(period: PeriodSummary) -> str:
    return period.start[:10] if len(period.start) == 10 else f"{period.start[:10]} {period.start[11:16]}"


def _short_label(period: PeriodSummary) -> str:
    return period.start[5:10] if len(period.start) == 10 else period.start[11:16]


def _described(judged: Sequence[PeriodSummary], low: float) -> str:
    first, last = judged[0], judged[-1]
    shown = [f"{_label(each)} {formatting.percent(each.traffic.quality)}" for each in (first, last)]
    return f"from {shown[0]} to {shown[1]}; the scale begins at {formatting.percent(low)}"
