"""Parse Jinja templates with Jinja's own parser, and name what of them promptci does not fill in."""

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import
from promptci.prompts.jinja.filters import FILTERS, METHODS, TESTS

if TYPE_CHECKING:
    import jinja2
    from jinja2 import nodes
else:
    jinja2 = lazy_import("jinja2")
    nodes = lazy_import("jinja2.nodes")

MAX_TEMPLATE_CHARS = 2**18
MAX_PROBLEMS = 20
NODES = frozenset((
    "Template", "Output", "TemplateData", "If", "For", "Assign", "With", "Name", "Const", "Getattr", "Getitem", "Slice",
    "Filter", "Test", "Call", "Compare", "Operand", "Not", "And", "Or", "CondExpr", "Concat", "List", "Tuple", "Dict",
    "Pair", "Keyword", "Neg", "Pos", "Add", "Sub", "Mul", "Div", "FloorDiv", "Mod",
))  # fmt: skip
"""Kinds of nodes that are evaluated."""
SPELLINGS = {
    "Macro": "{% macro %}", "CallBlock": "{% call %}", "FilterBlock": "{% filter %}", "Block": "{% block %}",
    "Extends": "{% extends %}", "Import": "{% import %}", "FromImport": "{% from … import %}", "Pow": "**",
    "Include": "{% include %} of anything but a file in quotes", "AssignBlock": "{% set %} without `=`",
}  # fmt: skip


@lru_cache(maxsize=256)
def parse_template(text: str) -> "nodes.Template":
    """Return the syntax tree of a template, which was found to have no problems."""
    return jinja2.Environment(autoescape=False).parse(text)


def find_problems(text: str) -> list[tuple[int, str]]:
    """Return the line and what is wrong there, for each thing that promptci cannot fill in."""
    if len(text) > MAX_TEMPLATE_CHARS:
        return [(1, f"a Jinja template with its includes is limited to {MAX_TEMPLATE_CHARS:,} characters")]
    try:
        problems = []
        for node in _walk(parse_template(text)):
            message = _find_unsupported(node)
            if message is not None:
                problems.append((node.lineno or 1, message))
        return list(dict.fromkeys(problems))[:MAX_PROBLEMS]
    except jinja2.TemplateSyntaxError as error:
        return [(error.lineno, f"not a Jinja template: {error.message}")]
    except (RecursionError, MemoryError, ValueError, OverflowError):
        return [(1, "the Jinja template is nested too deeply, or has a number that is too long")]


def find_variables(text: str) -> set[str]:
    """Return the names that a template takes from the case."""
    loaded, stored = set[str](), {"loop", "range"}
    for node in _walk(parse_template(text)):
        if isinstance(node, nodes.Name):
            (loaded if node.ctx == "load" else stored).add(node.name)
    return loaded - stored


def find_printed_variables(text: str) -> set[str]:
    """Return the names that a template writes or goes through, where it has no default for them."""
    printed: set[str] = set()
    all_nodes = list(_walk(parse_template(text)))
    unvisited: list[nodes.Node] = [node for node in all_nodes if isinstance(node, nodes.Output)]
    unvisited += [node.iter for node in all_nodes if isinstance(node, nodes.For)]
    while unvisited:
        node = unvisited.pop()
        if isinstance(node, nodes.Filter) and node.name in {"default", "d"}:
            continue
        if isinstance(node, nodes.Name):
            printed.add(node.name)
        unvisited.extend(node.iter_child_nodes())
    return printed & find_variables(text)


def _walk(node: "nodes.Node") -> Iterator["nodes.Node"]:
    pending = [node]
    while pending:
        current = pending.pop()
        yield current
        pending.extend(current.iter_child_nodes())


def _find_unsupported(node: "nodes.Node") -> str | None:
    kind = type(node).__name__
    if kind not in NODES:
        return f"`{SPELLINGS.get(kind, kind)}` is not supported"
    if isinstance(node, nodes.Filter) and node.name not in FILTERS:
        return f"the filter `{node.name}` is not supported"
    if isinstance(node, nodes.Test) and node.name not in TESTS:
        return f"the test `is {node.name}` is not supported"
    if isinstance(node, nodes.Filter | nodes.Test | nodes.Call) and (node.dyn_args or node.dyn_kwargs):
        return "`*` and `**` in arguments are not supported"
    if isinstance(node, nodes.For) and node.recursive:
        return "a recursive loop is not supported"
    if isinstance(node, nodes.Filter) and node.node is None:
        return "a filter without a value is not supported"
    return _find_unsupported_call(node) if isinstance(node, nodes.Call) else None


def _find_unsupported_call(node: "nodes.Call") -> str | None:
    target = node.node
    if isinstance(target, nodes.Getattr) and target.attr in METHODS and not node.kwargs:
        return None
    if isinstance(target, nodes.Name) and target.name == "range" and not node.kwargs:
        return None
    name = getattr(target, "attr", getattr(target, "name", "…"))
    return f"the call `{name}(…)` is not supported"
