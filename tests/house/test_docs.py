"""What the documents say is what the code does."""

import importlib.util
import re
from pathlib import Path

import promptci
from promptci.cli.command_group import COMMANDS
from promptci.files import packaged
from promptci.goldens import quarantine
from promptci.present.finding_text.table import TEXTS
from promptci.scoring.check_assertions import ALL_ASSERTIONS

ROOT = Path(__file__).parents[2]


def test_generated_pages_and_schemas_are_fresh() -> None:
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "tools" / "generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stale = [str(path) for path, text in module.generated().items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run `make docs`"


def test_every_assertion_is_described() -> None:
    page = (ROOT / "docs" / "goldens.md").read_text(encoding="utf-8")
    described = {name for name in ALL_ASSERTIONS if f"`{name}`" in page}
    # The row of `not-…` stands for all of them.
    assert "`not-…`" in page
    assert [name for name in ALL_ASSERTIONS if described.isdisjoint({name, name.removeprefix("not-")})] == []


def test_every_command_is_named_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f"promptci {name}" not in readme] == []


def test_local_links_of_the_documents_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.name}: {link}"
        for page in pages
        for link in re.findall(r"\]\(([^)#\s]+)[^)]*\)", re.sub(r"`[^`\n]+`", "code", page.read_text(encoding="utf-8")))
        if "://" not in link and not (page.parent / link).exists()
    ]
    assert broken == []


def test_actions_of_others_are_pinned_by_their_hash_in_the_documents() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    used = [used for page in pages for used in re.findall(r"- uses: (\S+)", page.read_text(encoding="utf-8"))]
    assert len(used) > 5
    assert [
        action for action in used if not re.fullmatch(r"promptci/promptci@v[\d.]+|[\w/-]+@[0-9a-f]{40}", action)
    ] == []


def test_the_quarantine_in_the_documents_is_one() -> None:
    page = (ROOT / "docs" / "goldens.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```yaml\n(- \{case.*?)```", page, re.DOTALL)
    (quarantine_entry,) = quarantine.parse_quarantine(shown.encode(), "docs/goldens.md")
    assert (quarantine_entry.case_id, quarantine_entry.owner) == ("late-parcel", "Ann")


def test_the_workflow_of_the_readme_is_the_one_that_init_writes() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    workflow = (packaged.find_packaged_folder("templates") / "init" / "workflow.yml").read_text(encoding="utf-8")
    assert workflow.strip() in readme


def test_the_version_stands_in_the_changelog_or_is_unreleased() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased" in changelog or f"## {promptci.__version__}" in changelog


def test_every_rule_of_the_glossary_is_one() -> None:
    rules = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").partition("## Rules")[2]
    cells = re.findall(r"^\|(.+?)\|", rules, re.MULTILINE)
    named = [name for cell in cells for name in re.findall(r"`([a-z0-9-]+)`", cell)]
    assert len(named) > 20
    assert [name for name in named if name not in TEXTS] == []
