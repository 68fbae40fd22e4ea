"""The parts of small drawings in SVG of our own: numbers and our words only, colours by the page's variables.

No style attribute, which the page's policy forbids; the same numbers give the same bytes.
"""

import math
from itertools import count, takewhile

from markupsafe import Markup

from promptci.present import escape

EDGE = 8.0
"""Keeps dots at the ends whole."""
Point = tuple[float, float]


class Axis:
    """From values to places; what lies beyond the ends is drawn at the end."""

    def __init__(self, lo: float, hi: float, length: float, start: float = 0.0) -> None:
        """Lay it from `start` over `length`, with an edge at both ends."""
        self._lo, self._whole, self._length, self._start = lo, (hi - lo) or 1.0, length, start

    def __call__(self, value: float) -> float:
        """Give the place of a value."""
        share = (value - self._lo) / self._whole
        return self._start + EDGE + min(max(share, 0.0), 1.0) * (self._length - 2 * EDGE)


def ticks(lo: float, hi: float, most: int = 5) -> list[float]:
    """Give round values within `lo` and `hi`, with at most `most` steps of 1, 2 or 5 times a power of ten.

    The step is Heckbert's "nice number" (Graphics Gems, 1990) of the width by the number of steps.
    """
    if not math.isfinite(hi - lo) or hi <= lo:
        return []
    least = (hi - lo) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10, 20) if factor * power >= least * (1 - 1e-9))
    first = math.ceil(lo / step - 1e-9)
    return list(takewhile(lambda value: value <= hi + 1e-9 * step, ((first + i) * step for i in count())))


def svg(name: str, title: str, description: str, content: str, size: tuple[float, float]) -> Markup:
    """Give the whole drawing; title and description are for readers who hear the page, `name` starts its ids."""
    labels = f'role="img" aria-labelledby="{name}-title {name}-desc"'
    said = Markup('<title id="{0}-title">{1}</title><desc id="{0}-desc">{2}</desc>').format(
        name, title, escape.one_line(description)
    )
    width, height = map(n, size)
    return Markup('<svg viewBox="0 0 {} {}" {}>{}{}</svg>').format(width, height, Markup(labels), said, Markup(content))  # noqa: S704 - numbers and our own names


def rect(corner: Point, size: Point, colour: str, *, opacity: float = 1.0) -> str:
    """Give a filled box."""
    faint = f' fill-opacity="{opacity:g}"' if opacity < 1 else ""
    (x, y), (width, height) = corner, size
    box = f'x="{n(x)}" y="{n(y)}" width="{n(max(width, 0))}" height="{n(max(height, 0))}"'
    return f'<rect {box} fill="{colour}"{faint}/>'


def line(start: Point, end: Point, colour: str, *, width: float = 1, dash: bool = False) -> str:
    """Give a straight line."""
    dashed = ' stroke-dasharray="4 3"' if dash else ""
    ends = f'x1="{n(start[0])}" y1="{n(start[1])}" x2="{n(end[0])}" y2="{n(end[1])}"'
    return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"{dashed}/>'


def dot(x: float, y: float, colour: str, radius: float) -> str:
    """Give a filled circle."""
    return f'<circle cx="{n(x)}" cy="{n(y)}" r="{radius:g}" fill="{colour}"/>'


def text(x: float, y: float, text: str, anchor: str) -> str:
    """Give a word or a number."""
    return f'<text x="{n(x)}" y="{n(y)}" text-anchor="{anchor}" font-size="10">{Markup.escape(text)}</text>'


def n(value: float) -> str:
    """Give a place with at most one decimal."""
    return f"{value:.1f}".removesuffix(".0")
