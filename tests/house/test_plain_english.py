"""Docstrings begin with the verb that names what happens: Return, Parse, Load, Render. See CONTRIBUTING.md."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2] / "promptci"

FORBIDDEN_FIRST_WORD = re.compile(r"\s*(Give|Say|Tell)\b")


def forbidden_docstrings(source: str) -> list[int]:
    """Lines of the definitions whose docstring begins with a forbidden word."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if FORBIDDEN_FIRST_WORD.match(ast.get_docstring(node) or "")
    ]


def test_docstrings_begin_with_a_plain_verb() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(ROOT.rglob("*.py"))
        for line in forbidden_docstrings(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_a_planted_docstring_is_caught() -> None:
    assert forbidden_docstrings('def f():\n    """Give the sum."""') == [1]
    assert forbidden_docstrings('def f():\n    """Given a sum, return it."""') == []
