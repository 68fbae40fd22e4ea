"""Drawings of a report: quality and latency of a prompt, before above now, on a scale with its values below.

SVG of our own and not matplotlib's: its import would cost every run half a second and 40 MB.
"""

from collections.abc import Callable, Sequence

from markupsafe import Markup

from promptci.present import formatting, shapes
from promptci.report.model.report import GateView, PercentilesView, PromptView, QualityView
from promptci.report.text import number_text

WIDTH, ROW, HEAD, FOOT = 360.0, 20.0, 6.0, 22.0
"""As wide as a telephone, so that the writing stays legible there."""
LABELS = 92.0
"""Room for the names of the rows."""
OVERHANG = 12.0
"""Room for half of the last number of the scale."""
INK, BEFORE, NOW, LIMIT = "var(--line-strong)", "var(--before)", "var(--now)", "var(--bad)"


class _Plot:
    """Rows over one scale; the words of a row stand before it."""

    def __init__(self, labels: Sequence[str], lo: float, hi: float, shown: Callable[[float], str]) -> None:
        self._lo = lo
        self.at = shapes.Axis(lo, hi, WIDTH - LABELS - OVERHANG, LABELS)
        self.floor = HEAD + ROW * len(labels)
        self._parts: list[str] = []
        self._over = [shapes.text(LABELS - 5, self.row(i) + 3.5, label, "end") for i, label in enumerate(labels)] + [
            shapes.line((LABELS, self.floor), (WIDTH, self.floor), INK)
        ]
        for value in shapes.ticks(lo, hi):
            if words := shown(value):
                self._over.append(shapes.text(self.at(value), self.floor + 14, words, "middle"))

    def row(self, number: int) -> float:
        """Give the middle of a row."""
        return HEAD + ROW * (number + 0.5)

    def forbidden(self, below: float) -> None:
        """Shade what lies below a limit, where the limit is on the scale."""
        if below < self._lo:
            return
        x = self.at(below)
        self._parts.append(shapes.rect((LABELS, HEAD), (x - LABELS, self.floor - HEAD), LIMIT, opacity=0.12))
        self._parts.append(shapes.line((x, HEAD), (x, self.floor), LIMIT, dash=True))

    def upright(self, value: float) -> None:
        """Draw a faint line through all rows."""
        self._parts.append(shapes.line((self.at(value), HEAD), (self.at(value), self.floor), INK))

    def bar(self, row: int, ends: tuple[float, float], colour: str, width: float) -> None:
        """Draw a range in a row."""
        self._parts.append(
            shapes.line((self.at(ends[0]), self.row(row)), (self.at(ends[1]), self.row(row)), colour, width=width)
        )

    def dot(self, row: int, value: float, colour: str) -> None:
        """Draw a value in a row."""
        self._parts.append(shapes.dot(self.at(value), self.row(row), colour, 4.5))

    def drawn(self, name: str, title: str, description: str) -> Markup:
        """Give the drawing."""
        content = "".join([*self._parts, *self._over])
        return shapes.svg(name, title, description, content, (WIDTH, self.floor + FOOT))


def quality(prompt: PromptView, gate: GateView, name: str) -> Markup | None:
    """Draw quality before and now with the interval of the change; None where there is nothing to draw."""
    if prompt.quality is not None:
        return _compared(prompt.quality, gate, name)
    if prompt.head is not None and prompt.head.quality is not None and prompt.head.quality_interval is not None:
        return _single(prompt.head.quality, prompt.head.quality_interval, gate, name)
    return None


def _compared(found: QualityView, gate: GateView, name: str) -> Markup:
    interval = found.interval or (found.delta, found.delta)
    ends = (_share(found.base + interval[0]), _share(found.base + interval[1]))
    margin = found.base - gate.max_drop
    labels = [f"before {formatting.percent(found.base)}", f"now {formatting.percent(found.head)}"]
    plot = _Plot(labels, *_range([found.base, found.head, margin, *ends]), _percent)
    plot.forbidden(margin)
    plot.upright(found.base)
    plot.bar(1, ends, NOW, 3)
    plot.dot(0, found.base, BEFORE)
    plot.dot(1, found.head, NOW)
    return plot.drawn(name, f"Quality ({found.measure})", f"{', '.join(labels)}; {number_text.interval_words(found)}.")


def _single(value: float, interval: tuple[float, float], gate: GateView, name: str) -> Markup:
    least = [] if gate.min_quality is None else [gate.min_quality]
    plot = _Plot([f"now {formatting.percent(value)}"], *_range([value, *interval, *least]), _percent)
    for limit in least:
        plot.forbidden(limit)
    plot.bar(0, interval, NOW, 3)
    plot.dot(0, value, NOW)
    lo, hi = (formatting.percent(end) for end in interval)
    return plot.drawn(name, "Quality", f"now {formatting.percent(value)}, 95% interval {lo} to {hi}.")


def latency(prompt: PromptView, name: str) -> Markup | None:
    """Draw p50, p95 and p99 of both versions; None where a version has no answer or too few to draw a range."""
    before, now = prompt.latency_ms.base, prompt.latency_ms.head
    if before is None or now is None or min(before.n, now.n) < 5:
        return None
    sides = (("before", before, BEFORE), ("now", now, NOW))
    labels = [f"{word} {formatting.duration(side.p50)}" for word, side, _ in sides]
    longest = max(side.p99 or 0.0 for _, side, _ in sides)
    plot = _Plot(labels, 0.0, 1.02 * longest or 1.0, _milliseconds)
    for row, (_, side, colour) in enumerate(sides):
        p50, p95, p99 = (value or 0.0 for value in (side.p50, side.p95, side.p99))
        plot.bar(row, (p50, p99), colour, 1)
        plot.bar(row, (p50, p95), colour, 4)
        plot.dot(row, p50, colour)
    return plot.drawn(name, "Latency", f"before {_percentiles(before)}; now {_percentiles(now)}.")


def _percentiles(side: PercentilesView) -> str:
    return (
        f"p50 {formatting.duration(side.p50)}, p95 {formatting.duration(side.p95)}, p99 {formatting.duration(side.p99)}"
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Give a scale that shows all values with some room, within 0 to 100 percent."""
    room = max(0.16 * (max(values) - min(values)), 0.02)
    return max(min(values) - room, 0.0), min(max(values) + room, 1.0)


def _share(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _percent(value: float) -> str:
    return formatting.percent(_share(round(value, 9)))


def _milliseconds(value: float) -> str:
    """Word a whole number of milliseconds; a part of one would read like its neighbour."""
    return formatting.duration(value) if round(value, 9).is_integer() else ""
