"""ReportView -> the pull request comment and the step summary; whole sections are left out until it fits."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from urllib.parse import quote

from jinja2 import Template

from promptci.lazy_dataclass import dataclass
from promptci.present import escape
from promptci.report import templates
from promptci.report.model.report import PromptView, ReportView

MAX_COMMENT_BYTES = 60_000
"""GitHub takes 65,536 characters; a limit in UTF-8 bytes with some reserve holds for every way of counting."""
MAX_SUMMARY_BYTES = 900 * 1024
"""GitHub takes 1 MiB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DetailLevel:
    """How much a comment shows."""

    passing: bool = True
    improved: bool = True
    costs: bool = True
    cases: int = 5
    """Broken cases of a prompt."""
    unfolded: bool = False
    """Whether these are unfolded: a summary has a page of its own, a comment is read in ten seconds."""
    text: int = 800
    """Characters of an answer."""
    prompts: int = 100
    """Prompts that are shown."""
    left_out: tuple[str, ...] = ()
    """What is left out to fit, as text."""


def _levels(full: DetailLevel) -> Iterator[DetailLevel]:
    """Return ever lower levels: without passing prompts, then fixed cases, then costs, then most broken cases."""
    yield full
    left_out: tuple[str, ...] = ()
    steps: Sequence[tuple[str, dict[str, object]]] = (
        ("passing prompts", {"passing": False}),
        ("fixed cases", {"improved": False}),
        ("cost and latency in detail", {"costs": False}),
        ("most broken cases", {"cases": min(full.cases, 20)}),
        ("most broken cases", {"cases": min(full.cases, 5)}),
        ("most broken cases", {"cases": 3, "text": 400}),
        ("", {"cases": 1, "text": 200, "prompts": 50}),
        ("", {"cases": 0, "prompts": 20}),
        ("", {"prompts": 5}),
    )
    level = full
    for name, changes in steps:
        lower = replace(level, **changes)  # type: ignore[arg-type]  # the names are a few lines above
        if lower == level:  # a comment never had so many cases
            continue
        left_out = (*left_out, name) if name and name not in left_out else left_out
        level = replace(lower, left_out=left_out)
        yield level


def render_comment(
    view: ReportView,
    marker: str | None = None,
    report_link: str | None = None,
    *,
    spare: int = 0,
    template: Template | None = None,
) -> str:
    """Render the pull request comment, at most 60,000 bytes of UTF-8.

    Parameters
    ----------
    view
        The run.
    marker
        First line, such as an HTML comment by which the comment is recognised; not escaped.
    report_link
        Address of the full report; None without one.
    spare
        Bytes to leave for what is put around the text.
    template
        A user's template instead of ours; if it is too long at its shortest, the verdict alone is shown by ours.
    """
    for show in _levels(DetailLevel()):
        text = _render(view, show, marker, report_link, template=template)
        if len(text.encode()) <= MAX_COMMENT_BYTES - spare:
            return text
    return render_short_comment(view, marker, report_link)


def render_short_comment(view: ReportView, marker: str | None = None, report_link: str | None = None) -> str:
    """Render the verdict and the link alone, for when nothing longer fits."""
    return _page("short.md.j2", view, marker, report_link, show=DetailLevel())


def render_summary(view: ReportView, *, max_bytes: int = MAX_SUMMARY_BYTES) -> str:
    """Render the step summary: a longer comment, at most 900 KiB of UTF-8."""
    for show in _levels(DetailLevel(cases=200, unfolded=True, text=4000, prompts=500)):
        text = _render(view, show, None, None)
        if len(text.encode()) <= max_bytes:
            return text
    return render_short_comment(view)


def _render(
    view: ReportView,
    show: DetailLevel,
    marker: str | None,
    report_link: str | None,
    *,
    template: Template | None = None,
) -> str:
    troubled = [p for p in view.prompts if p.verdict not in ("pass", "no-change")][: show.prompts]
    return _page(
        template or "comment.md.j2",
        view,
        marker,
        report_link,
        show=show,
        passing=[p for p in view.prompts if p.verdict in ("pass", "no-change")][: show.prompts],
        **_prompt_variables(view, troubled, show),
    )


def _prompt_variables(view: ReportView, troubled: Sequence[PromptView], show: DetailLevel) -> dict[str, object]:
    """Return what the templates of prompts and cases need; a comment without a prompt loads nothing of it."""
    if not view.prompts:
        return {"highlights": []}
    from promptci.report.markdown import highlights
    from promptci.report.text import metrics
    from promptci.report.text.cases import case_highlights, case_outcomes

    return {
        "highlights": case_highlights.order_highlights(
            [case_highlights.choose_highlights(prompt, show.cases) for prompt in troubled]
        ),
        "find_typical": case_highlights.find_typical,
        "confusions": case_highlights.describe_confusions,
        "shared_failures": case_highlights.describe_shared_failures,
        "describe_outcome": case_outcomes.describe_outcome,
        "render_case": highlights.render_case,
        "metrics": metrics.build_metrics,
    }


def _page(
    page: Template | str, view: ReportView, marker: str | None, report_link: str | None, **variables: object
) -> str:
    template = templates.environment().get_template(f"markdown/{page}") if isinstance(page, str) else page
    return template.render(
        view=view,
        marker=None if marker is None else escape.Ready(marker),
        link=None if report_link is None else _address(report_link),
        **variables,
    )


def _address(url: str) -> escape.Ready:
    """Quote an address so that it cannot end the brackets around it."""
    return escape.Ready(quote(url, safe="%:/?#@!$&'*+,;=-._~"))
