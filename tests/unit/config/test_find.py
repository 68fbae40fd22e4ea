"""Which file is the configuration: none is used without a word, and none is left out without one."""

from contextlib import closing
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder

from promptci.config.find import DEFAULT_PATH, require_named_config
from promptci.errors import ConfigError

GATE = "version: 1\n"


def require(tmp_path: Path, *paths: str) -> None:
    builder = RepoBuilder(tmp_path / "shop").write(dict.fromkeys(paths, GATE))
    builder.commit()
    with closing(builder.repo.snapshot("HEAD")) as snapshot:
        require_named_config([snapshot], DEFAULT_PATH)


def refuse(tmp_path: Path, path: str) -> str:
    with pytest.raises(ConfigError) as refused:
        require(tmp_path, path)
    (problem,) = refused.value.problems
    return str(problem)


@pytest.mark.parametrize(
    "path",
    ["Promptci.yml", "PROMPTCI.YAML", ".promptci.yml", ".github/promptci.yml", ".config/promptci.yaml", "promptci.json",
     "promptci.toml", "promptci.yml.txt"],
)  # fmt: skip
def test_a_file_that_was_meant_to_be_the_configuration_is_named(tmp_path: Path, path: str) -> None:
    """With the defaults in its place, prompts and key would go to another endpoint."""
    message = refuse(tmp_path, path)
    assert message.startswith(f"{path}: this file is not read")
    assert "--config" in message


def test_a_folder_of_that_name_is_refused(tmp_path: Path) -> None:
    assert refuse(tmp_path, "promptci.yml/gate.yml").startswith("promptci.yml: this is not a regular file")


@pytest.mark.parametrize(
    "path", [".github/workflows/promptci.yml", "shop/promptci.yml", "docs/promptci.md", "promptci.py", "promptci/x.yml"]
)
def test_other_files_do_not_stand_in_the_way_of_the_defaults(tmp_path: Path, path: str) -> None:
    require(tmp_path, path)


def test_beside_the_configuration_a_lookalike_does_not_matter(tmp_path: Path) -> None:
    require(tmp_path, ".github/promptci.yml", "promptci.yml")
