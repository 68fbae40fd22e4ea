"""The cache of compiled templates: used where it fits, and never in the way."""

import sys
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader

from promptci.present.compiled_templates import CompiledTemplates


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CompiledTemplates:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    templates = CompiledTemplates()
    templates.directory = str(tmp_path / "cache")
    return templates


def render(folder: Path, cache: CompiledTemplates) -> str:
    environment = Environment(loader=FileSystemLoader(folder), bytecode_cache=cache)  # noqa: S701 - plain text
    return environment.get_template("page").render(name="Ann")


def test_compiled_template_is_reused(tmp_path: Path, cache: CompiledTemplates) -> None:
    (tmp_path / "page").write_text("Hello {{ name }}")
    assert render(tmp_path, cache) == "Hello Ann"
    (stored,) = Path(cache.directory).iterdir()
    before = stored.stat().st_mtime_ns
    assert render(tmp_path, cache) == "Hello Ann"
    assert stored.stat().st_mtime_ns == before


def test_edited_template_is_compiled_again(tmp_path: Path, cache: CompiledTemplates) -> None:
    (tmp_path / "page").write_text("Hello {{ name }}")
    render(tmp_path, cache)
    (tmp_path / "page").write_text("Bye {{ name }}")
    assert render(tmp_path, cache) == "Bye Ann"


def test_damaged_cache_is_ignored(tmp_path: Path, cache: CompiledTemplates) -> None:
    (tmp_path / "page").write_text("Hello {{ name }}")
    render(tmp_path, cache)
    (stored,) = Path(cache.directory).iterdir()
    stored.write_bytes(b"garbage")
    assert render(tmp_path, cache) == "Hello Ann"


def test_folder_that_cannot_be_written_is_no_error(tmp_path: Path, cache: CompiledTemplates) -> None:
    (tmp_path / "page").write_text("Hello {{ name }}")
    (tmp_path / "cache").write_text("a file where the folder should be")
    assert render(tmp_path, cache) == "Hello Ann"


def test_nothing_is_written_where_python_writes_no_bytecode(
    tmp_path: Path, cache: CompiledTemplates, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "page").write_text("Hello {{ name }}")
    assert render(tmp_path, cache) == "Hello Ann"
    assert not Path(cache.directory).exists()
