"""The charts of a prompt: quality, latency, score distribution, earlier versions, and the strips in table cells."""

from collections.abc import Sequence

from markupsafe import Markup

from promptci.present import charts, formatting
from promptci.present.charts import AFTER, BEFORE, CHART_WIDTH, EDGE, INK, LIMIT, STRIP_HEIGHT, STRIP_WIDTH
from promptci.report.html.class_table import ClassRow
from promptci.report.model.report import GateView, PastQualityView, PercentilesView, PromptView, QualityView, ReportView
from promptci.report.text import number_text
from promptci.wording import join_names

MAX_NAMED = 3
MIN_LATENCIES = 5
"""Answers of a version; fewer make no range."""


def quality_chart(prompt: PromptView, gate: GateView, name: str) -> Markup | None:
    """Draw quality before and after with the interval of the change; None if there is nothing to draw."""
    if prompt.quality is not None:
        return _compared_quality(prompt.quality, gate, name)
    head = prompt.head
    if head is None or head.quality is None or head.quality_interval is None:
        return None
    limits = [] if gate.min_quality is None else [gate.min_quality]
    label = f"{formatting.percent(head.quality)}"
    chart = charts.RowChart([label], *_value_range([head.quality, *head.quality_interval, *limits]), _percent)
    for limit in limits:
        chart.shade_below(limit)
    chart.add_bar(0, head.quality_interval, AFTER, 3)
    chart.add_dot(0, head.quality, AFTER)
    lo, hi = (formatting.percent(end) for end in head.quality_interval)
    return chart.render(name, "Quality", f"{label}, 95% interval {lo} to {hi}.")


def _compared_quality(quality: QualityView, gate: GateView, name: str) -> Markup:
    interval = deciding_interval(quality)
    ends = (_clamp(quality.base + interval[0]), _clamp(quality.base + interval[1]))
    margin = quality.base - gate.max_drop
    labels = [f"before {formatting.percent(quality.base)}", f"after {formatting.percent(quality.head)}"]
    chart = charts.RowChart(labels, *_value_range([quality.base, quality.head, margin, *ends]), _percent)
    chart.shade_below(margin)
    chart.add_guide(quality.base)
    chart.add_bar(1, ends, AFTER, 3)
    chart.add_dot(0, quality.base, BEFORE)
    chart.add_dot(1, quality.head, AFTER)
    description = f"{', '.join(labels)}; {number_text.describe_bar(quality)}."
    return chart.render(name, f"Quality ({quality.measure})", description)


def deciding_interval(quality: QualityView) -> tuple[float, float]:
    """Return the ends of the bar: from the largest drop that the test in force leaves open to the other end."""
    if quality.on_goldens is not None and quality.on_goldens.max_drop is not None:
        return (-quality.on_goldens.max_drop, max(quality.delta, -quality.on_goldens.max_drop))
    return quality.interval or (quality.delta, quality.delta)


def latency_chart(prompt: PromptView, name: str) -> Markup | None:
    """Draw p50, p95 and p99 of both versions; None if a version has too few answers for a range."""
    before, after = prompt.latency_ms.base, prompt.latency_ms.head
    if before is None or after is None or min(before.n, after.n) < MIN_LATENCIES:
        return None
    sides = (("before", before, BEFORE), ("after", after, AFTER))
    labels = [f"{word} {formatting.duration(side.p50)}" for word, side, _ in sides]
    longest = max(side.p99 or 0.0 for _, side, _ in sides)
    chart = charts.RowChart(labels, 0.0, 1.02 * longest or 1.0, _milliseconds)
    for row, (_, side, colour) in enumerate(sides):
        p50, p95, p99 = (value or 0.0 for value in (side.p50, side.p95, side.p99))
        chart.add_bar(row, (p50, p99), colour, 1)
        chart.add_bar(row, (p50, p95), colour, 4)
        chart.add_dot(row, p50, colour)
    return chart.render(name, "Latency", f"before {_percentiles(before)}; after {_percentiles(after)}.")


def _percentiles(side: PercentilesView) -> str:
    values = (("p50", side.p50), ("p95", side.p95), ("p99", side.p99))
    return ", ".join(f"{name} {formatting.duration(value)}" for name, value in values)


