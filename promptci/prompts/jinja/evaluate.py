"""Fill a case's variables into a Jinja template, step by step and within a budget of steps and characters."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.prompts.jinja.expressions import Expressions, Undefined, UndefinedVariableError, to_text
from promptci.prompts.jinja.filters import MAX_CHARS, TemplateError
from promptci.prompts.jinja.parse import parse_template

if TYPE_CHECKING:
    from jinja2 import nodes
else:
    nodes = lazy_import("jinja2.nodes")


def fill(text: str, variables: Mapping[str, Any], max_chars: float = math.inf, *, like_script: bool = False) -> str:
    """Return the template's text; `like_script` writes values as JavaScript does: `true`, and nothing for null.

    Raises
    ------
    UndefinedVariableError
        For the first variable without a value that is used other than to ask whether it has one.
    TemplateError
        Where an expression makes no sense, or the template takes too many steps or characters.
    """
    evaluator = _Evaluator(scopes=[dict(variables)], max_chars=min(max_chars, MAX_CHARS), like_script=like_script)
    try:
        evaluator.run(parse_template(text).body)
    except RecursionError:
        raise TemplateError("the template is nested too deeply") from None
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, StopIteration) as error:
        raise TemplateError(f"line {evaluator.line}: {error}") from None
    return "".join(evaluator.texts)


@dataclass(slots=True)
class _Evaluator(Expressions):
    """One template while it is filled in."""

    max_chars: float = MAX_CHARS
    like_script: bool = False
    """Write values as JavaScript does."""
    texts: list[str] = field(default_factory=list)
    chars: int = 0

    def run(self, body: "list[nodes.Node]") -> None:
        """Write what statements write."""
        for node in body:
            self.line = node.lineno or self.line
            if isinstance(node, nodes.Output):
                for part in node.nodes:
                    value = part.data if isinstance(part, nodes.TemplateData) else self.value_of(part)
                    self.write(_to_script_text(value) if self.like_script else to_text(value))
            elif isinstance(node, nodes.If):
                self.run(self.choose(node))
            elif isinstance(node, nodes.For):
                self.loop(node)
            elif isinstance(node, nodes.Assign):
                self.assign(node.target, self.value_of(node.node))
            elif isinstance(node, nodes.With):
                values = [self.value_of(value) for value in node.values]
                self.scopes.append({})
                for target, value in zip(node.targets, values, strict=True):
                    self.assign(target, value)
                self.run(node.body)
                self.scopes.pop()

    def write(self, text: str) -> None:
        self.spend(text)
        self.chars += len(text)
        if self.chars > self.max_chars:
            raise TemplateError(f"the message has more than {self.max_chars:,} characters once it is filled in")
        self.texts.append(text)

    def choose(self, node: "nodes.If") -> "list[nodes.Node]":
        for branch in (node, *node.elif_):
            if self.value_of(branch.test):
                return branch.body
        return node.else_

    def loop(self, node: "nodes.For") -> None:
        items = []
        for item in _iterate(self.value_of(node.iter)):
            self.spend()
            if node.test is not None:
                self.scopes.append({})
                self.assign(node.target, item)
                is_wanted = self.value_of(node.test)
                self.scopes.pop()
                if not is_wanted:
                    continue
            items.append(item)
        for index in range(len(items)):
            self.scopes.append({"loop": _loop_variable(items, index)})
            self.assign(node.target, items[index])
            self.run(node.body)
            self.scopes.pop()
        if not items:
            self.run(node.else_)

    def assign(self, target: "nodes.Node", value: Any) -> None:
        if isinstance(target, nodes.Name):
            self.scopes[-1][target.name] = value
        elif isinstance(target, nodes.Tuple):
            values = list(_iterate(value))
            for item, part in zip(target.items, values, strict=True):
                self.assign(item, part)
        else:
            raise TemplateError(f"line {self.line}: only names can be set")


def _iterate(value: Any) -> Iterator[Any]:
    if isinstance(value, Undefined):
        raise UndefinedVariableError(value.name)
    return iter(value)


def _loop_variable(items: list[Any], index: int) -> dict[str, Any]:
    count = len(items)
    neighbours = {
        name: items[place] for name, place in (("previtem", index - 1), ("nextitem", index + 1)) if 0 <= place < count
    }
    numbers = {"index": index + 1, "index0": index, "revindex": count - index, "revindex0": count - index - 1}
    return {**numbers, **neighbours, "length": count, "first": index == 0, "last": index == count - 1, "depth": 1}


def _to_script_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else to_text(value)
