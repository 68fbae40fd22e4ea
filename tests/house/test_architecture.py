"""Pages that guide a contributor name files and names that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "CONTRIBUTING.md",
    ROOT / "tests" / "README.md",
    *(ROOT / "docs" / name for name in ("architecture.md", "adding.md")),
    *sorted((ROOT / "docs" / "adr").glob("*.md")),
]
REPOSITORY_PATH = re.compile(r"`((?:promptci|templates|tests|benchmarks|tools)/[\w./-]+)`")


def missing_paths(text: str) -> list[str]:
    return [path for path in REPOSITORY_PATH.findall(text) if not (ROOT / path).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_named_files_exist(page: Path) -> None:
    assert missing_paths(page.read_text(encoding="utf-8")) == []


def test_a_planted_path_is_caught() -> None:
    assert missing_paths("see `promptci/no_such_module.py` and `tests/house/`") == ["promptci/no_such_module.py"]


def test_five_paths_hold_what_the_architecture_says() -> None:
    named = {
        "promptci/scoring/assertions/table.py": "ASSERTIONS",
        "promptci/gates/quality_rule.py": "max_drop",
        "templates/markdown/comment.md.j2": "|:--",
        "promptci/providers/http/errors/api_errors.py": "429",
        "promptci/prompts/formats/__init__.py": "PROMPT_FORMATS",
    }
    architecture = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert [path for path in named if f"`{path}`" not in architecture] == []
    assert [path for path, word in named.items() if word not in (ROOT / path).read_text(encoding="utf-8")] == []


def test_layers_of_the_architecture_are_those_that_are_tested() -> None:
    source = (ROOT / "tests" / "house" / "test_layers.py").read_text(encoding="utf-8")
    tested = re.findall(r'"(\w+)"', source.split("LAYERS = [")[1].split("\n]")[0])
    block = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("```text\n")[1].split("```")[0]
    shown = [word for line in block.splitlines() for word in re.split(r"\s{3,}", line)[0].split()]
    package = ROOT / "promptci"
    existing = [name for name in tested if (package / name).is_dir() or (package / f"{name}.py").exists()]
    assert [name for name in existing if name not in shown] == []
    assert [name for name in shown if name not in tested] == []
