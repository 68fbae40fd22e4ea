"""The order of the packages: imports only go down, packages of one layer do not import each other."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from support.source_code import walk_statements

ROOT = Path(__file__).parents[2] / "promptci"

LAYERS = [  # top to bottom
    {"cli", "action", "frames"},
    {"tour"},
    {"usecases"},
    {"evaluation"},
    {"app"},
    {"report", "site", "publish"},
    {"present"},
    {"gates", "rollout", "drift", "monitor"},
    {"shards"},
    {"pipeline"},
    {"memory", "history", "registry", "audit", "requestlog"},
    {"scoring"},
    {"runs", "attribution"},
    {"config"},
    {"prompts", "goldens", "git", "providers"},
    {"compare"},
    {"documents"},
    {"stats", "files", "redact"},
    {"findings", "reviews"},
    {"errors", "lazy_import", "process_setup", "second_process", "verdict", "wording"},
    {"lazy_dataclass"},
    {"runtime"},
]
LAYER_OF = {package: layer for layer, packages in enumerate(LAYERS) for package in packages}
DOORS = {"__init__", "__main__"}
MAX_FILE, MAX_FUNCTION, MAX_ARGUMENTS = 300, 50, 6
ONE_FILE = {"runtime.py": 400}
"""What applications copy as one file, and its limit."""
OWNERS = {
    "aiohttp": "providers/http/transport.py",
    "github": "publish/github/github_session.py",
    "openai": "providers/http/batch_http.py",
}
"""Libraries that one file alone may import."""


def modules() -> Iterator[tuple[Path, str, str]]:
    for path in sorted(ROOT.rglob("*.py")):
        room = path.relative_to(ROOT).parts[0].removesuffix(".py")
        if room not in DOORS and "_data" not in path.parts:
            yield path.relative_to(ROOT), room, path.read_text()


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What the tests look at in a module."""

    imports: tuple[str, ...]
    functions: tuple[tuple[str, int, int], ...]
    """Name, number of lines, number of arguments."""


