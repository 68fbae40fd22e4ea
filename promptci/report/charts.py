"""Drawings of a report: quality and latency of a prompt.

matplotlib draws them as SVG; the bytes depend on the numbers alone.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

from markupsafe import Markup

from promptci.report import filters, phrases, svg
from promptci.report.model import GateView, PercentilesView, PromptView, QualityView

WIDTH_IN = 5.0
"""As wide as a telephone, so that the writing stays legible there."""
ROW_IN, FOOT_IN, HEAD_IN = 0.27, 0.34, 0.2
Draw = Callable[[Any], None]
"""Draws on matplotlib's axes. Its types would have to be imported at the top, which costs half a second."""


def quality(prompt: PromptView, gate: GateView, name: str) -> Markup | None:
    """Draw quality before and now with the interval of the change; None where there is nothing to draw."""
    if prompt.quality is not None:
        return _compared(prompt.quality, gate, name)
    if prompt.head is not None and prompt.head.quality is not None and prompt.head.quality_interval is not None:
        return _single(prompt.head.quality, prompt.head.quality_interval, gate, name)
    return None


def _compared(found: QualityView, gate: GateView, name: str) -> Markup:
    interval = found.interval or (found.delta, found.delta)
    ends = [min(max(found.base + end, 0.0), 1.0) for end in interval]
    margin = found.base - gate.max_drop

    def draw(axes: Any) -> None:
        _range(axes, [found.base, found.head, margin, *ends])
        axes.axvspan(-1, margin, color=svg.LIMIT, alpha=0.1, linewidth=0)
        axes.axvline(margin, color=svg.LIMIT, linestyle=(0, (4, 3)), linewidth=1)
        axes.axvline(found.base, color=svg.INK, alpha=0.35, linewidth=0.8)
        axes.plot(ends, [0, 0], color=svg.NOW, linewidth=2.5, solid_capstyle="butt")
        axes.plot([found.base], [1], "o", color=svg.BEFORE, markersize=8, clip_on=False)
        axes.plot([found.head], [0], "o", color=svg.NOW, markersize=8, clip_on=False)

    labels = [f"now  {filters.percent(found.head)}", f"before  {filters.percent(found.base)}"]
    said = f"{labels[1]}, {labels[0]}; {phrases.interval_words(found)}."
    return svg.inline(_drawn(draw, labels, name), name=name, title=f"Quality ({found.measure})", description=said)


def _single(value: float, interval: tuple[float, float], gate: GateView, name: str) -> Markup:
    def draw(axes: Any) -> None:
        _range(axes, [value, *interval, *([gate.min_quality] if gate.min_quality is not None else [])])
        if gate.min_quality is not None:
            axes.axvspan(-1, gate.min_quality, color=svg.LIMIT, alpha=0.1, linewidth=0)
            axes.axvline(gate.min_quality, color=svg.LIMIT, linestyle=(0, (4, 3)), linewidth=1)
        axes.plot(interval, [0, 0], color=svg.NOW, linewidth=2.5, solid_capstyle="butt")
        axes.plot([value], [0], "o", color=svg.NOW, markersize=8, clip_on=False)

    labels = [f"now  {filters.percent(value)}"]
    lo, hi = (filters.percent(end) for end in interval)
    return svg.inline(
        _drawn(draw, labels, name), name=name, title="Quality", description=f"{labels[0]}, 95% interval {lo} to {hi}."
    )


def latency(prompt: PromptView, name: str) -> Markup | None:
    """Draw p50, p95 and p99 of both versions; None where a version has no answer or too few to draw a range."""
    before, now = prompt.latency_ms.base, prompt.latency_ms.head
    if before is None or now is None or min(before.n, now.n) < 5:
        return None

    def draw(axes: Any) -> None:
        for row, side, colour in ((1, before, svg.BEFORE), (0, now, svg.NOW)):
            axes.plot([side.p50, side.p99], [row, row], color=colour, linewidth=1)
            axes.plot([side.p50, side.p95], [row, row], color=colour, linewidth=4, solid_capstyle="butt")
            axes.plot([side.p50], [row], "o", color=colour, markersize=8, clip_on=False)
        axes.set_xlim(0, 1.06 * max(side.p99 or 0 for side in (before, now)) or 1)
        axes.xaxis.set_major_formatter(lambda value, _: filters.duration(value))

    labels = [f"{word}  {filters.duration(side.p50)}" for word, side in (("now", now), ("before", before))]
    said = f"before {_percentiles(before)}; now {_percentiles(now)}."
    return svg.inline(_drawn(draw, labels, name), name=name, title="Latency", description=said)


def _percentiles(side: PercentilesView) -> str:
    return f"p50 {filters.duration(side.p50)}, p95 {filters.duration(side.p95)}, p99 {filters.duration(side.p99)}"


def _range(axes: Any, values: Sequence[float]) -> None:
    """Show all values with some room, within 0 to 100 percent."""
    lo, hi = min(values), max(values)
    room = max(0.08 * (hi - lo), 0.01)
    # A dot on the edge of the scale is shown whole.
    axes.set_xlim(max(lo - 2 * room, -0.02), min(hi + 2 * room, 1.02))
    axes.xaxis.set_major_formatter(lambda value, _: filters.percent(value) if 0 <= value <= 1 else "")


def _drawn(draw: Draw, labels: Sequence[str], name: str) -> str:
    """Draw one figure with a row for each label and give its SVG text."""
    import matplotlib as mpl  # noqa: PLC0415 - heavy: keeps --help fast
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - heavy: keeps --help fast
    from matplotlib.figure import Figure  # noqa: PLC0415 - heavy: keeps --help fast
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - heavy: keeps --help fast

    options = {"svg.fonttype": "none", "svg.hashsalt": name, "text.parse_math": False, "font.size": 9.5}
    height = HEAD_IN + ROW_IN * len(labels) + FOOT_IN
    with mpl.rc_context(options):  # type: ignore[arg-type]  # the stub lists names, the function takes any mapping
        figure = Figure(figsize=(WIDTH_IN, height))
        axes = figure.add_axes((0.27, FOOT_IN / height, 0.69, 1 - (FOOT_IN + HEAD_IN / 2) / height))
        axes.set_ylim(-0.6, len(labels) - 0.4)
        axes.set_yticks(range(len(labels)), labels)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.spines[["top", "left", "right"]].set_visible(False)
        axes.spines["bottom"].set_alpha(0.4)
        axes.tick_params(length=0)
        draw(axes)
        file = io.StringIO()
        FigureCanvasSVG(figure)
        figure.savefig(
            file, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type"))
        )
    return file.getvalue()
