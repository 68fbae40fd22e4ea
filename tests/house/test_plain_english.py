"""Docstrings begin with the verb that names what happens: Return, Parse, Load, Render. See CONTRIBUTING.md.

A variable is the noun that it holds, and a function a verb with what it returns.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType

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

MAYBE_DOCSTRING = re.compile(r"['\"]\s*(Give|Say|Tell)s?\b")
MAYBE_SPELLED = re.compile(r"(commit|digest|fingerprint|sha|sha256)\W*\[\s*:|\} more['\"]")
"""What every source has in its text that breaks one of these rules, and few others have."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, kw_only=True, slots=True)
class Style:
    """What is wrong with a module's words: the lines, and the names there."""

    docstrings: list[int]
    names: list[tuple[int, str]]
    spellings: list[int]


def read_style(source: str) -> Style:
    """Look at a source; it is parsed only where a word in it could be a wrong one, which is nearly nowhere."""
    has_name = any(map(has_forbidden_name, walk_code(compile(source, "source", "exec", dont_inherit=True))))
    if not (has_name or MAYBE_DOCSTRING.search(source) or MAYBE_SPELLED.search(source)):
        return Style(docstrings=[], names=[], spellings=[])
    nodes = list(ast.walk(ast.parse(source)))
    return Style(docstrings=forbidden_docstrings(nodes), names=forbidden_names(nodes), spellings=spelled_by_hand(nodes))


def walk_code(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of a module, and of all functions in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from walk_code(constant)


def has_forbidden_name(code: CodeType) -> bool:
    is_named_so = code.co_name.strip("_") in FORBIDDEN_FUNCTIONS
    return is_named_so or not FORBIDDEN_NAMES.isdisjoint((*code.co_varnames, *code.co_cellvars))


@cache
def read_style_of_file(path: Path) -> Style:
    """Look at a file, once for all tests."""
    return read_style(path.read_text(encoding="utf-8"))


def modules(*folders: Path) -> Iterator[Path]:
    return (path for folder in folders for path in sorted(folder.rglob("*.py")))


def forbidden_docstrings(nodes: list[ast.AST]) -> list[int]:
    """Lines of the definitions whose docstring begins with a forbidden word."""
    return [
        getattr(node, "lineno", 1)
        for node in nodes
        if isinstance(node, Function | ast.ClassDef | ast.Module)
        if FORBIDDEN_FIRST_WORD.match(ast.get_docstring(node) or "")
    ]


def test_docstrings_begin_with_a_plain_verb() -> None:
    results = [
        f"{path.relative_to(TESTS.parent)}:{line}"
        for path in modules(ROOT, TESTS, *PROGRAMS)
        if ".rivals" not in path.parts  # programs of others, which the benchmark installs
        for line in read_style_of_file(path).docstrings
    ]
    assert results == []


def test_a_planted_docstring_is_caught() -> None:
    assert read_style('def f():\n    """Give the sum."""').docstrings == [1]
    assert read_style('class Sums:\n    """Gives sums."""').docstrings == [1]
    assert read_style('"""Say what a sum is."""').docstrings == [1]
    assert read_style('def f():\n    """Given a sum, return it."""').docstrings == []


def bound_names(nodes: Iterable[ast.AST]) -> list[tuple[int, str]]:
    """Line and name of each parameter and local among the nodes of a function or lambda."""
    names = []
    for node in nodes:
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


def forbidden_names(nodes: list[ast.AST]) -> list[tuple[int, str]]:
    """Line and name of the parameters, locals and functions with a forbidden name."""
    functions = {node.name.strip("_") for node in nodes if isinstance(node, Function)}
    if not functions & FORBIDDEN_FUNCTIONS and FORBIDDEN_NAMES.isdisjoint(name for _, name in bound_names(nodes)):
        return []  # as nearly every file; what follows walks through each scope again
    hits = set()
    for scope in nodes:
        if isinstance(scope, Function) and scope.name.strip("_") in FORBIDDEN_FUNCTIONS:
            hits.add((scope.lineno, scope.name))
        if isinstance(scope, Function | ast.Lambda | ast.comprehension):
            names = bound_names(ast.walk(scope))
            forbidden = FORBIDDEN_NAMES - allowed_names(scope, {name for _, name in names})
            hits |= {(line, name) for line, name in names if name in forbidden}
    return sorted(hits)


def test_names_are_the_nouns_that_they_hold() -> None:
    hits = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules(ROOT)
        for line, name in read_style_of_file(path).names
    ]
    assert hits == []


def test_names_in_the_tests_are_too() -> None:
    hits = [
        f"{path.relative_to(TESTS)}:{line}: {name}"
        for path in modules(TESTS)
        for line, name in read_style_of_file(path).names
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
    assert [name for _, name in read_style(source).names] == names


HASH_NAMES = {"commit", "digest", "fingerprint", "hexdigest", "sha", "sha256"}


def spelled_by_hand(nodes: list[ast.AST]) -> list[int]:
    """Lines that cut a commit or a digest short, or count the names that a list leaves out, without `wording`."""
    return [
        node.lineno
        for node in nodes
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
        for path in modules(ROOT)
        if path not in {ROOT / "wording.py", ROOT / "runtime.py"}  # the runtime imports nothing of ours
        for line in read_style_of_file(path).spellings
    ]
    assert results == []


def test_a_planted_spelling_is_caught() -> None:
    assert read_style('f"commit {change.commit[:10]}"').spellings == [1]
    assert read_style('f"{shown} and {len(ids) - 3} more"').spellings == [1]
    assert read_style('f"{day[:10]}: more than {limit}"').spellings == []
