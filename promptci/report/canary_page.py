"""canary.json -> canary.html: where each canary stands, with its evidence drawn against the thresholds."""

from collections.abc import Sequence

from markupsafe import Markup

from promptci.present import charts, templates
from promptci.present.content_policy import content_policy
from promptci.report.canary_document import CanaryDocument, CanaryPromptRow, EvidenceRow, MetricRow

HEIGHT, BOTTOM, LEFT = 190.0, 28.0, 30.0
SLUGS = {"promote": "good", "wait": "mute", "hold": "warn", "roll back": "bad"}


def render_page(document: CanaryDocument) -> str:
    """Render the page: one file without a script that makes no request."""
    style = templates.read_asset("report.css")
    script = Markup("")
    return (
        templates.create_environment()
        .get_template("html/canary.html.j2")
        .render(
            document=document,
            slugs=SLUGS,
            chart=draw_evidence,
            style=style,
            script=script,
            policy=content_policy(style, script),
        )
    )


def draw_evidence(prompt: CanaryPromptRow, metric: MetricRow, name: str) -> Markup | None:
    """Draw how the evidence about one metric grew, with what each decision needs; None: there is none yet."""
    points = [row for row in prompt.evidence if row.metric == metric.metric]
    if not points:
        return None
    tops = [metric.need_worse, metric.need_fine, *(max(row.log_e_worse, row.log_e_fine) for row in points)]
    low = min(0.0, *(min(row.log_e_worse, row.log_e_fine) for row in points))
    # Evidence far against a decision says no more than evidence against it.
    low, high = max(low, -max(tops)), max(tops) * 1.05
    across = charts.Axis(0, points[-1].canary_n, charts.CHART_WIDTH - LEFT, LEFT)
    up = charts.Axis(low, high, HEIGHT - BOTTOM)
    parts = _scale(across, up, (low, high), points)
    for need, values, colour in (
        (metric.need_worse, [row.log_e_worse for row in points], charts.LIMIT),
        (metric.need_fine, [row.log_e_fine for row in points], charts.AFTER),
    ):
        height = HEIGHT - BOTTOM - up(need)
        parts.append(charts.line((LEFT, height), (charts.CHART_WIDTH, height), colour, dash=True))
        path = [(across(row.canary_n), HEIGHT - BOTTOM - up(value)) for row, value in zip(points, values, strict=True)]
        parts.append(charts.polyline(path, colour))
    last = points[-1]
    described = (
        f"after {last.canary_n:,} users of the canary: worse {last.log_e_worse:.1f} of {metric.need_worse:.1f},"
        f" within the limit {last.log_e_fine:.1f} of {metric.need_fine:.1f}"
    )
    return charts.svg(name, f"Evidence: {metric.metric}", described, "".join(parts), (charts.CHART_WIDTH, HEIGHT))


def _scale(across: charts.Axis, up: charts.Axis, ends: tuple[float, float], points: Sequence[EvidenceRow]) -> list[str]:
    floor = HEIGHT - BOTTOM
    parts = [charts.line((LEFT, floor), (charts.CHART_WIDTH, floor), charts.INK)]
    parts += [charts.text(LEFT - 4, floor - up(value) + 3.5, f"{value:g}", "end") for value in charts.axis_ticks(*ends)]
    parts += [
        charts.text(across(value), floor + 14, f"{value:,.0f}", "middle")
        for value in charts.axis_ticks(0, points[-1].canary_n)
    ]
    return parts
