"""Values of Python expressions that are texts or lists of messages, as far as they can be read without running them."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field

from promptci.lazy_dataclass import dataclass
from promptci.prompts.formats.code.constants import ROLES, CodeMessage, CodeText
from promptci.prompts.options import Syntax
from promptci.prompts.template.template_text import Variable

MAX_REFERENCES = 20
MAX_PARTS = 20_000
MAX_CHARS = 2**20
TEMPLATE_CLASSES = {
    "PromptTemplate": "user", "ChatPromptTemplate": "user", "HumanMessagePromptTemplate": "user",
    "SystemMessagePromptTemplate": "system", "AIMessagePromptTemplate": "assistant",
}  # fmt: skip
MESSAGE_CLASSES = {"SystemMessage": "system", "HumanMessage": "user", "AIMessage": "assistant"}
TEMPLATE_FORMATS: dict[str, Syntax] = {"f-string": "{name}", "jinja2": "jinja", "mustache": "{{name}}"}
TEXT_FUNCTIONS: dict[str, Callable[[str], str]] = {"dedent": textwrap.dedent, "cleandoc": inspect.cleandoc}
TEXT_METHODS: dict[str, Callable[[str], str]] = {"strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip}

Parts = list[str | Variable]


class UnreadableError(Exception):
    """An expression is no text that stands in the file; the text says why."""


@dataclass(slots=True)
class PythonTexts:
    """Texts of the expressions of one file."""

    assigned: Mapping[str, ast.AST]
    """Constants by their dotted names."""
    counts: Mapping[str, int]
    """How often each name is set."""
    parameters: frozenset[str] = field(default_factory=frozenset)
    """Of the function that is read."""
    depth: int = 0

    def read_text(self, node: ast.AST) -> Parts:
        """Return the text of an expression, with variables for what only the running program knows."""
        parts = self._read_parts(node)
        if len(parts) > MAX_PARTS or sum(len(part) for part in parts if isinstance(part, str)) > MAX_CHARS:
            raise UnreadableError("it is too long")
        return parts

    def _read_parts(self, node: ast.AST) -> Parts:
        match node:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.JoinedStr(values=values):
                return [part for value in values for part in self._read_field(value)]
            case ast.BinOp(op=ast.Add(), left=left, right=right):
                return self.read_text(left) + self.read_text(right)
            case ast.Name() | ast.Attribute():
                return self._resolve(ast.unparse(node))
            case ast.Call():
                return self._read_call(node)
        raise UnreadableError(f"`{_shorten(node)}` is computed when the program runs")

    def _read_field(self, value: ast.expr) -> Parts:
        match value:
            case ast.Constant(value=str(text)):
                return [text]
            case ast.FormattedValue(conversion=-1, format_spec=None, value=ast.Constant(value=constant)):
                return [str(constant)]
            case ast.FormattedValue(conversion=-1, format_spec=None, value=expression):
                name = _dotted_name(expression)
                return self.read_text(expression) if name is None else self._resolve(name)
        raise UnreadableError(f"`{_shorten(value)}` formats a value")

    def _resolve(self, name: str) -> Parts:
        if name.partition(".")[0] in self.parameters:
            return [Variable(name)]
        node = self.assigned.get(name)
        if node is None:
            raise UnreadableError(f"`{name[:60]}` is imported or computed when the program runs")
        if self.counts.get(name.partition(".")[0], 0) > 1:
            raise UnreadableError(f"`{name}` is set more than once")
        if self.depth >= MAX_REFERENCES:
            raise UnreadableError("its references lead too far, or in a circle")
        return PythonTexts(self.assigned, self.counts, depth=self.depth + 1).read_text(node)

    def _read_call(self, node: ast.Call) -> Parts:
        owner, method = _split_call(node)
        change = TEXT_FUNCTIONS.get(method or owner)
        if change is not None and len(node.args) == 1:
            return _change_text(self.read_text(node.args[0]), change)
        if isinstance(node.func, ast.Attribute) and not node.keywords:
            if node.func.attr in TEXT_METHODS and not node.args:
                return _change_text(self.read_text(node.func.value), TEXT_METHODS[node.func.attr])
            if node.func.attr == "join" and len(node.args) == 1 and isinstance(node.args[0], ast.List | ast.Tuple):
                separator = self.read_text(node.func.value)
                texts = [self.read_text(item) for item in node.args[0].elts]
                return [part for index, text in enumerate(texts) for part in ((separator if index else []) + text)]
        raise UnreadableError(f"`{_shorten(node)}` is computed when the program runs")


class PythonValues(PythonTexts):
    """Texts and messages of the expressions of one file."""

    def read(self, name: str, node: ast.AST, notes: list[str]) -> CodeText | tuple[CodeMessage, ...]:
        """Return the value of a constant; raise UnreadableError where it has none that can be read."""
        if self.counts.get(name.partition(".")[0], 0) > 1:
            raise UnreadableError("it is set more than once")
        if isinstance(node, ast.FunctionDef):
            arguments = node.args
            names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
            values = PythonValues(self.assigned, self.counts, frozenset(names), self.depth)
            last = node.body[-1]
            if not isinstance(last, ast.Return) or last.value is None:
                raise UnreadableError("it returns nothing")
            return values.read_expression(last.value, notes)
        return self.read_expression(node, notes)

    def read_expression(self, node: ast.AST, notes: list[str]) -> CodeText | tuple[CodeMessage, ...]:
        """Return the text or the messages of an expression."""
        match node:
            case ast.List(elts=items) | ast.Tuple(elts=items):
                return self._read_messages(items, None, notes)
            case ast.Call():
                owner, method = _split_call(node)
                if owner == "ChatPromptTemplate" and method in {"from_messages", ""} and node.args:
                    if isinstance(node.args[0], ast.List | ast.Tuple):
                        return self._read_messages(node.args[0].elts, _template_format(node), notes)
                elif owner in TEMPLATE_CLASSES:
                    role = TEMPLATE_CLASSES[owner]
                    text = self._read_template(node)
                    return text if owner == "PromptTemplate" else (CodeMessage(role, text),)
                elif owner == "Template" and not method and len(node.args) == 1:
                    return CodeText(tuple(self.read_text(node.args[0])), "$name")
        return CodeText(tuple(self.read_text(node)))

    def _read_template(self, call: ast.Call) -> CodeText:
        arguments = [*call.args[:1], *(option.value for option in call.keywords if option.arg == "template")]
        if not arguments:
            raise UnreadableError("its template is no text")
        return CodeText(tuple(self.read_text(arguments[0])), _template_format(call))

    def _read_messages(
        self, items: Sequence[ast.expr], syntax: Syntax | None, notes: list[str]
    ) -> tuple[CodeMessage, ...]:
        messages = []
        for item in items:
            message = self._read_message(item, syntax)
            if message is None:
                notes.append("a placeholder for earlier messages is left out: promptci sends none.")
            else:
                messages.append(message)
        if not messages:
            raise UnreadableError("it is no list of messages")
        return tuple(messages)

    def _read_message(self, item: ast.expr, syntax: Syntax | None) -> CodeMessage | None:
        match item:
            case ast.Dict():
                entries = {
                    key.value: value
                    for key, value in zip(item.keys, item.values, strict=True)
                    if isinstance(key, ast.Constant)
                }
                if set(entries) == {"role", "content"}:
                    return self._build_message(entries["role"], entries["content"], syntax)
            case ast.Tuple(elts=[role, content]):
                if isinstance(role, ast.Constant) and role.value == "placeholder":
                    return None
                return self._build_message(role, content, syntax)
            case ast.Call():
                owner, _ = _split_call(item)
                if owner == "MessagesPlaceholder":
                    return None
                if owner in TEMPLATE_CLASSES:
                    return CodeMessage(TEMPLATE_CLASSES[owner], self._read_template(item))
                contents = [*item.args[:1], *(option.value for option in item.keywords if option.arg == "content")]
                if owner in MESSAGE_CLASSES and contents:
                    return CodeMessage(MESSAGE_CLASSES[owner], CodeText(tuple(self.read_text(contents[0]))))
        raise UnreadableError("it has an item that is no message with a role and a text")

    def _build_message(self, role: ast.expr, content: ast.expr, syntax: Syntax | None) -> CodeMessage:
        name = role.value if isinstance(role, ast.Constant) else None
        if name not in ROLES:
            raise UnreadableError(f"it has a message of an unknown role, `{ast.unparse(role)[:40]}`")
        return CodeMessage(ROLES[str(name)], CodeText(tuple(self.read_text(content)), syntax))


def _change_text(parts: Parts, change: Callable[[str], str]) -> Parts:
    """Apply a function to a text around its variables."""
    variables = [part for part in parts if isinstance(part, Variable)]
    changed = change("".join(part if isinstance(part, str) else "\0" for part in parts))
    result: Parts = []
    for index, text in enumerate(changed.split("\0")):
        result += [text] if index == 0 else [variables[index - 1], text]
    return result


def _split_call(node: ast.Call) -> tuple[str, str]:
    """Return the last name before the method, and the method, as of `PromptTemplate.from_template`; empty for none."""
    names = (_dotted_name(node.func) or "").split(".")
    if names[-1] in {"from_template", "from_messages", *TEXT_FUNCTIONS} and len(names) > 1:
        return names[-2], names[-1]
    return names[-1], ""


def _template_format(call: ast.Call) -> Syntax:
    for option in call.keywords:
        if option.arg == "template_format" and isinstance(option.value, ast.Constant):
            return TEMPLATE_FORMATS.get(str(option.value.value), "{name}")
    return "{name}"


def _dotted_name(node: ast.AST) -> str | None:
    """Return `a.b.c` for names, attributes and items by a constant key; None for any other expression."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            owner = _dotted_name(value)
            return None if owner is None else f"{owner}.{attribute}"
        case ast.Subscript(value=value, slice=ast.Constant(value=str() | int() as key)):
            owner = _dotted_name(value)
            return None if owner is None else f"{owner}.{key}"
    return None


def _shorten(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:59]}…"
