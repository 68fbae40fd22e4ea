"""Values of the expressions of a Jinja template, within a budget of steps.

Values are those of JSON: nothing of them is called, and no attribute of a Python object can be reached.
"""

import operator
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import
from promptci.prompts.jinja.filters import FILTERS, MAX_CHARS, MAX_ITEMS, METHODS, TESTS, TemplateError

if TYPE_CHECKING:
    from jinja2 import nodes
else:
    nodes = lazy_import("jinja2.nodes")

MAX_STEPS = 200_000
CHARS_PER_STEP, ITEMS_PER_STEP = 1000, 10
"""A step more is counted for so many characters or items that an expression yields."""
MAX_NUMBER = 2**63

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "lteq": operator.le,
    "gt": operator.gt,
    "gteq": operator.ge,
    "in": lambda value, other: value in other,
    "notin": lambda value, other: value not in other,
}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mul": operator.mul,
    "Div": operator.truediv,
    "FloorDiv": operator.floordiv,
    "Mod": operator.mod,
}


class UndefinedVariableError(Exception):
    """A template uses a variable without a value; the text is its name."""


@dataclass(frozen=True, slots=True)
class Undefined:
    """Stands for a value that is not there, where a template may ask about it."""

    name: str

    def __bool__(self) -> bool:
        return False


@dataclass(slots=True)
class Expressions:
    """Evaluates expressions over the scopes of a template."""

    scopes: list[dict[str, Any]]
    steps: int = 0
    line: int = 1

    def spend(self, value: Any = "") -> None:
        """Count a step, and more for a long text or list."""
        size = len(value) if isinstance(value, str | list | tuple | Mapping) else 0
        self.steps += 1 + size // (CHARS_PER_STEP if isinstance(value, str) else ITEMS_PER_STEP)
        if self.steps > MAX_STEPS or size > MAX_CHARS:
            raise TemplateError(f"line {self.line}: the template takes more than {MAX_STEPS:,} steps to fill in")

    def value_of(self, node: "nodes.Node") -> Any:
        """Return the value of an expression."""
        value = self.evaluate(node)
        self.spend(value)
        return value

    def defined(self, node: "nodes.Node") -> Any:
        """Return the value of an expression; raise UndefinedVariableError where there is none."""
        value = self.value_of(node)
        if isinstance(value, Undefined):
            raise UndefinedVariableError(value.name)
        return value

    def evaluate(self, node: "nodes.Node") -> Any:
        """Return the value of an expression, or Undefined, without counting it."""
        kind = type(node).__name__
        if kind in ARITHMETIC:
            return calculate(kind, self.defined(node.left), self.defined(node.right))  # type: ignore[attr-defined]
        match node:
            case nodes.Const():
                return node.value
            case nodes.Name():
                return next((s[node.name] for s in reversed(self.scopes) if node.name in s), Undefined(node.name))
            case nodes.Getattr() | nodes.Getitem():
                return self.get_item(node)
            case nodes.Filter() | nodes.Test() | nodes.Call():
                return self.apply(node)
            case nodes.And():
                return self.value_of(node.left) and self.value_of(node.right)
            case nodes.Or():
                return self.value_of(node.left) or self.value_of(node.right)
            case nodes.Not():
                return not self.value_of(node.node)
            case nodes.Compare():
                return self.compare(node)
            case nodes.CondExpr():
                chosen = node.expr1 if self.value_of(node.test) else node.expr2
                return "" if chosen is None else self.value_of(chosen)
            case nodes.Concat():
                return concatenate([to_text(self.defined(part)) for part in node.nodes])
            case nodes.List():
                return [self.value_of(item) for item in node.items]
            case nodes.Tuple():
                return tuple(self.value_of(item) for item in node.items)
            case nodes.Dict():
                return {self.defined(pair.key): self.value_of(pair.value) for pair in node.items}
            case nodes.Neg():
                return -self.defined(node.node)
            case nodes.Pos():
                return +self.defined(node.node)
        raise TemplateError(f"line {self.line}: `{kind}` is not supported")

    def compare(self, node: "nodes.Compare") -> bool:
        """Return whether a comparison holds."""
        left = self.value_of(node.expr)
        for operand in node.ops:
            right = self.value_of(operand.expr)
            if not COMPARISONS[operand.op](left, right):
                return False
            left = right
        return True

    def get_item(self, node: "nodes.Getattr | nodes.Getitem") -> Any:
        """Return an attribute or item, or Undefined."""
        value = self.defined(node.node)
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
            bounds = (node.arg.start, node.arg.stop, node.arg.step)
            start, stop, step = (None if bound is None else self.defined(bound) for bound in bounds)
            return value[start:stop:step]
        key = node.attr if isinstance(node, nodes.Getattr) else self.defined(node.arg)
        if isinstance(value, Mapping) and key in value:
            return value[key]
        if isinstance(key, int) and isinstance(value, list | tuple | str) and -len(value) <= key < len(value):
            return value[key]
        if key == "length" and isinstance(value, list | tuple | str):  # as Nunjucks has it
            return len(value.encode("utf-16-le")) // 2 if isinstance(value, str) else len(value)
        return Undefined(f"{_name_of(node.node)}.{key}")

    def apply(self, node: Any) -> Any:
        """Return what a filter, test, method or `range` makes of its value."""
        arguments = [self.value_of(argument) for argument in node.args]
        options = {keyword.key: self.value_of(keyword.value) for keyword in node.kwargs}
        if isinstance(node, nodes.Call):
            if isinstance(node.node, nodes.Getattr):
                return METHODS[node.node.attr](self.defined(node.node.node), *arguments)
            numbers = range(*arguments)
            if len(numbers) > MAX_ITEMS:
                raise TemplateError(f"line {self.line}: `range` is limited to {MAX_ITEMS:,} numbers")
            return list(numbers)
        if node.name in {"defined", "undefined"}:
            return isinstance(self.value_of(node.node), Undefined) is (node.name == "undefined")
        if node.name in {"default", "d"}:
            value = self.value_of(node.node)
            fallback = arguments[0] if arguments else options.get("default_value", "")
            by_truth = arguments[1] if len(arguments) > 1 else options.get("boolean", False)
            return fallback if isinstance(value, Undefined) or (by_truth and not value) else value
        table = FILTERS if isinstance(node, nodes.Filter) else TESTS
        return table[node.name](self.defined(node.node), *arguments, **options)


