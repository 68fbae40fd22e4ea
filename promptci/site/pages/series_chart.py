"""A line over time with its interval and marks: whole as SVG, with the points' words for the page's script."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from markupsafe import Markup

from promptci.lazy_dataclass import dataclass
from promptci.present import charts
from promptci.site.view.nights import FigurePoint
from promptci.site.view.ways import ChartMark, MarkKind

TOP, BOTTOM, LEFT, RIGHT = 12.0, 34.0, 50.0, 8.0
HEIGHT, WIDE_HEIGHT = 170.0, 220.0
WIDE = 2 * charts.CHART_WIDTH
COLOURS = {"release": charts.AFTER, "rollback": charts.LIMIT, "drift": "var(--warn)"}
Point = tuple[float, float]


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartLine:
    """One line: its points as figures and words."""

    name: str
    colour: str
    points: Sequence[tuple[FigurePoint, float]]
    band: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class DrawnChart:
    """A chart, and what its script says of each point."""

    name: str
    title: str
    drawing: Markup
    points: list[list[float | str]]
    """Position and words of each point."""
    lines: tuple[ChartLine, ...]

    @property
    def is_wide(self) -> bool:
        """Whether it takes two columns."""
        return f'viewBox="0 0 {charts.coordinate(WIDE)}' in self.drawing


class SeriesChart:
    """The scales of one chart."""

    def __init__(self, days: Sequence[str], ends: tuple[float, float], *, wide: bool) -> None:
        self.size = (WIDE if wide else charts.CHART_WIDTH, WIDE_HEIGHT if wide else HEIGHT)
        first, last = (date.fromisoformat(day).toordinal() for day in (min(days), max(days)))
        self._first, self._last = first, max(last, first + 1)
        self._across = charts.Axis(self._first, self._last, self.size[0] - LEFT - RIGHT, LEFT)
        self._up = charts.Axis(*ends, self.size[1] - TOP - BOTTOM)
        self.ends = ends

    @property
    def floor(self) -> float:
        """The height of the axis below."""
        return self.size[1] - BOTTOM

    def x(self, day: str) -> float:
        """Return where a day is."""
        return self._across(date.fromisoformat(day).toordinal())

    def y(self, value: float) -> float:
        """Return where a value is."""
        return self.floor - self._up(value)

    def holds(self, day: str) -> bool:
        """Return whether a day is on the chart."""
        return self._first <= date.fromisoformat(day).toordinal() <= self._last

    def scale(self, format_value: Callable[[float], str]) -> list[str]:
        """Return the axes with their values."""
        width = self.size[0] - RIGHT
        parts = []
        for value in charts.axis_ticks(*self.ends, most=4):
            height = self.y(value)
            parts.append(charts.line((LEFT, height), (width, height), "var(--line)"))
            parts.append(charts.text(LEFT - 6, height + 3.5, format_value(value), "end"))
        parts.append(charts.line((LEFT, self.floor), (width, self.floor), charts.INK))
        parts += [charts.text(self.x(day), self.floor + 27, words, "middle") for day, words in self._dates()]
        return parts

    def _dates(self) -> list[tuple[str, str]]:
        days = self._last - self._first
        steps = max(2, round((self.size[0] - LEFT) / 110))
        chosen = [date.fromordinal(self._first) + timedelta(days=round(days * i / steps)) for i in range(steps + 1)]
        spelling = "%Y-%m" if days > 400 else "%d %b"
        return [(day.isoformat(), day.strftime(spelling)) for day in chosen[1 if days > 3 else 0 : steps]]

    def mark(self, mark: ChartMark) -> str:
        """Return a mark below the line, and a faint line up from it."""
        x, colour = self.x(mark.day), COLOURS[mark.kind]
        shape = _draw_mark(mark.kind, x, self.floor + 10, colour)
        up = charts.line((x, TOP), (x, self.floor), colour, dash=True)
        return f"<g><title>{Markup.escape(f'{mark.day}: {mark.words}')}</title>{up}{shape}</g>"


def _draw_mark(kind: MarkKind, x: float, y: float, colour: str) -> str:
    if kind == "release":
        return charts.triangle(x, y, colour)
    if kind == "drift":
        return charts.dot(x, y, colour, 4.5)
    return f'<path d="M{charts.coordinate(x)},{charts.coordinate(y + 5)}l5,-9h-10z" fill="{colour}"/>'


def draw_series(
    name: str,
    title: str,
    lines: Sequence[ChartLine],
    marks: Sequence[ChartMark],
    *,
    format_value: Callable[[float], str],
    share: bool = False,
) -> DrawnChart | None:
    """Return the chart; None where no line has a point. `share`: the scale ends at 1, and the chart is wide."""
    drawn = tuple(line for line in lines if line.points)
    if not drawn:
        return None
    days = [end for line in drawn for point, _ in line.points for end in (point.day, point.until)]
    chart = SeriesChart(days, _find_ends(drawn, share), wide=share)
    parts = chart.scale(format_value)
    parts += [chart.mark(mark) for mark in marks if chart.holds(mark.day)]
    words: list[list[float | str]] = []
    for line in drawn:
        places = [(chart.x(point.day), chart.y(value)) for point, value in line.points]
        if line.band:
            parts.append(_draw_band(chart, line))
        parts.append(charts.polyline(places, line.colour))
        parts.append(charts.dot(*places[-1], line.colour, 3.5))
        words += [
            [round(place[0], 1), round(place[1], 1), describe_point(line.name, point, format_value(value), share=share)]
            for place, (point, value) in zip(places, line.points, strict=True)
        ]
    described = "; ".join(_describe_line(line, format_value) for line in drawn)
    drawing = charts.svg(name, title, described, "".join(parts), chart.size)
    return DrawnChart(name=name, title=title, drawing=drawing, points=words, lines=drawn)


def _find_ends(lines: Sequence[ChartLine], share: bool) -> tuple[float, float]:
    values = [value for line in lines for _, value in line.points]
    if not share:
        return 0.0, max(values) * 1.1 or 1.0
    lows = [point.low for line in lines if line.band for point, _ in line.points if point.low is not None]
    low = min([*values, *lows])
    return max(0.0, min(0.9, low - 0.02)), 1.0


def _draw_band(chart: SeriesChart, line: ChartLine) -> str:
    known = [(point, point.low, point.high) for point, _ in line.points if point.low is not None]
    upper = [(chart.x(point.day), chart.y(high)) for point, _, high in known if high is not None]
    lower = [(chart.x(point.day), chart.y(low)) for point, low, _ in known if low is not None]
    path = " ".join(f"{charts.coordinate(x)},{charts.coordinate(y)}" for x, y in (*upper, *lower[::-1]))
    return f'<polygon points="{path}" fill="{line.colour}" fill-opacity="0.14"/>'


def describe_point(name: str, point: FigurePoint, value: str, *, share: bool) -> str:
    """Return what is said of a point."""
    day = point.day if point.count == 1 else f"{point.day} to {point.until}"
    interval = ""
    if share and point.low is not None and point.high is not None:
        interval = f" ({100 * point.low:.1f} to {100 * point.high:.1f}%)"
    facts = [f"{point.n:,} answers" if point.n else "", f"{point.count} nights" if point.count > 1 else ""]
    return "; ".join(part for part in (f"{day}: {name} {value}{interval}", *facts, point.version, point.model) if part)


def _describe_line(line: ChartLine, format_value: Callable[[float], str]) -> str:
    (first, begin), (last, end) = line.points[0], line.points[-1]
    return f"{line.name} from {format_value(begin)} on {first.day} to {format_value(end)} on {last.until}"


def data_block(charts_drawn: Sequence[DrawnChart]) -> Markup:
    """Return the words of all points as JSON that cannot end a script."""
    return embed_json({chart.name: chart.points for chart in charts_drawn})


def embed_json(value: object) -> Markup:
    """Return JSON for a `<script type="application/json">`; no text in it can end the element."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704
