"""ReportView -> report.html: one file, complete without a script, that asks nothing of anybody."""

import base64
import hashlib

from markupsafe import Markup

from promptci.present import templates
from promptci.report.html import groups, page, page_budget
from promptci.report.model import document
from promptci.report.model.report import ReportView

STYLES = ("report.css", "explorer.css")
SCRIPTS = ("report.js", "packed.js", "worddiff.js", "opened.js", "explorer.js")
"""In this order: what stands in one is known to those after it."""


def render(view: ReportView) -> str:
    """Give the page. The same view gives the same bytes."""
    style, script = _assets(*STYLES), _assets(*SCRIPTS)
    template = templates.environment().get_template("html/report.html.j2")
    return template.render(
        page=page.plan(view),
        digest=document.digest(view),
        view=view,
        style=style,
        script=script,
        policy=content_policy(style, script),
        limits=page_budget,
        result=groups.result,
        fared=groups.fared,
    )


def content_policy(style: Markup, script: Markup) -> str:
    """Give the policy that the browser enforces: this style, this script, and nothing from anywhere."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}';"
        " img-src 'none'; connect-src 'none'; base-uri 'none'; form-action 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"  # no text becomes markup, whatever a script does
    )


def _assets(*names: str) -> Markup:
    return Markup("").join(map(templates.asset, names))


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
