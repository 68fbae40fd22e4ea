"""Figure of a watched prompt: its quality by night beside the reference's, and the sum of drops below it."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from promptci.drift.night import DriftVerdict, NightLine
from promptci.present import figures
from promptci.present.escape import one_line, shorten
from promptci.present.formatting import percent
from promptci.wording import count

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_NIGHTS = 120


def write_figures(nights: Sequence[NightLine], folder: Path, formats: Sequence[str]) -> list[Path]:
    """Write one figure for each prompt that has a night with answers; return the paths.

    Raises
    ------
    UsageError
        If matplotlib is not installed.
    """
    paths = []
    for prompt in sorted({night.prompt for night in nights}):
        rows = [night for night in nights if night.prompt == prompt and night.quality is not None][-MAX_NIGHTS:]
        if formats and rows:
            name = f"drift-{figures.file_name(prompt)}"
            paths += figures.save_figure(partial(draw_nights, rows), folder, name, formats)
    return paths


def draw_nights(rows: Sequence[NightLine]) -> "Figure":
    """Draw the nights of one prompt, oldest first."""
    last = rows[-1]
    models = ", ".join(last.models) or last.model
    figure = figures.new_figure(
        f"{one_line(last.prompt)} {one_line(last.version)}: {last.verdict}",
        f"{count(len(rows), 'night')} to {last.day} · {count(last.n, 'case')} · {shorten(one_line(models), 60)}",
        "promptci drift. Line: mean of the reference. Sum of drops: CUSUM, less 2 points a night.",
        height=5.2,
    )
    top, bottom = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_quality(top, rows)
    figures.plot_days(bottom, [(_day(row), row.cusum) for row in rows], color=figures.WORSE, marker=".", linewidth=1)
    if any(row.h is not None for row in rows):
        limits = [(_day(row), row.h) for row in rows]
        figures.plot_days(bottom, limits, color=figures.MUTED, linestyle="--", linewidth=1, label="limit")
        bottom.legend(frameon=False, fontsize=8)
    bottom.set_ylabel("sum of drops")
    bottom.set_ylim(bottom=0)
    bottom.tick_params(axis="x", labelrotation=30)
    return figure


def _day(row: NightLine) -> date:
    return date.fromisoformat(row.day)


def _draw_quality(axes: "Axes", rows: Sequence[NightLine]) -> None:
    reference = [
        (_day(row), row.quality + row.drop if row.quality is not None and row.drop is not None else None)
        for row in rows
    ]
    figures.plot_days(axes, reference, color=figures.BEFORE, linewidth=1, label="reference")
    for verdict in DriftVerdict:
        chosen = [(_day(row), row.quality) for row in rows if row.verdict is verdict]
        if chosen:
            is_good = verdict is DriftVerdict.STEADY
            figures.plot_days(
                axes,
                chosen,
                marker="o" if is_good else "s",
                linestyle="",
                color=figures.AFTER if is_good else figures.WORSE,
                fillstyle="full" if is_good or verdict is DriftVerdict.DRIFT else "none",
                label=str(verdict),
            )
    axes.yaxis.set_major_formatter(lambda value, _: percent(value))
    axes.set_ylabel("quality")
    axes.legend(frameon=False, fontsize=8, ncols=4)
