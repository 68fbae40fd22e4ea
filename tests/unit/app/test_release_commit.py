"""A release knows its commit: recorded by its build, or by the tag of a clone. Nothing else passes for one."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from fakes.repo import RepoBuilder

from promptci import __version__
from promptci.app.release_commit import find_release_commit
from promptci.usecases.setup import doctor, init

ROOT = Path(__file__).parents[3]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAG = f"v{__version__}"


def load_build_hook() -> Callable[[Path, str], str | None]:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    find_commit: Callable[[Path, str], str | None] = module.find_release_commit
    return find_commit


find_built_commit = load_build_hook()


@pytest.fixture
def clone(tmp_path: Path) -> RepoBuilder:
    new = RepoBuilder(tmp_path / "clone")
    new.write({"promptci/__init__.py": "", "README.md": "# promptci\n"}).commit()
    return new


@pytest.mark.parametrize("annotated", [False, True])
def test_a_clone_at_the_tag_of_its_version_is_that_release(clone: RepoBuilder, annotated: bool) -> None:
    clone.git("tag", *(("--annotate", "--message", "release") if annotated else ()), TAG)
    head = clone.git("rev-parse", "HEAD").strip()
    assert find_release_commit(clone.path / "promptci") == head
    assert find_built_commit(clone.path, __version__) == head


@pytest.mark.parametrize("state", ["no tag", "another version", "a branch of that name", "after the tag", "no commit"])
def test_what_is_at_no_tag_of_its_version_is_no_release(clone: RepoBuilder, tmp_path: Path, state: str) -> None:
    match state:
        case "another version":
            clone.git("tag", f"v{__version__}1")
        case "a branch of that name":
            clone.git("branch", TAG)
        case "after the tag":
            clone.git("tag", TAG)
            clone.write({"README.md": "# After the release\n"}).commit()
        case "no commit":
            clone = RepoBuilder(tmp_path / "empty")
    assert find_release_commit(clone.path / "promptci") is None
    assert find_built_commit(clone.path, __version__) is None


def test_a_build_of_changed_files_is_no_release(clone: RepoBuilder) -> None:
    clone.git("tag", TAG)
    clone.write({"README.md": "# Not committed\n"})
    assert find_built_commit(clone.path, __version__) is None


def test_an_sdist_within_another_repository_is_not_that_one_s_release(clone: RepoBuilder) -> None:
    clone.git("tag", TAG)
    (clone.path / "vendored" / "promptci").mkdir(parents=True)
    assert find_built_commit(clone.path / "vendored", __version__) is None
    assert find_release_commit(clone.path / "vendored" / "promptci") is None


@pytest.mark.parametrize(("text", "commit"), [(f"{COMMIT}\n", COMMIT), ("main\n", None), (f"{COMMIT} # v1\n", None)])
def test_the_record_of_a_build_goes_before_everything_else(tmp_path: Path, text: str, commit: str | None) -> None:
    (tmp_path / "_data").mkdir()
    (tmp_path / "_data" / "release-commit").write_text(text)
    assert find_release_commit(tmp_path) == commit


@pytest.mark.parametrize("key", [init.DEFAULT_KEY, "MISTRAL_API_KEY"])
def test_a_release_writes_a_workflow_that_is_pinned_and_passes_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setattr(init, "find_release_commit", lambda: COMMIT)
    builder = RepoBuilder(tmp_path / "shop")
    builder.write({"README.md": "# Shop\n"}).commit()
    init.write_starter_files(builder.path, provider="openai", key=key)
    text = (builder.path / ".github" / "workflows" / "prompts.yml").read_text()
    assert f"      - uses: promptci/promptci@{COMMIT} # {TAG}\n        id: promptci\n" in text
    assert "To pin it" not in text
    uses = [step["uses"] for step in yaml.safe_load(text)["jobs"]["promptci"]["steps"]]
    assert {len(each.partition("@")[2]) for each in uses} == {40}
    findings = doctor.examine(builder.path, "promptci.yml")
    assert [finding.problem for finding in findings if finding.problem.path.endswith("prompts.yml")] == []


def test_without_a_release_the_workflow_is_the_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(init, "find_release_commit", lambda: None)
    init.write_starter_files(tmp_path, provider="openai")
    template = (ROOT / "templates" / "init" / "workflow.yml").read_text()
    assert (tmp_path / ".github" / "workflows" / "prompts.yml").read_text() == template
