"""The one template environment: an unknown name is an error, and nothing goes out unescaped unless we wrote it."""

from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_eval_context, select_autoescape
from jinja2.nodes import EvalContext
from markupsafe import Markup

from promptci.files import packaged
from promptci.report import comparability, earlier, escape, filters, judging, phrases

NUMBERS = (
    filters.percent,
    filters.change,
    filters.points,
    filters.signed_points,
    filters.money,
    filters.signed_money,
    filters.duration,
    filters.p_value,
    filters.number,
    filters.count,
    filters.short_sha,
)
TEXTS = (escape.one_line, escape.code, escape.fence, escape.summary_text, escape.shorten)


@cache
def environment() -> Environment:
    """Give the environment over the folder `templates`, in the source tree or in the installed package.

    `*.html.j2` is escaped for HTML, `*.md.j2` for Markdown; both show invisible characters as escapes.
    """
    made = Environment(
        loader=FileSystemLoader(packaged.folder("templates")),
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update({function.__name__: function for function in NUMBERS})
    made.filters.update({function.__name__: function for function in TEXTS})
    made.filters["prose"] = _prose
    made.globals["say"] = phrases
    made.globals["comparability"] = comparability.rows
    made.globals["earlier"] = earlier
    made.globals["judging"] = judging
    return made


@pass_eval_context
def _harmless(context: EvalContext, value: Any) -> Any:
    """Treat everything that a template puts out; text that we escaped or wrote has a type of its own."""
    if isinstance(value, Markup | escape.Ready):
        return value
    if context.autoescape:
        return escape.visible(value) if isinstance(value, str) else value
    return escape.inline(str(value))


@pass_eval_context
def _prose(context: EvalContext, text: str) -> Markup | escape.Ready:
    return escape.prose_html(text) if context.autoescape else escape.prose(text)


def asset(name: str) -> Markup:
    """Give one of our own assets, style or script, to stand in a page as it is."""
    text = (packaged.folder("templates") / "assets" / name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - a file of ours, which holds nothing of others
