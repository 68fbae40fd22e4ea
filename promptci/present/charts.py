"""Small charts in our own SVG: numbers and our own words in, markup out; colours are the page's CSS variables.

Not matplotlib: importing it costs half a second and 40 MB a run, and its SVG holds inline styles, which the page's
content policy forbids (docs/adr). The same numbers give the same bytes.
"""

import math
from collections.abc import Callable, Sequence
from itertools import count, takewhile

from markupsafe import Markup

from promptci.lazy_dataclass import dataclass
from promptci.present import escape

EDGE = 8.0
"""Margin at both ends of an axis, so that dots at its ends are whole."""
CHART_WIDTH = 360.0
"""The width of a phone, so that labels are legible there."""
STRIP_WIDTH, STRIP_HEIGHT = 150.0, 22.0
"""A chart in a table cell."""
INK, BEFORE, AFTER, LIMIT = "var(--line-strong)", "var(--before)", "var(--after)", "var(--bad)"
Point = tuple[float, float]


class Axis:
    """A linear scale; values beyond its ends are drawn at the end."""

    def __init__(self, lo: float, hi: float, length: float, start: float = 0.0) -> None:
        """Map `lo` to `hi` onto `length`, starting at `start`, with a margin at both ends."""
        self._lo, self._span, self._length, self._start = lo, (hi - lo) or 1.0, length, start

    def __call__(self, value: float) -> float:
        """Return the position of a value."""
        share = (value - self._lo) / self._span
        return self._start + EDGE + min(max(share, 0.0), 1.0) * (self._length - 2 * EDGE)


def axis_ticks(lo: float, hi: float, most: int = 5) -> list[float]:
    """Return round values within `lo` and `hi`, at most `most` steps of 1, 2 or 5 times a power of ten apart.

    The step is Heckbert's "nice number" (Graphics Gems, 1990).
    """
    if not math.isfinite(hi - lo) or hi <= lo:
        return []
    shortest = (hi - lo) / most
    power = 10.0 ** math.floor(math.log10(shortest))
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if factor * power >= shortest * (1 - 1e-9))
    first = math.ceil(lo / step - 1e-9)
    return list(takewhile(lambda value: value <= hi + 1e-9 * step, ((first + i) * step for i in count())))


def svg(name: str, title: str, description: str, content: str, size: tuple[float, float]) -> Markup:
    """Return a chart; title and description are for screen readers, `name` starts the ids."""
    labels = f'role="img" aria-labelledby="{name}-title {name}-desc"'
    described = Markup('<title id="{0}-title">{1}</title><desc id="{0}-desc">{2}</desc>').format(
        name, title, escape.one_line(description)
    )
    width, height = map(coordinate, size)
    return Markup('<svg viewBox="0 0 {} {}" {}>{}{}</svg>').format(
        width,
        height,
        Markup(labels),  # noqa: S704 - our own names
        described,
        Markup(content),  # noqa: S704 - numbers and escaped words
    )


def rect(corner: Point, size: Point, colour: str, *, opacity: float = 1.0) -> str:
    """Return a filled box."""
    faint = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
    (x, y), (width, height) = corner, size
    box = (
        f'x="{coordinate(x)}" y="{coordinate(y)}"'
        f' width="{coordinate(max(width, 0))}" height="{coordinate(max(height, 0))}"'
    )
    return f'<rect {box} fill="{colour}"{faint}/>'


def line(start: Point, end: Point, colour: str, *, width: float = 1, dash: bool = False) -> str:
    """Return a straight line."""
    dashed = ' stroke-dasharray="4 3"' if dash else ""
    (x1, y1), (x2, y2) = start, end
    ends = f'x1="{coordinate(x1)}" y1="{coordinate(y1)}" x2="{coordinate(x2)}" y2="{coordinate(y2)}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"{dashed}/>'


