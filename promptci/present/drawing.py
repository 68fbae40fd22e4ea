"""Small drawings of a page, in SVG of our own: numbers and our words only, colours by the page's variables.

Each has a title and a description, which say in words what it shows; the same numbers give the same bytes.
"""

from collections.abc import Sequence

from markupsafe import Markup

from promptci.present import formatting, shapes
from promptci.present.shapes import EDGE
from promptci.report.build.version_view import BINS
from promptci.report.html.class_table import ClassRow
from promptci.report.model.report import PastQualityView, PromptView, QualityView, ReportView
from promptci.report.text import number_text

WIDTH = 360.0
"""Of a drawing that stands by itself, in units that are pixels on a telephone."""
STRIP_WIDTH, STRIP_HEIGHT = 150.0, 22.0


def strip(prompt: PromptView, view: ReportView, name: str) -> Markup | None:
    """Draw the change of one prompt on the scale of all: its interval, nothing, and the margin; None without one."""
    found = prompt.quality
    if found is None:
        return None
    lo, hi = scale(view)
    ends = found.interval or (found.delta, found.delta)
    at = shapes.Axis(lo, hi, STRIP_WIDTH)
    margin, middle = at(-view.gate.max_drop), STRIP_HEIGHT / 2
    parts = [
        shapes.rect((0, 0), (margin, STRIP_HEIGHT), "var(--bad)", opacity=0.12),
        shapes.line((margin, 0), (margin, STRIP_HEIGHT), "var(--bad)", dash=True),
        shapes.line((at(0), 0), (at(0), STRIP_HEIGHT), "var(--line-strong)"),
        shapes.line((at(ends[0]), middle), (at(ends[1]), middle), "var(--now)", width=3),
        shapes.dot(at(found.delta), middle, "var(--now)", 4.5),
    ]
    said = f"{number_text.difference(found)}; {number_text.interval_words(found)}; the margin is {_margin(view)}."
    return shapes.svg(name, "Change in quality", said, "".join(parts), (STRIP_WIDTH, STRIP_HEIGHT))


def scale(view: ReportView) -> tuple[float, float]:
    """Give the ends of the scale on which the changes of all prompts are drawn."""
    compared: list[QualityView] = [prompt.quality for prompt in view.prompts if prompt.quality is not None]
    ends = [end for found in compared for end in (found.interval or (found.delta, found.delta))]
    return min(-1.5 * abs(view.gate.max_drop), *ends, -0.01), max(0.5 * abs(view.gate.max_drop), *ends, 0.01)


def _margin(view: ReportView) -> str:
    return formatting.points(view.gate.max_drop)


