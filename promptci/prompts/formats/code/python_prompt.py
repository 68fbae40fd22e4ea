"""Prompts in Python files, read from the syntax tree: nothing of the file is imported or run.

A prompt is a constant of the module or of a class, an entry of a dict, or a function that only returns a text.
"""

import ast
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping

from promptci.errors import InputError, Problem
from promptci.prompts.formats.code.constants import Constant, select_prompts
from promptci.prompts.formats.code.python_values import PythonValues, UnreadableError
from promptci.prompts.source import ParsedFile, PromptSource

MAX_CHARS = 2**20
CHANGING_METHODS = frozenset(("update", "setdefault", "pop", "popitem", "clear", "append", "extend", "insert"))
"""Methods of dicts and lists that change them."""


def parse(source: PromptSource) -> ParsedFile:
    """Return the prompts that the selectors mean."""
    return select_prompts(source, list_constants(source.path, source.text))


def list_constants(path: str, text: str) -> list[Constant]:
    """Return every constant of a file that may be a prompt, those that cannot be read among them.

    Raises
    ------
    InputError
        For a file that is not Python.
    """
    if len(text) > MAX_CHARS:
        raise _refusal(path, "it has more than a million characters")
    try:
        with warnings.catch_warnings(action="ignore"):
            tree = ast.parse(text)
        assigned = dict(_list_assigned(tree.body))
        values = PythonValues(assigned, _find_reassigned(tree.body))
        return [_read_constant(name, node, values) for name, node in assigned.items()]
    except SyntaxError as error:
        hint = "Fix the syntax; promptci reads it with the Python that it runs on."
        problem = Problem(path=path, line=error.lineno, message=f"not valid Python: {error.msg}", hint=hint)
        raise InputError([problem]) from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise _refusal(path, str(error) if isinstance(error, ValueError) else "it is nested too deeply") from error


def _refusal(path: str, reason: str) -> InputError:
    hint = "Move its prompts to another file."
    return InputError([Problem(path=path, message=f"the file cannot be read: {reason}", hint=hint)])


def _read_constant(name: str, node: ast.AST, values: PythonValues) -> Constant:
    notes: list[str] = []
    line = getattr(node, "lineno", 1)
    try:
        value = values.read(name, node, notes)
    except UnreadableError as error:
        return Constant(selector=f":{name}", line=line, value=None, unreadable=str(error))
    return Constant(selector=f":{name}", line=line, value=value, notes=tuple(notes))


def _list_assigned(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, ast.AST]]:
    """Yield the dotted name and the value of each constant, in classes and dicts too."""
    for statement in body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=node):
                yield from _list_entries(f"{prefix}{name}", node)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as node):
                yield from _list_entries(f"{prefix}{name}", node)
            case ast.ClassDef():
                yield from _list_assigned(statement.body, f"{prefix}{statement.name}.")
            case ast.FunctionDef() if _returned(statement) is not None:
                yield f"{prefix}{statement.name}", statement


def _list_entries(name: str, node: ast.expr) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield from _list_entries(f"{name}.{key.value}", value)
    else:
        yield name, node


def _returned(function: ast.FunctionDef) -> ast.expr | None:
    """Return what a function returns that does nothing else."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    match body:
        case [ast.Return(value=ast.expr() as node)]:
            return node
    return None


def _find_reassigned(body: list[ast.stmt]) -> Mapping[str, int]:
    """Return how often each name of the module is set, outside of functions and classes.

    What deletes or changes a name's value, and an import of everything after it, counts as setting it once more.
    """
    counts: Counter[str] = Counter()
    pending: list[ast.AST] = list(reversed(body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            counts[node.name] += 1
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names):
            counts.update(dict.fromkeys(counts, 1))
        elif (name := _changed_name(node)) is not None:
            counts[name] += 1
        pending.extend(reversed(list(ast.iter_child_nodes(node))))
    return counts


def _changed_name(node: ast.AST) -> str | None:
    """Return the name that this part of a statement sets, deletes, or whose value it changes."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return name
        case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name
        case ast.Attribute(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
            return name
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if method in CHANGING_METHODS:
            return name
        case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[ast.Name(id=name), *_]):
            return name
        case ast.alias(name=name, asname=None):
            return name.partition(".")[0]
        case ast.alias(asname=name):
            return name
    return None
