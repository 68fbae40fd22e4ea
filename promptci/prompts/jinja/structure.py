"""Compare Jinja templates by what they mean: without comments, positions, and blanks inside tags."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from promptci.lazy_import import lazy_import
from promptci.prompts.jinja.parse import parse_template

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jinja2 import nodes
else:
    nodes = lazy_import("jinja2.nodes")

Structure = tuple[Any, ...]
"""A node of the syntax tree as plain values, so that it can be compared and be a key."""
_LOCAL = "local variable "
"""How the names of a loop's variables begin; no variable of a template can."""
_TAG = re.compile(r"\{%[-+]?\s*(?:if|elif|for)\b.*?%\}", re.DOTALL)

_NO_TAG = re.compile(r"\{#.*?#\}|\{%[-+]?\s*raw\b.*?endraw\s*[-+]?%\}", re.DOTALL)


def read_structure(text: str, names: Mapping[str, str]) -> tuple[Structure, ...]:
    """Return the statements of a template, with its variables under the names in `names` where they stand there."""
    return _read_body(parse_template(text).body, names)


def list_names(structure: object) -> Iterator[str]:
    """Yield the variables of a structure in the order in which they stand there."""
    if isinstance(structure, tuple):
        if structure[:1] == ("Name",):
            yield structure[1]
        else:
            for part in structure:
                yield from list_names(part)


def list_changed_conditions(text: str, other: str) -> list[str]:
    """Return the innermost tags of conditions and loops in a template that the other template does not have as such."""
    known = {_read_node(node, {}) for node in _find_conditions(parse_template(other))}
    conditions = list(_find_conditions(parse_template(text)))
    tags = _TAG.findall(_NO_TAG.sub("", text))
    if len(tags) != len(conditions):
        return []
    return list(
        dict.fromkeys(
            tag
            for tag, node in zip(tags, conditions, strict=True)
            if _read_node(node, {}) not in known
            if all(_read_node(child, {}) in known for child in _find_conditions(node) if child is not node)
        )
    )


def _find_conditions(node: nodes.Node) -> Iterator[nodes.Node]:
    """Yield conditions and loops in the order of their tags."""
    if isinstance(node, nodes.If | nodes.For):
        yield node
    yield from node.find_all((nodes.If, nodes.For))


def _read_body(body: list[nodes.Node], names: Mapping[str, str]) -> tuple[Structure, ...]:
    """Return statements as plain values; texts that only a comment parts are one."""
    parts: list[Structure] = []
    for node in body:
        for part in node.nodes if isinstance(node, nodes.Output) else (node,):
            structure = _read_node(part, names)
            if structure[0] == "TemplateData" and parts and parts[-1][0] == "TemplateData":
                structure = ("TemplateData", parts.pop()[1] + structure[1])
            parts.append(structure)
    return tuple(parts)


def _read_node(node: nodes.Node, names: Mapping[str, str]) -> Structure:
    match node:
        case nodes.Name():
            return ("Name", names.get(node.name, node.name))
        case nodes.TemplateData():
            return ("TemplateData", node.data)
        case nodes.For():
            # What is inside has names of its own: those of the loop come first.
            inner = {**names, **_name_targets(node.target, names)}
            test = None if node.test is None else _read_node(node.test, inner)
            return ("For", _read_node(node.target, inner), _read_node(node.iter, names), test,
                    _read_body(node.body, inner), _read_body(node.else_, names))  # fmt: skip
    fields = (_read_value(value, names) for name, value in node.iter_fields() if name != "ctx")
    return (type(node).__name__, *fields)


def _read_value(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, nodes.Node):
        return _read_node(value, names)
    if isinstance(value, list):
        return _read_body(value, names)
    return repr(value)


def _name_targets(target: nodes.Node, names: Mapping[str, str]) -> dict[str, str]:
    """Return names for the variables of a loop that do not depend on how they are written, and are not taken yet."""
    first = 1 + max((int(name[len(_LOCAL) :]) for name in names.values() if name.startswith(_LOCAL)), default=0)
    targets = [target, *target.find_all(nodes.Name)]
    written = dict.fromkeys(node.name for node in targets if isinstance(node, nodes.Name))
    return {name: f"{_LOCAL}{number}" for number, name in enumerate(written, start=first)}
