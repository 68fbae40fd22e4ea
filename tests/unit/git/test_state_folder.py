"""Folders that are written: no link at any step, nothing committed, never git's own."""

import os
from contextlib import closing
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder

from promptci.errors import UnsafeError
from promptci.git.repo import Repo
from promptci.git.state_folder import check_output_folder, find_folder_problem


@pytest.fixture
def builder(tmp_path: Path) -> RepoBuilder:
    builder = RepoBuilder(tmp_path / "shop").write({"a.txt": "a", "state/kept/x.jsonl": "x", "file": "plain"})
    builder.commit("base")
    return builder


@pytest.mark.parametrize(
    "folder", ["out", "a/b/c", ".promptci/cache", "state/other", "stat", "../elsewhere", "/tmp/elsewhere-of-promptci"]
)
def test_a_folder_of_its_own_may_be_used(builder: RepoBuilder, folder: str) -> None:
    assert find_folder_problem(builder.path, builder.path / folder) is None


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        (".", "it is the root of the repository"),
        ("a/..", "it is the root of the repository"),
        (".git", "it is git's own folder"),
        (".GIT/hooks", "it is git's own folder"),
        ("x/../.git/hooks", "it is git's own folder"),
        ("state/kept", "`state/kept/x.jsonl` is committed to git"),
        ("state", "`state/kept/x.jsonl` is committed to git"),
        ("file", "`file` is not a folder"),
        ("file/below", "`file` is not a folder"),
    ],
)
def test_others_are_refused_with_the_reason(builder: RepoBuilder, folder: str, reason: str) -> None:
    assert find_folder_problem(builder.path, builder.path / folder) == reason


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("target", ["inside", "outside", "missing"])
def test_a_link_at_any_step_is_refused_committed_or_not(builder: RepoBuilder, depth: int, target: str) -> None:
    steps = ["one", "two", "three"]
    place = builder.path.joinpath(*steps[: depth + 1])
    place.parent.mkdir(parents=True, exist_ok=True)
    goals = {"inside": builder.path / "state", "outside": builder.path.parent / "victim", "missing": Path("nowhere")}
    goals["outside"].mkdir()
    place.symlink_to(goals[target])
    folder = builder.path.joinpath(*steps)
    name = "/".join(steps[: depth + 1])
    assert find_folder_problem(builder.path, folder) == f"`{name}` is a symbolic link"
    with pytest.raises(UnsafeError, match="is a symbolic link"):
        check_output_folder(builder.path, folder)
    assert not list(goals["outside"].iterdir())


def test_a_submodule_on_the_way_is_committed(builder: RepoBuilder) -> None:
    builder.git("update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},.promptci/cache")
    (builder.path / ".promptci" / "cache").mkdir(parents=True)
    assert (
        find_folder_problem(builder.path, builder.path / ".promptci/cache/v1")
        == "`.promptci/cache` is committed to git"
    )


def test_files_of_the_tested_commit_count_where_another_one_is_checked_out(builder: RepoBuilder) -> None:
    builder.branch("pr").write({".promptci/cache/answers.jsonl": "{}"}).commit("forged")
    builder.git("switch", "--quiet", "main")
    folder = builder.path / ".promptci" / "cache"
    assert find_folder_problem(builder.path, folder) is None
    with closing(Repo.discover(builder.path).snapshot("pr")) as head:
        problem = find_folder_problem(builder.path, folder, head)
    assert problem == "`.promptci/cache/answers.jsonl` is committed to git"


def test_names_are_not_patterns(builder: RepoBuilder) -> None:
    assert find_folder_problem(builder.path, builder.path / "st*") is None
    assert find_folder_problem(builder.path, builder.path / ":(top)") is None


def test_a_repository_named_through_a_link_is_the_same(builder: RepoBuilder) -> None:
    named = builder.path.parent / "named"
    named.symlink_to(builder.path)
    assert find_folder_problem(named, named / "state") == "`state/kept/x.jsonl` is committed to git"
    assert find_folder_problem(named, named / "out") is None


@pytest.mark.parametrize("folder", ["../x", "/tmp/x-of-promptci", "a/../../x"])
def test_the_workspace_is_not_left(builder: RepoBuilder, folder: str) -> None:
    with pytest.raises(UnsafeError, match="outside of the workspace"):
        check_output_folder(builder.path, builder.path / folder, inside=builder.path)
    check_output_folder(builder.path, builder.path / "x", inside=builder.path)


def test_a_folder_that_cannot_be_opened_is_no_crash(builder: RepoBuilder) -> None:
    if os.geteuid() == 0:
        assert (
            find_folder_problem(builder.path, builder.path / ("x" * 300)) == "it cannot be opened: File name too long"
        )


def test_a_refused_output_folder_is_not_recommended(builder: RepoBuilder) -> None:
    builder.write({"promptci-report/x": "x"}).commit("report")
    with pytest.raises(UnsafeError) as caught:
        check_output_folder(builder.path, builder.path / "promptci-report")
    assert "takes it out of git, or choose another folder" in caught.value.hint
