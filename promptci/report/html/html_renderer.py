"""ReportView -> report.html: one file that works without its script and makes no request."""

from markupsafe import Markup

from promptci.present.content_policy import content_policy
from promptci.report import templates
from promptci.report.html.assets import SCRIPTS, STYLES, read_assets
from promptci.report.model import document
from promptci.report.model.report import ReportView
from promptci.report.text import provenance


def render_page(view: ReportView, digest: str | None = None, max_bytes: int | None = None) -> str:
    """Render the page. The same view gives the same bytes.

    Parameters
    ----------
    view
        The run.
    digest
        SHA-256 of its report.json; None: computed here.
    max_bytes
        Size of the page at most; None: 20 MB.
    """
    style, script = _assets(*STYLES), _assets(*SCRIPTS)
    return (
        templates.environment()
        .get_template("html/report.html.j2")
        .render(
            digest=digest or document.serialize(view).digest,
            view=view,
            style=style,
            script=script,
            policy=content_policy(style, script),
            provenance=provenance,
            **_prompt_variables(view, max_bytes),
        )
    )


def _prompt_variables(view: ReportView, max_bytes: int | None) -> dict[str, object]:
    """Return what the templates of prompts and cases need; a page without a prompt loads nothing of it."""
    if not view.prompts:
        return {"page": None}
    from promptci.report.html import class_table, line_diff, page, page_budget, paper, prompt_charts
    from promptci.report.text.cases import answer_difference, case_outcomes

    return {
        "page": page.build_page(view, max_bytes or page_budget.MAX_PAGE_BYTES),
        "limits": page_budget,
        "paper": paper,
        "repeats_expectation": answer_difference.repeats_expectation,
        "charts": prompt_charts,
        "class_table": class_table,
        "line_diff": line_diff,
        "outcomes": case_outcomes,
    }


def _assets(*names: str) -> Markup:
    return Markup(read_assets(*names))  # noqa: S704 - files of ours