def concatenate(texts: list[str]) -> str:
    """Return the texts as one."""
    if sum(map(len, texts)) > MAX_CHARS:
        raise TemplateError(f"`~` or `+` makes a text of more than {MAX_CHARS:,} characters")
    return "".join(texts)


def calculate(kind: str, left: Any, right: Any) -> Any:
    """Return the result of an operator."""
    if kind == "Add" and isinstance(left, str) and isinstance(right, str):
        return concatenate([left, right])
    if kind == "Add" and isinstance(left, list) and isinstance(right, list) and len(left) + len(right) <= MAX_ITEMS:
        return left + right
    if not (isinstance(left, int | float) and isinstance(right, int | float)):
        raise TemplateError("arithmetic takes numbers")
    result = ARITHMETIC[kind](left, right)
    if abs(result) > MAX_NUMBER and isinstance(result, int):
        raise TemplateError("a number over 64 bits")
    return result


def to_text(value: Any) -> str:
    """Return a value as Jinja writes it; raise UndefinedVariableError where there is none."""
    if isinstance(value, Undefined):
        raise UndefinedVariableError(value.name)
    return value if isinstance(value, str) else str(value)


def _name_of(node: "nodes.Node") -> str:
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return f"{_name_of(node.node)}.{node.attr}"
    return "…"
