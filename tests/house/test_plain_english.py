"""Docstrings begin with the verb that names what happens: Return, Parse, Load, Render. See CONTRIBUTING.md.

A variable is the noun that it holds, and a function a verb with what it returns.
"""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
ROOT = TESTS.parent / "promptci"
PROGRAMS = [TESTS.parent / "tools", TESTS.parent / "benchmarks"]

FORBIDDEN_FIRST_WORD = re.compile(r"\s*(Give|Say|Tell)s?\b")
FORBIDDEN_NAMES = {
    *("beside", "desk", "errand", "found", "gathered", "given", "how", "left", "made", "more", "of", "one", "said"),
    *("there", "told", "wanted", "way", "what", "who", "whose", "why"),
}
"""Of parameters, locals and functions: they do not tell what is in them."""
FORBIDDEN_FUNCTIONS = FORBIDDEN_NAMES | {"added", "by_themselves", "doubled", "joined", "spelled", "tried", "words"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def forbidden_docstrings(source: str) -> list[int]:
    """Lines of the definitions whose docstring begins with a forbidden word."""
    return [
        getattr(node, "lineno", 1)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, Function | ast.ClassDef | ast.Module)
        if FORBIDDEN_FIRST_WORD.match(ast.get_docstring(node) or "")
    ]


def test_docstrings_begin_with_a_plain_verb() -> None:
    results = [
        f"{path.relative_to(TESTS.parent)}:{line}"
        for folder in (ROOT, TESTS, *PROGRAMS)
        for path in sorted(folder.rglob("*.py"))
        if ".rivals" not in path.parts  # programs of others, which the benchmark installs
        for line in forbidden_docstrings(path.read_text(encoding="utf-8"))
    ]
    assert results == []


def test_a_planted_docstring_is_caught() -> None:
    assert forbidden_docstrings('def f():\n    """Give the sum."""') == [1]
    assert forbidden_docstrings('class Sums:\n    """Gives sums."""') == [1]
    assert forbidden_docstrings('"""Say what a sum is."""') == [1]
    assert forbidden_docstrings('def f():\n    """Given a sum, return it."""') == []


def bound_names(scope: ast.AST) -> list[tuple[int, str]]:
    """Line and name of each parameter and local within a function or lambda."""
    names = []
    for node in ast.walk(scope):
        if isinstance(node, ast.arg):
            names.append((node.lineno, node.arg))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append((node.lineno, node.id))
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name is not None:
            names.append((node.lineno, node.name))
    return names


def allowed_names(scope: ast.AST, names: set[str]) -> set[str]:
    """`left` with `right`, and the parameters that click fills from an option of this name."""
    decorators = scope.decorator_list if isinstance(scope, Function) else []
    texts = {node.value for each in decorators for node in ast.walk(each) if isinstance(node, ast.Constant)}
    return {name for name in FORBIDDEN_NAMES if f"--{name}" in texts} | ({"left"} if "right" in names else set())


def forbidden_names(source: str) -> list[tuple[int, str]]:
    """Line and name of the parameters, locals and functions with a forbidden name."""
    tree = ast.parse(source)
    functions = {node.name.strip("_") for node in ast.walk(tree) if isinstance(node, Function)}
    if not functions & FORBIDDEN_FUNCTIONS and FORBIDDEN_NAMES.isdisjoint(name for _, name in bound_names(tree)):
        return []  # as nearly every file; what follows walks through each scope again
    hits = set()
    for scope in ast.walk(tree):
        if isinstance(scope, Function) and scope.name.strip("_") in FORBIDDEN_FUNCTIONS:
            hits.add((scope.lineno, scope.name))
        if isinstance(scope, Function | ast.Lambda | ast.comprehension):
            names = bound_names(scope)
            forbidden = FORBIDDEN_NAMES - allowed_names(scope, {name for _, name in names})
            hits |= {(line, name) for line, name in names if name in forbidden}
    return sorted(hits)


def test_names_are_the_nouns_that_they_hold() -> None:
    hits = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted(ROOT.rglob("*.py"))
        for line, name in forbidden_names(path.read_text(encoding="utf-8"))
    ]
    assert hits == []


def test_names_in_the_tests_are_too() -> None:
    hits = [
        f"{path.relative_to(TESTS)}:{line}: {name}"
        for path in sorted(TESTS.rglob("*.py"))
        for line, name in forbidden_names(path.read_text(encoding="utf-8"))
    ]
    assert hits == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f(found): ...", ["found"]),
        ("def f(*, gathered=None): ...", ["gathered"]),
        ("async def f():\n    said = 1", ["said"]),
        ("def f(cases):\n    return [one for one in cases]", ["one"]),
        ("NAMES = [one for one in 'ab']", ["one"]),
        ("KEY = lambda one: one.number", ["one"]),
        ("def f(text):\n    if more := text[1:]:\n        return more", ["more"]),
        ("def f():\n    try:\n        g()\n    except ValueError as what:\n        pass", ["what"]),
        ("def f(value):\n    match value:\n        case [*left]:\n            pass", ["left"]),
        ("def of(folder): ...", ["of"]),
        ("class Store:\n    def _made(self): ...", ["_made"]),
        ("@click.option('--reason')\ndef command(why): ...", ["why"]),
        ("@click.option('--why')\ndef command(why, who): ...", ["who"]),
        ("@click.option('--why')\ndef command(why): ...", []),
        ("def f(left, right): ...", []),
        ("class Feedback:\n    why: str", []),
        ("def f(match):\n    return Feedback(why='found', what=match.found)", []),
    ],
)
def test_a_planted_name_is_caught(source: str, names: list[str]) -> None:
    assert [name for _, name in forbidden_names(source)] == names


HASH_NAMES = {"commit", "digest", "fingerprint", "hexdigest", "sha", "sha256"}


def spelled_by_hand(source: str) -> list[int]:
    """Lines that cut a commit or a digest short, or count the names that a list leaves out, without `wording`."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Slice)
            and node.slice.lower is None
            and isinstance(node.slice.upper, ast.Constant)
            and ast.unparse(node.value).rpartition(".")[2].lstrip("_") in HASH_NAMES
        )
        or (isinstance(node, ast.JoinedStr) and re.search(r" and \{[^{}]*\} more['\"]", ast.unparse(node)))
    ]


def test_lists_and_digests_are_spelled_in_one_place() -> None:
    results = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(ROOT.rglob("*.py"))
        if path not in {ROOT / "wording.py", ROOT / "runtime.py"}  # the runtime imports nothing of ours
        for line in spelled_by_hand(path.read_text(encoding="utf-8"))
    ]
    assert results == []


def test_a_planted_spelling_is_caught() -> None:
    assert spelled_by_hand('f"commit {change.commit[:10]}"') == [1]
    assert spelled_by_hand('f"{shown} and {len(ids) - 3} more"') == [1]
    assert spelled_by_hand('f"{day[:10]}: more than {limit}"') == []
