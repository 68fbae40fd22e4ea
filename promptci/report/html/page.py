"""Decide what the HTML page shows and how much of it, so that templates hold words only and 50,000 cases still open."""

from collections.abc import Sequence

from markupsafe import Markup

from promptci.lazy_dataclass import dataclass
from promptci.report.html import case_table, class_table, groups, prompt_charts
from promptci.report.html.case_table import CaseTable
from promptci.report.html.class_table import ConfusionMatrix
from promptci.report.html.groups import CaseGroup, KindWithCases
from promptci.report.html.page_budget import MAX_CHARTED_PROMPTS, MAX_PAGE_BYTES, PageBudget
from promptci.report.model.report import DiffLineView, PromptView, ReportView
from promptci.report.text import metrics, number_text
from promptci.report.text.metrics import Metric


@dataclass(frozen=True, kw_only=True, slots=True)
class PromptPageSection:
    """The section of one prompt."""

    anchor: str
    prompt: PromptView
    metrics: tuple[Metric, ...]
    quality_chart: Markup | None
    latency_chart: Markup | None
    score_chart: Markup | None
    earlier_versions_chart: Markup | None
    groups: tuple[CaseGroup, ...]
    matrices: tuple[ConfusionMatrix, ...]
    diff: tuple[DiffLineView, ...]
    diff_left_out: int
    """Lines that are not shown."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReportPage:
    """The whole page."""

    view: ReportView
    sections: tuple[PromptPageSection, ...]
    case_table: CaseTable


def build_page(view: ReportView, max_bytes: int = MAX_PAGE_BYTES) -> ReportPage:
    """Build the page within `max_bytes`.

    Space goes to urgent cases first (broken, fixed, missing), those of failing prompts before others, then to the diffs
    and the other cases. The table of all cases gets the rest.
    """
    budget = PageBudget.for_page(len(view.prompts), max_bytes)
    grouped = [groups.group_cases(prompt) for prompt in view.prompts]
    groups_by_prompt = _build_groups(view, grouped, budget)
    sections = tuple(_build_section(view, index, groups_, budget) for index, groups_ in enumerate(groups_by_prompt))
    return ReportPage(view=view, sections=sections, case_table=case_table.build_case_table(view, grouped, budget.total))


def _build_groups(
    view: ReportView, grouped: Sequence[Sequence[KindWithCases]], budget: PageBudget
) -> list[tuple[CaseGroup, ...]]:
    worst_first = sorted(range(len(grouped)), key=lambda i: view.prompts[i].verdict not in ("fail", "error"))
    built: dict[tuple[int, str], CaseGroup] = {}
    for urgent in (True, False):
        for index in worst_first:
            for kind, cases in grouped[index]:
                if kind.urgent is urgent:
                    built[index, kind.slug] = groups.build_group(view.prompts[index], kind, cases, budget)
    return [tuple(built[index, kind.slug] for kind, _ in kinds) for index, kinds in enumerate(grouped)]


def _build_section(
    view: ReportView, index: int, prompt_groups: tuple[CaseGroup, ...], budget: PageBudget
) -> PromptPageSection:
    prompt = view.prompts[index]
    anchor = f"p{index + 1}"
    charted = index < MAX_CHARTED_PROMPTS
    concluded = number_text.is_measured(prompt)
    diff = tuple(line for line in prompt.diff if budget.take_diff_line(line))
    return PromptPageSection(
        anchor=anchor,
        prompt=prompt,
        metrics=tuple(metrics.build_metrics(prompt)),
        quality_chart=prompt_charts.quality_chart(prompt, prompt.gate or view.gate, f"{anchor}-quality")
        if charted and concluded
        else None,
        latency_chart=prompt_charts.latency_chart(prompt, f"{anchor}-latency") if charted else None,
        score_chart=prompt_charts.score_chart(prompt, f"{anchor}-scores") if charted else None,
        earlier_versions_chart=prompt_charts.earlier_versions_chart(prompt, f"{anchor}-memory") if charted else None,
        groups=prompt_groups,
        matrices=tuple(class_table.confusion_matrices(prompt)),
        diff=diff,
        diff_left_out=len(prompt.diff) - len(diff),
    )
