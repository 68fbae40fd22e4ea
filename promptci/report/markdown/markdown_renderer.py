"""ReportView -> the pull request's comment and the step summary: whole sections are left out until it fits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote

from jinja2 import Template

from promptci.present import escape, templates
from promptci.report.html import groups, metrics_table
from promptci.report.markdown import highlights
from promptci.report.model.report import ReportView

COMMENT_BYTES = 60_000
"""GitHub takes 65,536 characters; in UTF-8 bytes with some room, every way of counting is satisfied."""
SUMMARY_BYTES = 900 * 1024
"""GitHub takes 1 MiB."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Show:
    """How much is said."""

    passing: bool = True
    improved: bool = True
    costs: bool = True
    cases: int = 5
    """Broken cases of a prompt, folded."""
    unfolded: bool = False
    """Whether they are open at first: a summary has a page of its own, a comment is read in ten seconds."""
    text: int = 800
    """Characters of an answer."""
    prompts: int = 100
    """Lines of the table, and prompts spoken of."""
    left_out: tuple[str, ...] = ()
    """What is not said for want of room, in words."""


def _levels(full: Show) -> Iterator[Show]:
    """Give ever shorter versions: passing prompts go first, then what improved, then costs, then broken cases."""
    yield full
    said: tuple[str, ...] = ()
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
    show = full
    for what, fields in steps:
        shorter = replace(show, **fields)  # type: ignore[arg-type]  # the names stand a few lines above
        if shorter == show:  # a comment never had so many cases
            continue
        said = (*said, what) if what and what not in said else said
        show = replace(shorter, left_out=said)
        yield show


def comment(
    view: ReportView,
    marker: str | None = None,
    report_link: str | None = None,
    *,
    spare: int = 0,
    template: Template | None = None,
) -> str:
    """Give the pull request's comment, at most 60,000 bytes of UTF-8.

    Parameters
    ----------
    view
        The run.
    marker
        A line of our own, such as an HTML comment, by which the comment is found again; put first as it is.
    report_link
        Address of the full report; None where there is none to link to.
    spare
        Bytes to leave for what others put around the text.
    template
        A user's, in place of ours; where it is too long at its shortest, ours says the verdict.
    """
    for show in _levels(Show()):
        text = _render(view, show, marker, report_link, template=template)
        if len(text.encode()) <= COMMENT_BYTES - spare:
            return text
    return short_comment(view, marker, report_link)


def short_comment(view: ReportView, marker: str | None = None, report_link: str | None = None) -> str:
    """Give the verdict and the link alone: what is left when nothing longer is taken."""
    return _page("short.md.j2", view, marker, report_link, show=Show())


def summary(view: ReportView) -> str:
    """Give the step summary: the comment at greater length, at most 900 KiB of UTF-8."""
    for show in _levels(Show(cases=200, unfolded=True, text=4000, prompts=500)):
        text = _render(view, show, None, None)
        if len(text.encode()) <= SUMMARY_BYTES:
            return text
    return short_comment(view)


def _render(
    view: ReportView, show: Show, marker: str | None, report_link: str | None, *, template: Template | None = None
) -> str:
    spoken = [p for p in view.prompts if p.verdict not in ("pass", "no-change")][: show.prompts]
    return _page(
        template or "comment.md.j2",
        view,
        marker,
        report_link,
        show=show,
        troubled=[highlights.choose(prompt, show.cases) for prompt in spoken],
        passing=[p for p in view.prompts if p.verdict in ("pass", "no-change")][: show.prompts],
    )


def _page(page: Template | str, view: ReportView, marker: str | None, report_link: str | None, **more: object) -> str:
    template = templates.environment().get_template(f"markdown/{page}") if isinstance(page, str) else page
    return template.render(
        view=view,
        marker=None if marker is None else escape.Ready(marker),
        link=None if report_link is None else _address(report_link),
        fared=groups.fared,
        block=highlights.block,
        figures=metrics_table.table,
        **more,
    )


def _address(url: str) -> escape.Ready:
    """Give an address that cannot leave the brackets it stands in."""
    return escape.Ready(quote(url, safe="%:/?#@!$&'*+,;=-._~"))
