"""A module is imported when it is used, not when it is named; nothing heavy is imported by the command line."""

import subprocess
import sys
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder

from promptci.lazy_import import lazy_import

HEAVY = {"aiohttp", "genai_prices", "github", "jsonpath_rfc9535", "jsonschema", "numpy", "openai", "requests", "scipy"}


def run(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_module_is_imported_at_its_first_use() -> None:
    run(
        "import sys; from promptci.lazy_import import lazy_import; colorsys = lazy_import('colorsys');"
        "assert 'colorsys' not in sys.modules;"
        "assert colorsys.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0);"
        "assert colorsys.rgb_to_hsv is sys.modules['colorsys'].rgb_to_hsv"
    )


def test_a_module_within_a_package_is_imported_by_its_whole_name() -> None:
    assert lazy_import("xml.dom.minidom").parseString("<a/>").documentElement.tagName == "a"


def test_what_is_missing_is_reported_as_by_an_import() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        _ = lazy_import("no_such_module").anything
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = lazy_import("json").no_such_name
    assert repr(lazy_import("no_such_module")) == "<lazy import of no_such_module>"


def test_the_command_line_imports_nothing_heavy() -> None:
    run(f"import sys, promptci.cli; loaded = {HEAVY!r} & sys.modules.keys(); assert not loaded, loaded")


def test_what_asks_an_endpoint_is_imported_ahead_where_one_is_asked() -> None:
    run(
        "import sys, threading; from promptci.evaluation import while_asking;"
        "join = lambda: [thread.join() for thread in threading.enumerate() if thread is not threading.main_thread()];"
        "while_asking.prepare_asking('recorded'); join(); assert 'aiohttp' not in sys.modules;"
        "while_asking.prepare_asking('openai'); join(); assert 'aiohttp' in sys.modules"
    )


def test_a_comparison_loads_no_numpy() -> None:
    run(
        "import sys; from promptci.stats.estimates import power; from promptci.stats.significance import paired;"
        "assert power.smallest_drop(1000, 0.0) and paired.mcnemar_midp(9, 1) < 0.05 < paired.mcnemar_midp(1, 6);"
        "assert paired.paired_t([0.5, -0.25, 0.125]).p_worse;"
        "assert not {'numpy', 'scipy'} & sys.modules.keys()"
    )


def test_nothing_of_ours_needs_scipy() -> None:
    run(
        "import sys; sys.modules['scipy'] = None\n"
        "import importlib, pkgutil, promptci\n"
        "for found in pkgutil.walk_packages(promptci.__path__, 'promptci.'):\n"
        "    if not found.name.endswith('__main__') and '_data' not in found.name: importlib.import_module(found.name)"
    )


@pytest.mark.parametrize("has_memory", [False, True])
def test_a_check_without_changes_loads_neither_models_nor_templates(tmp_path: Path, has_memory: bool) -> None:
    files = {
        "promptci.yml": "run: {cache: null}\n",
        "a.prompt.yml": "model: m\nmessages: [{role: user, content: Hi}]\n",
    }
    builder = RepoBuilder(tmp_path / "repo").write(files)
    builder.commit("base")
    if has_memory:
        builder.write({".promptci/memory/verdicts-2026-03-02.jsonl": "not read\n", ".promptci/.gitignore": "*\n"})
    arguments = [
        "check",
        "--repo",
        str(builder.path),
        "--base",
        "HEAD",
        "--head",
        "HEAD",
        "--out",
        str(tmp_path / "out"),
    ]
    unwanted = HEAVY | {"jinja2", "pydantic", "asyncio"}
    run(
        "import sys; from promptci.cli import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit as end: assert not end.code\n"
        f"loaded = {unwanted!r} & sys.modules.keys(); assert not loaded, loaded"
    )
    assert (tmp_path / "out" / "report.json").exists()
