"""The one template environment: an unknown name is an error, and nothing goes out unescaped unless we wrote it."""

from collections.abc import Callable, Iterator
from functools import cache
from types import ModuleType, SimpleNamespace
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined, pass_eval_context, select_autoescape
from jinja2.nodes import EvalContext
from jinja2.runtime import BlockReference, Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from pydantic import BaseModel

from promptci.files import packaged
from promptci.present import drawing, escape, formatting
from promptci.present.compiled_templates import CompiledTemplates
from promptci.report.build import comparability_view, judge_view
from promptci.report.html import class_table, line_diff
from promptci.report.text import history_text, next_steps, number_text, provenance

NUMBERS = (
    formatting.percent,
    formatting.change,
    formatting.points,
    formatting.signed_points,
    formatting.bare_points,
    formatting.money,
    formatting.signed_money,
    formatting.duration,
    formatting.p_value,
    formatting.number,
    formatting.tokens,
    formatting.count,
    formatting.short_sha,
)
TEXTS = (escape.one_line, escape.code, escape.fence, escape.summary_text, escape.shorten)
MODULES = {"say": number_text, "earlier": history_text, "judging": judge_view, "steps": next_steps}
"""What templates call by a module's name."""
PAGES = {"classes": class_table, "drawing": drawing, "linediff": line_diff, "provenance": provenance}
"""What pages call besides: tables and small drawings."""
ESCAPING = ("safe", "e", "escape", "forceescape", "urlize", "xmlattr", "tojson")
"""Filters that give text the standing of markup; a template of others has none of them."""


@cache
def environment() -> Environment:
    """Give the environment over the folder `templates`, in the source tree or in the installed package.

    `*.html.j2` is escaped for HTML, `*.md.j2` for Markdown; both show invisible characters as escapes.
    """
    made = Environment(
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        finalize=_harmless,
        bytecode_cache=CompiledTemplates(),
        **_shape(),
    )
    _furnish(made)
    made.globals.update(MODULES | PAGES)
    return made


def sandboxed() -> Environment:
    """Give an environment for a Markdown template that a user wrote: it sees our views and words and nothing behind.

    Whatever it puts out is escaped, however it asks for it; only what it writes itself stands as it is.
    """
    made = _Sandbox(autoescape=False, finalize=_ready_or_escaped, **_shape())
    _furnish(made)
    for name in ESCAPING:
        del made.filters[name]
    made.globals.update({name: _functions(module) for name, module in MODULES.items()})
    return made


class _Block(BlockReference):
    """What `super()` gives: text that was escaped piece by piece as it was put out, and is not to be escaped again."""

    def __call__(self) -> escape.Ready:
        """Draw the block."""
        return escape.Ready(super().__call__())


class _Context(Context):
    """Jinja's, but for what `super()` gives."""

    def super(self, name: str, current: Callable[[Context], Iterator[str]]) -> BlockReference | Undefined:
        """Give the block that this one stands in the place of."""
        blocks = self.blocks[name]
        depth = blocks.index(current) + 1
        if depth >= len(blocks):
            return super().super(name, current)
        return _Block(name, self, blocks, depth)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's, which also keeps a template to the fields of our views.

    pydantic's own methods are not for it: `parse_raw` unpickles what it is given.
    """

    context_class = _Context

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Whether a template may look at this attribute."""
        if isinstance(obj, BaseModel) and attr not in type(obj).model_fields:
            return False
        return super().is_safe_attribute(obj, attr, value)


def _shape() -> dict[str, Any]:
    return {
        "loader": FileSystemLoader(packaged.find_packaged_folder("templates")),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": True,
    }


def _furnish(made: Environment) -> None:
    made.filters.update({function.__name__: function for function in NUMBERS})
    made.filters.update({function.__name__: function for function in TEXTS})
    made.filters["prose"] = _prose
    made.globals["comparability"] = comparability_view.rows


def _functions(module: ModuleType) -> SimpleNamespace:
    """Give a module's own public functions; through the module itself everything it imports could be reached."""
    own = {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and value.__module__ == module.__name__
    }
    return SimpleNamespace(**own)


def _ready_or_escaped(value: Any) -> escape.Ready:
    return value if isinstance(value, escape.Ready) else escape.inline(str(value))


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
    text = (packaged.find_packaged_folder("templates") / "assets" / name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - a file of ours, which holds nothing of others
