"""Limits on the structure of the package: modules per folder, length of classes, unique names, typed parameters."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
from support.source_code import walk_statements

ROOT = Path(__file__).parents[2] / "promptci"
TESTS = Path(__file__).parents[1]

MAX_MODULES_PER_FOLDER = 12
MAX_CLASS_LINES = 120
FOLDERS_WITH_ONE_MODULE_PER_ROW = {
    "cli": "one module per command",
    "scoring/assertions": "one module per assertion type",
}
"""Folders that grow with a table, whose modules are alike: finding one means knowing its name."""


# What is still to be fixed. Only ever remove from these.
LONG_CLASSES = {
    "pipeline/ask/batching.py:Batching",
    "pipeline/ask/rounds.py:Rounds",
    "providers/http/pacing/limiter.py:Limiter",
    "providers/http/pacing/rate_estimator.py:RateEstimator",
    "runs/execute.py:_Round",
}


Statements = list[ast.AST]


@pytest.fixture(scope="module")
def modules() -> dict[str, Statements]:
    """Parse all modules once for the tests of this file."""
    return {path.relative_to(ROOT).as_posix(): read_statements(path.read_text("utf-8")) for path in ROOT.rglob("*.py")}


def read_statements(source: str) -> Statements:
    return list(walk_statements(ast.parse(source)))


def classes(statements: Statements) -> Iterator[ast.ClassDef]:
    return (node for node in statements if isinstance(node, ast.ClassDef))


def tuple_parameters(statements: Statements) -> Iterator[str]:
    """Parameters that bundle values of several types into one tuple."""
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            yield from (f"{node.name}({each.arg})" for each in arguments if is_mixed_tuple(each.annotation))


def is_mixed_tuple(annotation: ast.expr | None) -> bool:
    match annotation:
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return is_mixed_tuple(left) or is_mixed_tuple(right)
        case ast.Subscript(value=ast.Name(id="tuple"), slice=ast.Tuple(elts=elements)):
            types = {ast.unparse(each) for each in elements}
            return len(types) > 1 and "..." not in types
    return False


def test_pytest_enters_every_folder_of_tests(pytestconfig: pytest.Config) -> None:
    skipped = pytestconfig.getini("norecursedirs")
    folders = {part for path in TESTS.rglob("test_*.py") for part in path.relative_to(TESTS).parts[:-1]}
    assert {folder for folder in folders if any(fnmatch(folder, pattern) for pattern in skipped)} == set()


def test_no_test_starts_a_process_that_could_outlive_it() -> None:
    """A failing test that leaves its process running lets others fail, by pipes that are closed with the garbage."""
    allowed = {"support/processes.py", "support/runtime_readers.py", "house/test_structure.py"}
    sources = {path.relative_to(TESTS).as_posix(): path.read_text(encoding="utf-8") for path in TESTS.rglob("*.py")}
    pattern = re.compile(r"^[^'\"]*subprocess\.Popen\(", re.MULTILINE)
    assert {name for name, source in sources.items() if pattern.search(source)} - allowed == set()


def test_every_command_of_a_test_is_called_through_its_group() -> None:
    """Click keeps a command's help option as it was at first, and without the group that is one without `-h`."""
    calls = [
        f"{path.name}: {call}"
        for path in TESTS.rglob("*.py")
        for call in re.findall(r"\.invoke\(\s*[\w.]+|\w+\.make_context\([^\n]*", path.read_text(encoding="utf-8"))
        if not re.search(r"\bgroup\b|parent=|runner", call) and path != Path(__file__)
    ]
    assert calls == []


def test_folders_hold_few_modules() -> None:
    modules_by_folder: dict[str, int] = defaultdict(int)
    for path in ROOT.rglob("*.py"):
        if path.name != "__init__.py":
            modules_by_folder[path.parent.relative_to(ROOT).as_posix()] += 1
    crowded = {folder: count for folder, count in modules_by_folder.items() if count > MAX_MODULES_PER_FOLDER}
    assert {folder: n for folder, n in crowded.items() if folder not in FOLDERS_WITH_ONE_MODULE_PER_ROW} == {}


def test_classes_are_short(modules: dict[str, Statements]) -> None:
    lengths = {
        f"{path}:{node.name}": (node.end_lineno or node.lineno) - node.lineno + 1
        for path, statements in modules.items()
        for node in classes(statements)
    }
    too_long = {name: lines for name, lines in lengths.items() if lines > MAX_CLASS_LINES}
    assert {name: lines for name, lines in too_long.items() if name not in LONG_CLASSES} == {}


def test_class_names_are_unique(modules: dict[str, Statements]) -> None:
    paths_by_name: dict[str, list[str]] = defaultdict(list)
    for path, statements in modules.items():
        for node in classes(statements):
            paths_by_name[node.name].append(path)
    assert {name: paths for name, paths in paths_by_name.items() if len(paths) > 1} == {}


def test_no_parameter_is_a_tuple_of_mixed_types(modules: dict[str, Statements]) -> None:
    assert [
        f"{path}:{parameter}" for path, statements in modules.items() for parameter in tuple_parameters(statements)
    ] == []


def test_planted_tuple_parameters_are_caught() -> None:
    source = "def f(a: tuple[int, str], b: tuple[int, ...], c: tuple[int, int], d: None | tuple[str, int] = None): ..."
    assert list(tuple_parameters(read_statements(source))) == ["f(a)", "f(d)"]


PLAIN_DATACLASSES = {
    "lazy_dataclass.py": "it is made of them",
    "runtime.py": "one file that applications copy",
}


PLAIN_DATACLASS = re.compile(
    r"^\s*from dataclasses import (\([^)]*|[^\n(]*)\bdataclass\b|\bdataclasses\.dataclass\b", re.MULTILINE
)


def test_every_dataclass_is_compiled_at_first_use() -> None:
    """See docs/adr/0015: the standard library's decorator takes a millisecond of each start for a frozen class."""
    sources = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py")}
    assert {name for name, source in sources.items() if PLAIN_DATACLASS.search(source)} == set(PLAIN_DATACLASSES)


@pytest.mark.parametrize(
    "source",
    [
        "from dataclasses import field, dataclass",
        "from dataclasses import (\n    dataclass,\n)",
        "import dataclasses\n\n\n@dataclasses.dataclass(frozen=True)\nclass A: ...",
    ],
)
def test_a_planted_dataclass_is_caught(source: str) -> None:
    assert PLAIN_DATACLASS.search(source)
