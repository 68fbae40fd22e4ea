"""What the HTML page shows, and how much of it, so that templates hold words only and 50,000 cases still open."""

from dataclasses import dataclass

from markupsafe import Markup

from promptci.report import charts, figures, groups
from promptci.report.figures import Figure, Matrix
from promptci.report.groups import Group
from promptci.report.model import DiffLineView, PromptView, ReportView
from promptci.report.room import Room

MOST_DRAWN = 30
"""Prompts that get drawings of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """One prompt."""

    anchor: str
    prompt: PromptView
    figures: tuple[Figure, ...]
    quality_chart: Markup | None
    latency_chart: Markup | None
    groups: tuple[Group, ...]
    matrices: tuple[Matrix, ...]
    diff: tuple[DiffLineView, ...]
    diff_left_out: int
    """Lines for which there is no room on the page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """The whole report."""

    view: ReportView
    sections: tuple[Section, ...]


def plan(view: ReportView) -> Page:
    """Decide what the page shows. Failing prompts take their room first, but stand where the view has them."""
    room = Room()
    order = sorted(range(len(view.prompts)), key=lambda i: view.prompts[i].verdict not in ("fail", "error"))
    made = {i: _section(view, i, room) for i in order}
    return Page(
        view=view,
        sections=tuple(made[i] for i in range(len(view.prompts))),
    )


def _section(view: ReportView, index: int, room: Room) -> Section:
    prompt = view.prompts[index]
    anchor = f"p{index + 1}"
    drawn = index < MOST_DRAWN
    concluded = prompt.verdict != "error"
    diff = tuple(line for line in prompt.diff if room.line(line))
    return Section(
        anchor=anchor,
        prompt=prompt,
        figures=tuple(figures.table(prompt)),
        quality_chart=charts.quality(prompt, view.gate, f"{anchor}-quality") if drawn and concluded else None,
        latency_chart=charts.latency(prompt, f"{anchor}-latency") if drawn else None,
        groups=tuple(groups.groups(prompt, room)),
        matrices=tuple(figures.matrices(prompt)),
        diff=diff,
        diff_left_out=len(prompt.diff) - len(diff),
    )
