"""What the package index, pre-commit and GitHub read of this repository."""

import re
import tomllib
from pathlib import Path

import yaml

from promptci.cli.command_group import COMMANDS

ROOT = Path(__file__).parents[2]
PICTURES = "https://raw.githubusercontent.com/promptci/promptci/main/"


def test_the_hook_of_pre_commit_is_a_command_and_runs_for_our_files() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    program, command = hook["entry"].split()
    files = ("promptci.yml", "shop/promptci.yml", "a/b.prompt.yaml", "goldens/a.jsonl", ".github/workflows/prompts.yml")

    assert (program in scripts, command in COMMANDS) == (True, True)
    assert not hook["pass_filenames"]
    assert [name for name in files if not re.search(hook["files"], name)] == []
    assert not re.search(hook["files"], "src/main.py")
    assert f"id: {hook['id']}" in (ROOT / "docs" / "guides" / "platform-team.md").read_text(encoding="utf-8")


def test_pictures_of_the_readme_are_seen_on_the_package_index_too() -> None:
    pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert pictures
    assert [each for each in pictures if not (ROOT / each.removeprefix(PICTURES)).is_file()] == []
    assert [each for each in pictures if not each.startswith(PICTURES)] == []


def test_the_addresses_of_the_project_are_of_one_repository() -> None:
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
    assert {"Homepage", "Documentation", "Source", "Changelog", "Issues"} == set(urls)
    assert all(url.startswith("https://github.com/promptci/promptci") for url in urls.values())
