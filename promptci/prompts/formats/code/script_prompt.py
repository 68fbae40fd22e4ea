"""Prompts in TypeScript and JavaScript files, read from the syntax tree: nothing of the file is run.

A prompt is a `const` of the module, an entry of an object, or a function that only returns a text.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from promptci.errors import InputError, Problem
from promptci.lazy_import import lazy_import
from promptci.prompts.formats.code.constants import Constant, select_prompts
from promptci.prompts.formats.code.script_values import ScriptValues, UnreadableScriptError, unwrap
from promptci.prompts.source import ParsedFile, PromptSource
from promptci.wording import install_extra

if TYPE_CHECKING:
    import tree_sitter
    import tree_sitter_javascript
    import tree_sitter_typescript
    from tree_sitter import Node
else:
    tree_sitter = lazy_import("tree_sitter")
    tree_sitter_javascript = lazy_import("tree_sitter_javascript")
    tree_sitter_typescript = lazy_import("tree_sitter_typescript")

TYPED_SUFFIXES = (".ts", ".mts", ".cts")
NEEDS_EXTRA = "reading TypeScript and JavaScript needs the extra `code`"
MAX_CHARS = 2**20
FUNCTIONS = {"function_declaration", "function_expression", "arrow_function", "class_declaration", "method_definition"}
CHANGING_CALLS = ("Object.assign(", "Object.defineProperty(", "Reflect.set(")


def parse(source: PromptSource) -> ParsedFile:
    """Return the prompts that the selectors mean."""
    return select_prompts(source, list_constants(source.path, source.text))


def list_constants(path: str, text: str) -> list[Constant]:
    """Return every constant of a file that may be a prompt, those that cannot be read among them.

    Raises
    ------
    InputError
        For a file with mistakes, or where the extra `code` is not installed.
    """
    if len(text) > MAX_CHARS:
        raise _refusal(path, "the file has more than a million characters", "Move prompts to another file.")
    try:
        tree = _build_parser(path).parse(text.encode())
    except ImportError as error:
        raise _refusal(path, NEEDS_EXTRA, install_extra("code")) from error
    try:
        if tree.root_node.has_error:
            line = _find_error_line(tree.root_node)
            raise _refusal(path, "the syntax is not understood", "Fix it, or move prompts to another file.", line)
        assigned = dict(_list_assigned(tree.root_node))
        values, changed = ScriptValues(assigned), _find_changed(tree.root_node)
        return [
            _changed_constant(name, node) if name.partition(".")[0] in changed else _read_constant(name, node, values)
            for name, node in assigned.items()
        ]
    except RecursionError as error:
        raise _refusal(path, "the file is nested too deeply", "Move prompts to another file.") from error


def _build_parser(path: str) -> Any:
    if path.lower().endswith(TYPED_SUFFIXES):
        language = tree_sitter_typescript.language_typescript()
    elif path.lower().endswith(".tsx"):
        language = tree_sitter_typescript.language_tsx()
    else:
        language = tree_sitter_javascript.language()
    return tree_sitter.Parser(tree_sitter.Language(language))


def _read_constant(name: str, node: "Node", values: ScriptValues) -> Constant:
    line = node.start_point[0] + 1
    try:
        return Constant(selector=f":{name}", line=line, value=values.read_expression(node))
    except UnreadableScriptError as error:
        return Constant(selector=f":{name}", line=line, value=None, unreadable=str(error))


def _changed_constant(name: str, node: "Node") -> Constant:
    unreadable = "the file changes its value after it is set"
    return Constant(selector=f":{name}", line=node.start_point[0] + 1, value=None, unreadable=unreadable)


def _find_changed(root: "Node") -> set[str]:
    """Return the constants whose objects a statement of the module changes, outside of functions."""
    changed = set()
    pending = list(root.named_children)
    while pending:
        node = pending.pop()
        if node.type in FUNCTIONS:
            continue
        if node.type in {"assignment_expression", "augmented_assignment_expression"}:
            target = node.child_by_field_name("left")
        elif node.type == "unary_expression" and _text(node.children[0]) == "delete":
            target = node.child_by_field_name("argument")
        elif node.type == "call_expression" and _text(node).startswith(CHANGING_CALLS):
            arguments = node.child_by_field_name("arguments")
            target = arguments.named_children[0] if arguments is not None and arguments.named_children else None
        else:
            target = None
        while target is not None and target.type in {"member_expression", "subscript_expression"}:
            target = target.child_by_field_name("object")
        changed |= {_text(target)} if target is not None and target.type == "identifier" else set()
        pending += node.named_children
    return changed


def _list_assigned(root: "Node") -> "Iterator[tuple[str, Node]]":
    """Yield the dotted name and the value of each constant of the module."""
    for statement in root.named_children:
        exported = statement.child_by_field_name("declaration") if statement.type == "export_statement" else statement
        if exported is None:
            continue
        if exported.type == "function_declaration":
            name = exported.child_by_field_name("name")
            if name is not None:
                yield _text(name), exported
        if exported.type != "lexical_declaration" or _text(exported.children[0]) != "const":
            continue
        for declarator in exported.named_children:
            name, value = declarator.child_by_field_name("name"), declarator.child_by_field_name("value")
            if name is not None and name.type == "identifier" and value is not None:
                yield from _list_entries(_text(name), unwrap(value))


def _list_entries(name: str, node: "Node") -> "Iterator[tuple[str, Node]]":
    if node.type != "object":
        yield name, node
        return
    for pair in node.named_children:
        key, value = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and value is not None:
            yield from _list_entries(f"{name}.{_text(key).strip(chr(34) + chr(39))}", unwrap(value))


def _find_error_line(node: "Node") -> int:
    pending = [node]
    while pending:
        current = pending.pop(0)
        if current.is_error or current.is_missing:
            return int(current.start_point[0]) + 1
        pending += [child for child in current.children if child.has_error or child.is_missing]
    return 1


def _text(node: "Node") -> str:
    return (node.text or b"").decode(errors="replace")


def _refusal(path: str, message: str, hint: str, line: int | None = None) -> InputError:
    return InputError([Problem(path=path, line=line, message=message, hint=hint)])
