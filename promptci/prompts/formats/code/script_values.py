"""Values of TypeScript and JavaScript expressions that are texts or lists of messages."""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from promptci.lazy_dataclass import dataclass
from promptci.prompts.formats.code.constants import ROLES, CodeMessage, CodeText
from promptci.prompts.template.template_text import Variable

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_REFERENCES = 20
MAX_PARTS, MAX_CHARS = 20_000, 2**20
WRAPPERS = {"as_expression", "satisfies_expression", "parenthesized_expression", "non_null_expression"}
DEDENT_TAGS = {"dedent", "outdent", "stripIndent", "codeBlock"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}
_DOTTED_NAME = re.compile(r"[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*")

Parts = list[str | Variable]


class UnreadableScriptError(Exception):
    """An expression is no text that stands in the file; the text says why."""


def unwrap(node: "Node") -> "Node":
    """Return an expression without parentheses and types around it."""
    while node.type in WRAPPERS and node.named_children:
        node = node.named_children[0]
    return node


@dataclass(slots=True)
class ScriptValues:
    """The expressions of one file."""

    assigned: "Mapping[str, Node]"
    """Constants by their dotted names."""
    parameters: frozenset[str] = field(default_factory=frozenset)
    """Of the function that is read."""
    depth: int = 0

    def read_expression(self, node: "Node") -> CodeText | tuple[CodeMessage, ...]:
        """Return the text or the messages of an expression; raise UnreadableScriptError for any other."""
        node = unwrap(node)
        if node.type in {"arrow_function", "function_declaration", "function_expression"}:
            return self._read_function(node)
        if node.type == "array":
            if not node.named_children:
                raise UnreadableScriptError("it is an empty list")
            return tuple(self._read_message(unwrap(item)) for item in node.named_children)
        return CodeText(tuple(self._read_text(node)))

    def _read_function(self, node: "Node") -> CodeText | tuple[CodeMessage, ...]:
        body = node.child_by_field_name("body")
        if body is not None and body.type == "statement_block":
            statements = [child for child in body.named_children if child.type != "comment"]
            is_return = len(statements) == 1 and statements[0].type == "return_statement"
            body = statements[0].named_children[0] if is_return and statements[0].named_children else None
        if body is None:
            raise UnreadableScriptError("it is a function that does more than return a text")
        names = node.child_by_field_name("parameters") or node.child_by_field_name("parameter")
        identifiers = re.findall(r"[A-Za-z_$][\w$]*", _text(names)) if names is not None else []
        return ScriptValues(self.assigned, frozenset(identifiers), self.depth).read_expression(body)

    def _read_message(self, node: "Node") -> CodeMessage:
        entries = {
            _text(key).strip("\"'"): value
            for pair in node.named_children
            if (key := pair.child_by_field_name("key")) and (value := pair.child_by_field_name("value"))
        }
        if node.type != "object" or set(entries) != {"role", "content"}:
            raise UnreadableScriptError("it has an item that is no message with `role` and `content`")
        role = "".join(part for part in self._read_text(entries["role"]) if isinstance(part, str))
        if role not in ROLES:
            raise UnreadableScriptError(f"it has a message of an unknown role, `{role[:40]}`")
        return CodeMessage(ROLES[role], CodeText(tuple(self._read_text(entries["content"]))))

    def _read_text(self, node: "Node") -> Parts:
        parts = self._read_parts(unwrap(node))
        if len(parts) > MAX_PARTS or sum(len(part) for part in parts if isinstance(part, str)) > MAX_CHARS:
            raise UnreadableScriptError("it is too long")
        return parts

    def _read_parts(self, node: "Node") -> Parts:
        if node.type in {"string", "template_string"}:
            return self._read_literal(node)
        if node.type == "binary_expression":
            left, right = node.child_by_field_name("left"), node.child_by_field_name("right")
            operator = node.child_by_field_name("operator")
            if left is not None and right is not None and operator is not None and _text(operator) == "+":
                return self._read_text(left) + self._read_text(right)
        if node.type in {"identifier", "member_expression"} and _DOTTED_NAME.fullmatch(_text(node)):
            return self._resolve(_text(node))
        if node.type == "call_expression":
            return self._read_call(node)
        return self._refuse(node)

    def _read_literal(self, node: "Node") -> Parts:
        parts: Parts = []
        for child in node.named_children:
            if child.type == "string_fragment":
                parts.append(_text(child))
            elif child.type == "escape_sequence":
                parts.append(_unescape(_text(child)))
            elif child.type == "template_substitution" and child.named_children:
                parts += self._read_text(child.named_children[0])
        return parts or [""]

    def _read_call(self, node: "Node") -> Parts:
        function, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
        if function is None or arguments is None:
            return self._refuse(node)
        if arguments.type == "template_string" and _text(function).rpartition(".")[2] in DEDENT_TAGS:
            return _change_text(self._read_literal(arguments), dedent=True)
        owner, method = (function.child_by_field_name(name) for name in ("object", "property"))
        if owner is None or method is None:
            return self._refuse(node)
        if _text(method) == "trim" and not arguments.named_children:
            return _change_text(self._read_text(owner), dedent=False)
        if _text(method) == "join" and owner.type == "array" and len(arguments.named_children) == 1:
            separator = self._read_text(arguments.named_children[0])
            texts = [self._read_text(item) for item in owner.named_children]
            return [part for index, text in enumerate(texts) for part in ((separator if index else []) + text)]
        return self._refuse(node)

    def _resolve(self, name: str) -> Parts:
        if name.partition(".")[0] in self.parameters:
            return [Variable(name)]
        node = self.assigned.get(name)
        if node is None:
            raise UnreadableScriptError(f"`{name[:60]}` is imported or computed when the program runs")
        if self.depth >= MAX_REFERENCES:
            raise UnreadableScriptError("its references lead too far, or in a circle")
        return ScriptValues(self.assigned, depth=self.depth + 1)._read_text(node)  # noqa: SLF001 - its own

    def _refuse(self, node: "Node") -> Parts:
        text = " ".join(_text(node).split())
        shown = text if len(text) <= 60 else f"{text[:59]}…"
        raise UnreadableScriptError(f"`{shown}` is computed when the program runs")


def _change_text(parts: Parts, *, dedent: bool) -> Parts:
    """Remove blanks around a text with its variables, and the indentation of all of its lines."""
    variables = [part for part in parts if isinstance(part, Variable)]
    text = "".join(part if isinstance(part, str) else "\0" for part in parts)
    result: Parts = []
    for index, piece in enumerate((textwrap.dedent(text) if dedent else text).strip().split("\0")):
        result += [piece] if index == 0 else [variables[index - 1], piece]
    return result


def _unescape(text: str) -> str:
    """Return the character of an escape sequence."""
    body = text[1:]
    if match := re.fullmatch(r"u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})", body):
        code = int(next(filter(None, match.groups())), 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else "\ufffd"
    return ESCAPES.get(body, body)


def _text(node: "Node") -> str:
    return (node.text or b"").decode(errors="replace")