def marks(prompt: PromptView, name: str) -> Markup | None:
    """Draw how the marks of a graded prompt are spread, before beside now; None where it is not graded."""
    sides = [
        (word, colour, arm.scores)
        for word, colour, arm in (("before", "var(--before)", prompt.base), ("now", "var(--now)", prompt.head))
        if arm is not None and len(arm.scores) == BINS and sum(arm.scores) > 0
    ]
    if not sides:
        return None
    height, floor, step = 110.0, 88.0, (WIDTH - 2 * EDGE) / BINS
    tallest = max(max(_shares(scores)) for _, _, scores in sides) or 1.0
    bar = (step - 4) / len(sides)
    parts = [shapes.line((EDGE, floor), (WIDTH - EDGE, floor), "var(--line-strong)")]
    for side, (_, colour, scores) in enumerate(sides):
        for i, share in enumerate(_shares(scores)):
            tall = max(0.0, share) / tallest * (floor - 14)
            parts.append(shapes.rect((EDGE + i * step + 2 + side * bar, floor - tall), (bar - 1, tall), colour))
    for i in (0, BINS // 2, BINS):
        anchor = "start" if i == 0 else "end" if i == BINS else "middle"
        parts.append(shapes.text(EDGE + i * step, floor + 14, f"{i / BINS:g}", anchor))
    said = "; ".join(f"{word} {_spread(scores)}" for word, _, scores in sides)
    return shapes.svg(name, "Marks of the answers", f"{said}.", "".join(parts), (WIDTH, height))


def _shares(scores: Sequence[int]) -> list[float]:
    whole = sum(scores) or 1
    return [count / whole for count in scores]


def _spread(scores: Sequence[int]) -> str:
    """Say how many answers got which marks: `4 at 0.7 to 0.8, 20 at 0.9 to 1`."""
    return ", ".join(f"{n:,} at {i / BINS:g} to {(i + 1) / BINS:g}" for i, n in enumerate(scores) if n) or "none"


def history(prompt: PromptView, name: str) -> Markup | None:
    """Draw the quality of the versions tested before, then of today's two; None where none was tested before."""
    if not prompt.history or prompt.quality is None or prompt.verdict == "error":
        return None
    past = list(prompt.history)
    values = [*(one.quality for one in past), prompt.quality.base, prompt.quality.head]
    lo, hi = min(values), max(values)
    room = max(0.15 * (hi - lo), 0.02)
    height, floor = 110.0, 88.0
    step = (WIDTH - 2 * EDGE - 46) / (len(values) - 1)
    up = shapes.Axis(lo - room, hi + room, floor - 12)
    at = [(EDGE + 42 + i * step, floor - up(value)) for i, value in enumerate(values)]
    parts = [shapes.line((EDGE + 38, floor), (WIDTH - EDGE, floor), "var(--line-strong)")]
    for value in dict.fromkeys((lo, hi)):
        parts.append(shapes.text(EDGE + 32, floor - up(value) + 3.5, formatting.percent(value), "end"))
        parts.append(shapes.line((EDGE + 38, floor - up(value)), (WIDTH - EDGE, floor - up(value)), "var(--line)"))
    path = " ".join(f"{shapes.n(x)},{shapes.n(y)}" for x, y in at)
    parts.append(f'<polyline points="{path}" fill="none" stroke="var(--before)" stroke-width="1.5"/>')
    parts += [_sign(x, y, one.verdict) for (x, y), one in zip(at, past, strict=False)]
    parts += [
        shapes.dot(x, y, colour, 4.5) for (x, y), colour in zip(at[-2:], ("var(--before)", "var(--now)"), strict=True)
    ]
    parts.append(shapes.text(EDGE + 42, floor + 14, "earlier", "start"))
    parts.append(shapes.text(WIDTH - EDGE, floor + 14, "now", "end"))
    both = f"before {formatting.percent(prompt.quality.base)}; now {formatting.percent(prompt.quality.head)}"
    said = "; ".join([*map(version, past), both])
    return shapes.svg(
        name, f"Quality of earlier versions ({prompt.quality.measure})", f"{said}.", "".join(parts), (WIDTH, height)
    )


def version(one: PastQualityView) -> str:
    """Say how an earlier version did: `2026-02-01, #7: 75% of 60 pairs (pass)`."""
    where = f", #{one.pull_request}" if one.pull_request else ""
    verdict = number_text.sign(one.verdict).word.lower()
    return f"{one.at[:10]}{where}: {formatting.percent(one.quality)} ({verdict})"


def class_strip(row: ClassRow, name: str) -> Markup:
    """Draw how often one label was given right, before and now, on a scale from 0 to 100 %."""
    at, middle = shapes.Axis(0, 1, STRIP_WIDTH), STRIP_HEIGHT / 2
    known = [
        (value, colour)
        for value, colour in ((row.before, "var(--before)"), (row.now, "var(--now)"))
        if value is not None
    ]
    parts = [shapes.line((at(0), middle), (at(1), middle), "var(--line-strong)")]
    if len(known) == 2:
        parts.append(shapes.line((at(known[0][0]), middle), (at(known[1][0]), middle), "var(--now)", width=3))
    parts += [shapes.dot(at(value), middle, colour, 4.5) for value, colour in known]
    said = f"before {formatting.percent(row.before)}, now {formatting.percent(row.now)}."
    return shapes.svg(name, "Right answers of this class", said, "".join(parts), (STRIP_WIDTH, STRIP_HEIGHT))


def _sign(x: float, y: float, verdict: str) -> str:
    """Mark an earlier version: a dot where it passed, a cross where it failed, a triangle where it was undecided."""
    if verdict == "fail":
        arms = f"M{shapes.n(x - 4)},{shapes.n(y - 4)}l8,8m0,-8l-8,8"
        return f'<path d="{arms}" fill="none" stroke="var(--bad)" stroke-width="2.4"/>'
    if verdict == "inconclusive":
        return f'<path d="M{shapes.n(x)},{shapes.n(y - 5)}l5,9h-10z" fill="var(--warn)"/>'
    return shapes.dot(x, y, "var(--good)" if verdict == "pass" else "var(--before)", 4)
