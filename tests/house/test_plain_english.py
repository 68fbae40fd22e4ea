"""Docstrings begin with the verb that names what happens: Return, Parse, Load, Render. See CONTRIBUTING.md."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2] / "promptci"

FORBIDDEN_FIRST_WORD = re.compile(r"\s*(Give|Say|Tell)\b")
PACKAGES_TO_DO = {
    "action",
    "app",
    "cli",
    "config",
    "errors",
    "evaluation",
    "files",
    "gates",
    "git",
    "pipeline",
    "present",
    "prompts",
    "providers",
    "publish",
    "redact",
    "report",
    "requestlog",
    "rollout",
    "runs",
    "scoring",
    "shards",
    "stats",
    "usecases",
    "verdict",
}
"""Packages whose docstrings may still begin with a forbidden word. Only ever remove from this list."""


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def forbidden_docstrings(source: str) -> list[int]:
    """Lines of the definitions whose docstring begins with a forbidden word."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if FORBIDDEN_FIRST_WORD.match(ast.get_docstring(node) or "")
    ]


def offenders() -> dict[str, list[str]]:
    by_package: dict[str, list[str]] = {}
    for path in sorted(ROOT.rglob("*.py")):
        for line in forbidden_docstrings(path.read_text(encoding="utf-8")):
            by_package.setdefault(package_of(path), []).append(f"{path.relative_to(ROOT)}:{line}")
    return by_package


def test_docstrings_begin_with_a_plain_verb() -> None:
    found = {package: lines for package, lines in offenders().items() if package not in PACKAGES_TO_DO}
    assert found == {}


def test_a_planted_docstring_is_caught() -> None:
    assert forbidden_docstrings('def f():\n    """Give the sum."""') == [1]
    assert forbidden_docstrings('def f():\n    """Given a sum, return it."""') == []
