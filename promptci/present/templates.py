"""Jinja environments over the folder `templates`: unknown names are errors, and all text of others is escaped."""

from collections.abc import Callable, Iterator
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Undefined, pass_eval_context, select_autoescape
from jinja2.nodes import EvalContext
from jinja2.runtime import BlockReference, Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from pydantic import BaseModel

from promptci.files import packaged
from promptci.present import escape, formatting
from promptci.present.compiled_templates import CompiledTemplates

NUMBER_FILTERS = (
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
    formatting.short_digest,
)
TEXT_FILTERS = (escape.one_line, escape.code, escape.code_list, escape.fence, escape.summary_text, escape.shorten)
ESCAPING_FILTERS = ("safe", "e", "escape", "forceescape", "urlize", "xmlattr", "tojson")
"""Filters that turn text into markup; a template of others has none of them."""


def create_environment() -> Environment:
    """Create an environment for our own templates.

    `*.html.j2` is escaped for HTML, `*.md.j2` for Markdown; both show invisible characters as escapes.
    """
    environment = Environment(
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        finalize=_escape_output,
        bytecode_cache=CompiledTemplates(),
        **_options(),
    )
    _add_filters(environment)
    return environment


def create_sandbox() -> Environment:
    """Create an environment for a Markdown template that a user wrote.

    It sees the fields of our views and nothing behind them. All of its output is escaped; only the template's own text
    is left as it is.
    """
    environment = _Sandbox(autoescape=False, finalize=_escape_sandbox_output, **_options())
    _add_filters(environment)
    for name in ESCAPING_FILTERS:
        del environment.filters[name]
    return environment


class _EscapedBlock(BlockReference):
    """The result of `super()`: text that was escaped when it was put out, and must not be escaped twice."""

    def __call__(self) -> escape.Ready:
        """Render the block."""
        return escape.Ready(super().__call__())


class _SandboxContext(Context):
    """Jinja's context, with an escaped `super()`."""

    def super(self, name: str, current: Callable[[Context], Iterator[str]]) -> BlockReference | Undefined:
        """Return the block that `current` overrides."""
        blocks = self.blocks[name]
        depth = blocks.index(current) + 1
        if depth >= len(blocks):
            return super().super(name, current)
        return _EscapedBlock(name, self, blocks, depth)


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, limited to the fields of our views.

    The methods of pydantic are out of reach: `parse_raw`, for one, can unpickle its argument.
    """

    context_class = _SandboxContext

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Return whether a template may read this attribute."""
        if isinstance(obj, BaseModel) and attr not in type(obj).model_fields:
            return False
        return super().is_safe_attribute(obj, attr, value)


def _options() -> dict[str, Any]:
    return {
        "loader": FileSystemLoader(packaged.find_packaged_folder("templates")),
        "undefined": StrictUndefined,
        "trim_blocks": True,
        "lstrip_blocks": True,
        "keep_trailing_newline": True,
    }


def _add_filters(environment: Environment) -> None:
    environment.filters.update({function.__name__: function for function in NUMBER_FILTERS})
    environment.filters.update({function.__name__: function for function in TEXT_FILTERS})
    environment.filters["prose"] = _prose


def _escape_sandbox_output(value: Any) -> escape.Ready:
    return value if isinstance(value, escape.Ready) else escape.inline(str(value))


@pass_eval_context
def _escape_output(context: EvalContext, value: Any) -> Any:
    """Escape what a template puts out; text that we escaped or wrote has a type of its own."""
    if isinstance(value, Markup | escape.Ready):
        return value
    if context.autoescape:
        return escape.visible(value) if isinstance(value, str) else value
    return escape.inline(str(value))


@pass_eval_context
def _prose(context: EvalContext, text: str) -> Markup | escape.Ready:
    return escape.prose_html(text) if context.autoescape else escape.prose(text)


def read_asset(name: str) -> Markup:
    """Return one of our own assets, style or script, to be put into a page."""
    text = (packaged.find_packaged_folder("templates") / "assets" / name).read_text(encoding="utf-8")
    return Markup(text)  # noqa: S704 - a file of ours