def _value_range(values: Sequence[float]) -> tuple[float, float]:
    """Return a scale that shows all values with some space around them, within 0 and 1."""
    space = max(0.16 * (max(values) - min(values)), 0.02)
    return max(min(values) - space, 0.0), min(max(values) + space, 1.0)


def _clamp(value: float) -> float:
    return min(max(value, 0.0), 1.0)


def _percent(value: float) -> str:
    return formatting.percent(_clamp(round(value, 9)))


def _milliseconds(value: float) -> str:
    """Format a whole number of milliseconds; a fraction would read like its neighbour."""
    return formatting.duration(value) if round(value, 9).is_integer() else ""


def change_strip(prompt: PromptView, view: ReportView, name: str) -> Markup | None:
    """Draw the change of one prompt, its interval and the margin on the scale of all prompts; None without one."""
    quality = prompt.quality
    if quality is None:
        return None
    lo, hi = change_scale(view)
    ends = deciding_interval(quality)
    axis = charts.Axis(lo, hi, STRIP_WIDTH)
    max_drop = (prompt.gate or view.gate).max_drop
    margin, middle = axis(-max_drop), STRIP_HEIGHT / 2
    parts = [
        charts.rect((0, 0), (margin, STRIP_HEIGHT), LIMIT, opacity=0.12),
        charts.line((margin, 0), (margin, STRIP_HEIGHT), LIMIT, dash=True),
        charts.line((axis(0), 0), (axis(0), STRIP_HEIGHT), INK),
        charts.line((axis(ends[0]), middle), (axis(ends[1]), middle), AFTER, width=3),
        charts.dot(axis(quality.delta), middle, AFTER, 4.5),
    ]
    margin_words = formatting.points(max_drop)
    description = (
        f"{number_text.difference(quality)}; {number_text.describe_bar(quality)}; the margin is {margin_words}."
    )
    return charts.svg(name, "Change in quality", description, "".join(parts), (STRIP_WIDTH, STRIP_HEIGHT))


def describe_bars(view: ReportView) -> str:
    """Return what the bars of the prompts stand for: goldens that show too little leave only the other measure."""
    compared = [prompt for prompt in view.prompts if prompt.quality is not None and prompt.verdict != "error"]
    by_inputs = [prompt.name for prompt in compared if prompt.quality and not _is_on_goldens(prompt.quality)]
    goldens, inputs = "drops that these goldens leave open", "the change for inputs like these"
    if len(by_inputs) == len(compared):
        return f"Bar: {inputs}."
    return f"Bar: {goldens}; of {join_names(by_inputs, MAX_NAMED)}: {inputs}." if by_inputs else f"Bar: {goldens}."


def _is_on_goldens(quality: QualityView) -> bool:
    return quality.on_goldens is not None and quality.on_goldens.max_drop is not None


def change_scale(view: ReportView) -> tuple[float, float]:
    """Return the ends of the scale on which the changes of all prompts are drawn."""
    compared: list[QualityView] = [prompt.quality for prompt in view.prompts if prompt.quality is not None]
    ends = [end for quality in compared for end in deciding_interval(quality)]
    margin = max(view.gate.max_drop, *(prompt.gate.max_drop for prompt in view.prompts if prompt.gate), 0)
    return min(-1.5 * margin, *ends, -0.01), max(0.5 * margin, *ends, 0.01)


def score_chart(prompt: PromptView, name: str) -> Markup | None:
    """Draw how the scores of a graded prompt are distributed before and after; None if it is not graded."""
    if prompt.quality is not None and prompt.quality.measure == "pass rate":  # scores decide nothing there
        return None
    versions = (("before", BEFORE, prompt.base), ("after", AFTER, prompt.head))
    histograms = [
        (word, colour, version.score_histogram)
        for word, colour, version in versions
        if version is not None and sum(version.score_histogram) > 0
    ]
    if not histograms:
        return None
    bins = len(histograms[0][2])
    series = [
        charts.BarSeries(colour=colour, shares=[count / sum(counts) for count in counts])
        for _, colour, counts in histograms
    ]
    content, size = charts.bar_chart(series, bins)
    described = "; ".join(f"{word} {_distribution(counts)}" for word, _, counts in histograms)
    return charts.svg(name, "Scores of the answers", f"{described}.", content, size)


