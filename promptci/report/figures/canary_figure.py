"""Figure of a canary: how the evidence about each metric grew, with what a decision needs."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from promptci.present import figures
from promptci.present.escape import one_line
from promptci.report.canary_document import CanaryDocument, CanaryPromptRow, EvidenceRow, MetricRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def write_figures(document: CanaryDocument, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write one figure for each canary that has evidence; return the paths.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    paths = []
    for prompt in document.prompts:
        if formats and prompt.evidence:
            name = f"canary-{figures.file_name(prompt.prompt)}"
            paths += figures.save_figure(partial(draw_evidence, document, prompt), folder, name, formats)
    return paths


def draw_evidence(document: CanaryDocument, prompt: CanaryPromptRow) -> "Figure":
    """Draw one panel for each metric: evidence for `worse` and for `within the limit`, each against its threshold."""
    rows_by_metric = {
        metric.metric: [row for row in prompt.evidence if row.metric == metric.metric] for metric in prompt.metrics
    }
    shown = [metric for metric in prompt.metrics if rows_by_metric[metric.metric]]
    figure = figures.new_figure(
        f"{one_line(prompt.prompt)}: canary {one_line(prompt.canary or 'ended')} at {prompt.share:g}%",
        f"{prompt.outcome} · {document.environment} · compared with {one_line(prompt.stable)}",
        f"promptci, {document.at[:16].replace('T', ' ')} UTC. Evidence: natural logarithm of the e-value.",
        height=1.4 + 2.2 * len(shown),
    )
    for place, metric in enumerate(shown, start=1):
        _draw_metric(figure.add_subplot(len(shown), 1, place), metric, rows_by_metric[metric.metric])
    return figure


def _draw_metric(axes: "Axes", metric: MetricRow, rows: Sequence[EvidenceRow]) -> None:
    users = [row.canary_n for row in rows]
    top = max(metric.need_worse, metric.need_fine)
    for values, need, colour, label in (
        ([row.log_e_worse for row in rows], metric.need_worse, figures.WORSE, "worse: roll back"),
        ([row.log_e_fine for row in rows], metric.need_fine, figures.BETTER, "within the limit: go on"),
    ):
        # Evidence far against a decision says no more than evidence against it.
        axes.plot(users, [max(value, -top) for value in values], color=colour, label=label)
        axes.axhline(need, color=colour, linestyle="--", linewidth=1)
    axes.axhline(0, color=figures.MUTED, linewidth=0.8)
    axes.set_title(f"{metric.metric} ({metric.status})", fontsize=10)
    axes.set_xlabel("users of the canary at this step")
    axes.set_ylabel("evidence")
    axes.legend(frameon=False, fontsize=8)