def polyline(points: Sequence[Point], colour: str) -> str:
    """Return a line through several points."""
    path = " ".join(f"{coordinate(x)},{coordinate(y)}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>'


def dot(x: float, y: float, colour: str, radius: float) -> str:
    """Return a filled circle."""
    return f'<circle cx="{coordinate(x)}" cy="{coordinate(y)}" r="{radius:g}" fill="{colour}"/>'


def cross(x: float, y: float, colour: str) -> str:
    """Return a cross."""
    arms = f"M{coordinate(x - 4)},{coordinate(y - 4)}l8,8m0,-8l-8,8"
    return f'<path d="{arms}" fill="none" stroke="{colour}" stroke-width="2.4"/>'


def triangle(x: float, y: float, colour: str) -> str:
    """Return a filled triangle."""
    return f'<path d="M{coordinate(x)},{coordinate(y - 5)}l5,9h-10z" fill="{colour}"/>'


def text(x: float, y: float, words: str, anchor: str) -> str:
    """Return a word or a number."""
    place = f'x="{coordinate(x)}" y="{coordinate(y)}" text-anchor="{anchor}"'
    return f'<text {place} font-size="10">{Markup.escape(words)}</text>'


def coordinate(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")


class RowChart:
    """Rows of bars and dots over one scale, with a label before each row and the scale's values below."""

    ROW_HEIGHT, TOP, BOTTOM = 20.0, 6.0, 22.0
    LABEL_WIDTH, OVERHANG = 92.0, 12.0
    """`OVERHANG`: space for half of the scale's last value."""

    def __init__(self, labels: Sequence[str], lo: float, hi: float, format_value: Callable[[float], str]) -> None:
        """Lay out the rows; a value that `format_value` returns nothing for is left out of the scale."""
        self._lo = lo
        self._axis = Axis(lo, hi, CHART_WIDTH - self.LABEL_WIDTH - self.OVERHANG, self.LABEL_WIDTH)
        self._floor = self.TOP + self.ROW_HEIGHT * len(labels)
        self._marks: list[str] = []
        self._scale = [
            *(text(self.LABEL_WIDTH - 5, self._row(i) + 3.5, label, "end") for i, label in enumerate(labels)),
            line((self.LABEL_WIDTH, self._floor), (CHART_WIDTH, self._floor), INK),
            *(
                text(self._axis(value), self._floor + 14, words, "middle")
                for value in axis_ticks(lo, hi)
                if (words := format_value(value))
            ),
        ]

    def _row(self, number: int) -> float:
        return self.TOP + self.ROW_HEIGHT * (number + 0.5)

    def shade_below(self, limit: float) -> None:
        """Shade everything below a limit, if the limit is on the scale."""
        if limit < self._lo:
            return
        x = self._axis(limit)
        self._marks.append(
            rect((self.LABEL_WIDTH, self.TOP), (x - self.LABEL_WIDTH, self._floor - self.TOP), LIMIT, opacity=0.12)
        )
        self._marks.append(line((x, self.TOP), (x, self._floor), LIMIT, dash=True))

    def add_guide(self, value: float) -> None:
        """Add a faint line through all rows."""
        x = self._axis(value)
        self._marks.append(line((x, self.TOP), (x, self._floor), INK))

    def add_bar(self, row: int, ends: tuple[float, float], colour: str, width: float) -> None:
        """Add a range to a row."""
        start, end = ((self._axis(value), self._row(row)) for value in ends)
        self._marks.append(line(start, end, colour, width=width))

    def add_dot(self, row: int, value: float, colour: str) -> None:
        """Add a value to a row."""
        self._marks.append(dot(self._axis(value), self._row(row), colour, 4.5))

    def render(self, name: str, title: str, description: str) -> Markup:
        """Return the chart."""
        content = "".join([*self._marks, *self._scale])
        return svg(name, title, description, content, (CHART_WIDTH, self._floor + self.BOTTOM))


@dataclass(frozen=True, kw_only=True, slots=True)
class BarSeries:
    """One series of a bar chart, as shares of its whole."""

    colour: str
    shares: Sequence[float]


def bar_chart(series: Sequence[BarSeries], bins: int) -> tuple[str, tuple[float, float]]:
    """Return grouped bars over `bins` bins from 0 to 1, and their size."""
    height, floor, step = 110.0, 88.0, (CHART_WIDTH - 2 * EDGE) / bins
    tallest = max(max(bars.shares) for bars in series) or 1.0
    bar_width = (step - 4) / len(series)
    parts = [line((EDGE, floor), (CHART_WIDTH - EDGE, floor), INK)]
    for number, bars in enumerate(series):
        for i, share in enumerate(bars.shares):
            bar_height = max(0.0, share) / tallest * (floor - 14)
            corner = (EDGE + i * step + 2 + number * bar_width, floor - bar_height)
            parts.append(rect(corner, (bar_width - 1, bar_height), bars.colour))
    for i, anchor in ((0, "start"), (bins // 2, "middle"), (bins, "end")):
        parts.append(text(EDGE + i * step, floor + 14, f"{i / bins:g}", anchor))
    return "".join(parts), (CHART_WIDTH, height)