@cache
def read_facts(source: str) -> Facts:
    """Parse a module, once for all tests."""
    imports, functions = [], []
    for node in walk_statements(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "write imports in full"
            imports += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            imports += [alias.name for alias in node.names]
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            functions.append((node.name, length, len(node.args.args) + len(node.args.kwonlyargs)))
    return Facts(imports=tuple(imports), functions=tuple(functions))


def imported(source: str) -> tuple[str, ...]:
    return read_facts(source).imports


def rooms_imported(source: str) -> Iterator[str]:
    yield from (name.split(".")[1] for name in imported(source) if name.startswith("promptci."))


def uphill(imports: Iterator[tuple[Path, str, str]]) -> list[str]:
    return [
        f"{path} imports promptci.{other}"
        for path, room, source in imports
        for other in rooms_imported(source)
        if other in LAYER_OF and other != room and LAYER_OF[other] <= LAYER_OF[room]
    ]


INNER_LAYERS = {"pipeline": [{"ask"}, {"plan"}, {"collection"}]}
"""The order of sub-packages, top to bottom; modules beside them lie below all."""


def inner_uphill(imports: Iterator[tuple[Path, str, str]]) -> list[str]:
    """Return imports that go up, or sideways, between the sub-packages of a package."""
    wrong = []
    for path, package, source in imports:
        layers = {name: level for level, names in enumerate(INNER_LAYERS.get(package, [])) for name in names}
        level = layers.get(path.parts[1], len(layers)) if len(path.parts) > 2 else len(layers)
        for name in imported(source):
            parts = name.split(".")
            elsewhere = layers and parts[:2] == ["promptci", package] and parts[2] != path.parts[1]
            if elsewhere and layers.get(parts[2], len(layers) + 1) <= level:
                wrong.append(f"{path} imports {name}")
    return wrong


def test_sub_packages_are_ordered() -> None:
    assert not inner_uphill(modules())


def test_a_planted_import_against_the_inner_order_is_named() -> None:
    planted = iter([(Path("pipeline/plan/x.py"), "pipeline", "from promptci.pipeline.ask import asking")])
    assert inner_uphill(planted) == ["pipeline/plan/x.py imports promptci.pipeline.ask.asking"]


def test_no_use_case_imports_another() -> None:
    sideways = [
        f"{path} imports {name}"
        for path, package, source in modules()
        if package == "usecases"
        for name in imported(source)
        if name.startswith("promptci.usecases.")
        and name.split(".")[3] != path.stem
        and not name.split(".")[3].startswith(f"{path.stem}_")
    ]
    assert not sideways


def test_every_room_has_a_floor() -> None:
    assert {room for _, room, _ in modules()} <= LAYER_OF.keys()


def test_imports_run_downhill() -> None:
    assert not uphill(modules())


def test_a_planted_uphill_import_is_named() -> None:
    planted = iter([(Path("publish/x.py"), "publish", "from promptci.report import view")])
    assert uphill(planted) == ["publish/x.py imports promptci.report"]


def test_a_library_behind_a_door_is_imported_by_one_file_only() -> None:
    strays = [
        f"{path} imports {name}"
        for path, _, source in modules()
        for name in imported(source)
        if (owner := OWNERS.get(name.split(".")[0])) and path.as_posix() != owner
    ]
    assert not strays


def test_scipy_is_an_oracle_of_tests_alone() -> None:
    """It would be two fifths of what the core installs (docs/adr/0014)."""
    pattern = re.compile(r"import\W+scipy|from scipy|[\"']scipy")
    assert not [path for path, _, source in modules() if pattern.search(source)]


def test_the_runtime_imports_the_standard_library_alone() -> None:
    source = (ROOT / "runtime.py").read_text()
    assert {name.split(".")[0] for name in imported(source)} <= sys.stdlib_module_names


def test_nothing_is_too_big() -> None:
    big = []
    for path, _, source in modules():
        if source.count("\n") > ONE_FILE.get(path.as_posix(), MAX_FILE):
            big.append(f"{path}: {source.count(chr(10))} lines")
        big += [
            f"{path}:{name}: {length} lines, {count} arguments"
            for name, length, count in read_facts(source).functions
            if length > MAX_FUNCTION or count > MAX_ARGUMENTS
        ]
    assert not big, "\n".join(big)


REPORT_LAYERS = [  # top to bottom; the sentences of a view are made while it is built
    {"unchanged"},
    {"write", "figures", "canary_page", "canary_look", "monitor_text", "binder"},
    {"monitor_page"},
    {"html", "markdown", "terminal", "export", "run_diff", "canary_document"},
    {"canary_report"},
    {"templates"},
    {"build"},
    {"text"},
    {"model", "output_paths"},
]
REPORT_LAYER_OF = {part: layer for layer, parts in enumerate(REPORT_LAYERS) for part in parts}


def report_violations(sources: Iterator[tuple[str, str]]) -> list[str]:
    """Imports within report that do not go down, from pairs of a part and its source."""
    return [
        f"report/{part} imports {name}"
        for part, source in sources
        for name in imported(source)
        if name.startswith("promptci.report.")
        if (other := name.split(".")[2]) != part and REPORT_LAYER_OF[other] <= REPORT_LAYER_OF[part]
    ]


def test_imports_within_report_go_down() -> None:
    parts = (
        (path.parts[1].removesuffix(".py"), source)
        for path, package, source in modules()
        if package == "report" and path.name != "__init__.py"
    )
    assert report_violations(parts) == []


def test_an_upward_import_within_report_is_found() -> None:
    planted = iter(
        [("text", "from promptci.report.build import view"), ("markdown", "import promptci.report.html.page")]
    )
    assert len(report_violations(iter(planted))) == 2