def _distribution(counts: Sequence[int]) -> str:
    """Return `4 at 0.7 to 0.8, 20 at 0.9 to 1`."""
    bins = len(counts)
    return ", ".join(f"{n:,} at {i / bins:g} to {(i + 1) / bins:g}" for i, n in enumerate(counts) if n)


def earlier_versions_chart(prompt: PromptView, name: str) -> Markup | None:
    """Draw the quality of earlier versions, then of the two of this run; None if there is no earlier version."""
    if not prompt.earlier_versions or prompt.quality is None or prompt.verdict == "error":
        return None
    values = [*(past.quality for past in prompt.earlier_versions), prompt.quality.base, prompt.quality.head]
    lo, hi = min(values), max(values)
    space = max(0.15 * (hi - lo), 0.02)
    height, floor, left_edge = 110.0, 88.0, EDGE + 42
    step = (CHART_WIDTH - 2 * EDGE - 46) / (len(values) - 1)
    axis = charts.Axis(lo - space, hi + space, floor - 12)
    points = [(left_edge + i * step, floor - axis(value)) for i, value in enumerate(values)]
    parts = [charts.line((left_edge - 4, floor), (CHART_WIDTH - EDGE, floor), INK)]
    for value in dict.fromkeys((lo, hi)):
        y = floor - axis(value)
        parts.append(charts.text(left_edge - 10, y + 3.5, formatting.percent(value), "end"))
        parts.append(charts.line((left_edge - 4, y), (CHART_WIDTH - EDGE, y), "var(--line)"))
    parts.append(charts.polyline(points, BEFORE))
    parts += [_verdict_mark(x, y, past.verdict) for (x, y), past in zip(points, prompt.earlier_versions, strict=False)]
    parts += [charts.dot(x, y, colour, 4.5) for (x, y), colour in zip(points[-2:], (BEFORE, AFTER), strict=True)]
    parts.append(charts.text(left_edge, floor + 14, "earlier", "start"))
    parts.append(charts.text(CHART_WIDTH - EDGE, floor + 14, "after", "end"))
    both = f"before {formatting.percent(prompt.quality.base)}; after {formatting.percent(prompt.quality.head)}"
    description = "; ".join([*map(describe_version, prompt.earlier_versions), both])
    title = f"Quality of earlier versions ({prompt.quality.measure})"
    return charts.svg(name, title, f"{description}.", "".join(parts), (CHART_WIDTH, height))


def describe_version(past: PastQualityView) -> str:
    """Return how an earlier version did: `2026-02-01, #7: 75% (pass)`."""
    pull_request = f", #{past.pull_request}" if past.pull_request else ""
    return f"{past.at[:10]}{pull_request}: {formatting.percent(past.quality)} ({past.verdict})"


def _verdict_mark(x: float, y: float, verdict: str) -> str:
    """Return the mark of an earlier version: dot for pass, cross for fail, triangle for inconclusive."""
    if verdict == "fail":
        return charts.cross(x, y, "var(--bad)")
    if verdict == "inconclusive":
        return charts.triangle(x, y, "var(--warn)")
    return charts.dot(x, y, "var(--good)" if verdict == "pass" else BEFORE, 4)


def class_strip(row: ClassRow, name: str) -> Markup:
    """Draw the share of right answers of one class, before and after, on a scale from 0 to 100 %."""
    axis, middle = charts.Axis(0, 1, STRIP_WIDTH), STRIP_HEIGHT / 2
    known = [(value, colour) for value, colour in ((row.before, BEFORE), (row.after, AFTER)) if value is not None]
    parts = [charts.line((axis(0), middle), (axis(1), middle), INK)]
    if len(known) == 2:
        parts.append(charts.line((axis(known[0][0]), middle), (axis(known[1][0]), middle), AFTER, width=3))
    parts += [charts.dot(axis(value), middle, colour, 4.5) for value, colour in known]
    description = f"before {formatting.percent(row.before)}, after {formatting.percent(row.after)}."
    return charts.svg(name, "Right answers of this class", description, "".join(parts), (STRIP_WIDTH, STRIP_HEIGHT))
