"""The documentation site shows every page, and its links lead somewhere; `make docs-site` builds it."""

import importlib.util
import re
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def conf() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_conf", DOCS / "conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_table_of_contents() -> None:
    blocks = re.findall(r"```\{toctree\}\n(.*?)```", (DOCS / "index.md").read_text(encoding="utf-8"), re.DOTALL)
    listed = [line for block in blocks for line in block.splitlines() if line and not line.startswith(":")]
    pages = [path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")]
    assert [page for page in pages if page != "index" and not any(fnmatch(page, entry) for entry in listed)] == []


def test_links_that_leave_the_folder_become_addresses(conf: ModuleType) -> None:
    text = "[a](../../README.md#try-it) [b](../start.md) [c](../../tests) [d](https://a.example/../x)"
    repository = "https://github.com/promptci/promptci"
    assert conf.resolve_outer_links(text, DOCS / "guides") == (
        f"[a]({repository}/blob/main/README.md#try-it) [b](../start.md) [c]({repository}/tree/main/tests)"
        " [d](https://a.example/../x)"
    )


def test_a_link_to_a_file_that_is_not_there_is_refused(conf: ModuleType) -> None:
    with pytest.raises(ValueError, match="leads nowhere"):
        conf.resolve_outer_links("[a](../no-such-file.md)", DOCS)
