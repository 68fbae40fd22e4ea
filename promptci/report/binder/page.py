"""AuditBinder -> HTML: one page that makes no request, for a reader, a printer and an archive."""

from markupsafe import Markup

from promptci.present.content_policy import content_policy
from promptci.report import templates
from promptci.report.binder.document import NOT_RECORDED, AuditBinder
from promptci.report.html import line_diff
from promptci.report.text.number_text import moment

SLUGS = {"released": "good", "in production": "good", "blocked": "bad", "rolled back": "bad", "checked": "mute"}


def render_page(binder: AuditBinder) -> str:
    """Render the page: it has no script, and is whole on paper."""
    style = templates.read_asset("report.css") + templates.read_asset("binder.css")
    script = Markup("")
    return (
        templates.environment()
        .get_template("html/binder.html.j2")
        .render(
            binder=binder,
            line_diff=line_diff,
            moment=moment,
            not_recorded=NOT_RECORDED,
            slug=find_slug,
            style=style,
            script=script,
            policy=content_policy(style, script),
        )
    )


def find_slug(outcome: str) -> str:
    """Return the icon and colour of an outcome."""
    return next((slug for word, slug in SLUGS.items() if outcome.startswith(word)), "mute")
