"""What the HTML page shows, and how much of it, so that templates hold words only and 50,000 cases still open."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from promptci.present import charts
from promptci.report.html import case_table, groups, metrics_table, page_budget
from promptci.report.html.case_table import Explorer
from promptci.report.html.groups import Found, Group
from promptci.report.html.metrics_table import Figure, Matrix
from promptci.report.html.page_budget import MOST_DRAWN, Room
from promptci.report.model.report import DiffLineView, PromptView, ReportView


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
    explorer: Explorer
    """The table of all cases."""


def plan(view: ReportView) -> Page:
    """Decide what the page shows.

    The table of all cases is packed first; what is left of the page goes to cases in full: those that broke or got
    better before the others, failing prompts before passing ones. All stand where the view has them.
    """
    found = [groups.found(prompt) for prompt in view.prompts]
    rows = (groups.line(case, prompt) for prompt in view.prompts for case in prompt.case_details)
    share = page_budget.share(view, sum(map(page_budget.row_size, rows)))
    table = case_table.plan(view, found, share.table)
    left = share.room(table.bytes)
    drawn = _drawn(view, found, left)
    return Page(
        view=view,
        sections=tuple(_section(view, index, groups_, left) for index, groups_ in enumerate(drawn)),
        explorer=table,
    )


def _drawn(view: ReportView, found: Sequence[Sequence[Found]], left: Room) -> list[tuple[Group, ...]]:
    order = sorted(range(len(found)), key=lambda i: view.prompts[i].verdict not in ("fail", "error"))
    made: dict[tuple[int, str], Group] = {}
    for urgent in (True, False):
        for index in order:
            for kind, cases in found[index]:
                if kind.urgent is urgent:
                    made[index, kind.slug] = groups.group(view.prompts[index], kind, cases, left)
    return [tuple(made[index, kind.slug] for kind, _ in kinds) for index, kinds in enumerate(found)]


def _section(view: ReportView, index: int, drawn_groups: tuple[Group, ...], left: Room) -> Section:
    prompt = view.prompts[index]
    anchor = f"p{index + 1}"
    drawn = index < MOST_DRAWN
    concluded = prompt.verdict != "error"
    diff = tuple(line for line in prompt.diff if left.line(line))
    return Section(
        anchor=anchor,
        prompt=prompt,
        figures=tuple(metrics_table.table(prompt)),
        quality_chart=charts.quality(prompt, view.gate, f"{anchor}-quality") if drawn and concluded else None,
        latency_chart=charts.latency(prompt, f"{anchor}-latency") if drawn else None,
        groups=drawn_groups,
        matrices=tuple(metrics_table.matrices(prompt)),
        diff=diff,
        diff_left_out=len(prompt.diff) - len(diff),
    )
