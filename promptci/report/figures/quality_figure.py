"""Figure of a run: quality of each prompt before and after, for slides and binders."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from promptci.present import figures
from promptci.present.escape import one_line, shorten
from promptci.present.formatting import percent, signed_points
from promptci.report.model.report import PromptView, ReportView
from promptci.wording import count, short_sha

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_PROMPTS = 25
"""The worst ones are drawn; more names than this are not legible on a slide."""
NAME = "quality-before-after"
MAX_NAME_LETTERS = 34


def write_figures(view: ReportView, folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write the figure of a run in some formats and return the paths; none where no prompt was compared.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    compared = [prompt for prompt in view.prompts if prompt.quality is not None]
    if not compared or not formats:
        return []
    return figures.save_figure(lambda: draw_quality(view, compared), folder, NAME, formats)


def draw_quality(view: ReportView, compared: Sequence[PromptView]) -> "Figure":
    """Draw one row for each compared prompt: a ring before, a dot after, and the interval of the change."""
    shown = compared[:MAX_PROMPTS]
    left_out = len(compared) - len(shown)
    figure = figures.new_figure(
        "Quality before and after",
        f"{view.verdict} · {_what_was_compared(view)}" + (f" · {left_out} more not drawn" if left_out else ""),
        _source(view),
        height=max(4.5, 1.6 + 0.55 * len(shown)),
    )
    axes = figure.add_subplot()
    for row, prompt in enumerate(shown):
        _draw_row(axes, row, prompt)
    axes.set_yticks(range(len(shown)), [_label(prompt) for prompt in shown])
    axes.set_ylim(len(shown) - 0.5, -0.7)
    axes.set_xlim(-0.02, 1.02)
    axes.xaxis.set_major_formatter(lambda value, _: percent(value))
    axes.set_xlabel("share of passed cases, or mean score")
    axes.grid(axis="x", color="#e5e7eb", linewidth=0.8)
    axes.set_axisbelow(True)
    return figure


def _draw_row(axes: "Axes", row: int, prompt: PromptView) -> None:
    quality = prompt.quality
    if quality is None:
        raise ValueError("the prompt was not compared")
    colour = {"fail": figures.WORSE, "pass": figures.BETTER}.get(prompt.verdict, figures.AFTER)
    if quality.interval is not None:
        low, high = (min(max(quality.base + bound, 0.0), 1.0) for bound in quality.interval)
        axes.plot([low, high], [row, row], color=colour, linewidth=8, alpha=0.18, solid_capstyle="butt")
    axes.plot([quality.base, quality.head], [row, row], color=colour, linewidth=1.5)
    axes.plot([quality.base], [row], "o", color="white", markeredgecolor=figures.BEFORE, markersize=9, label="before")
    axes.plot([quality.head], [row], "o", color=colour, markersize=9, label="after")
    axes.annotate(
        f"{percent(quality.base)} → {percent(quality.head)} ({signed_points(quality.delta)})",
        ((quality.base + quality.head) / 2, row),
        xytext=(0, 8),
        textcoords="offset points",
        ha="center",
        fontsize=8,
    )
    if row == 0:
        axes.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, frameon=False, fontsize=8, borderaxespad=0)


def _label(prompt: PromptView) -> str:
    return f"{shorten(prompt.name, MAX_NAME_LETTERS)}\n{prompt.verdict} · {count(prompt.pairs, 'case')}"


def _what_was_compared(view: ReportView) -> str:
    place = one_line(view.repository) if view.repository else ""
    number = f"#{view.pull_request}" if view.pull_request else ""
    commits = [short_sha(commit) for each in (view.base, view.head) if each and (commit := each.sha)]
    return " · ".join(part for part in (f"{place}{number}", " → ".join(commits)) if part) or "working tree"


def _source(view: ReportView) -> str:
    day = f", {view.generated_at[:10]}" if view.generated_at else ""
    return f"promptci {view.promptci_version}{day}. Band: interval of the change, from the quality before."
