"""What root wrote belongs to the workspace's owner afterwards, and nothing else does."""

import os
from pathlib import Path

import pytest

from promptci.publish.runner.file_ownership import chown_to_workspace

OWNER = (1001, 1001)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def owner(path: Path) -> tuple[int, int]:
    result = path.lstat()
    return result.st_uid, result.st_gid


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    if os.geteuid() == 0:
        os.chown(folder, *OWNER)
    return folder


@as_root
def test_folders_and_all_that_is_in_them_are_handed_over(workspace: Path) -> None:
    deep = workspace / "out" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "report.html").touch()
    (workspace / "out" / "hidden").mkdir(mode=0o000)
    chown_to_workspace([workspace / "out"], workspace)

    assert {owner(path) for path in [workspace / "out", *(workspace / "out").rglob("*")]} == {OWNER}


@as_root
def test_the_folders_on_the_way_are_handed_over_too(workspace: Path) -> None:
    (workspace / "made" / "too").mkdir(parents=True)
    (workspace / "made" / "too" / "report.html").touch()
    (workspace / "made" / "not-ours").touch()
    chown_to_workspace([workspace / "made" / "too" / "report.html"], workspace)

    assert owner(workspace / "made") == owner(workspace / "made" / "too") == OWNER
    assert owner(workspace / "made" / "not-ours") == (0, 0)


@as_root
def test_a_link_is_given_and_what_it_points_to_is_not(workspace: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shadow").touch()
    (workspace / "out").mkdir()
    (workspace / "out" / "file").symlink_to(outside / "shadow")
    (workspace / "out" / "folder").symlink_to(outside)
    chown_to_workspace([workspace / "out"], workspace)

    assert owner(workspace / "out" / "folder") == owner(workspace / "out" / "file") == OWNER
    assert owner(outside) == owner(outside / "shadow") == (0, 0)


@as_root
def test_a_link_on_the_way_is_not_followed(workspace: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "report.html").touch()
    (workspace / "out").symlink_to(outside)
    chown_to_workspace([workspace / "out" / "report.html", workspace / "out" / ".." / "x"], workspace)

    assert owner(outside / "report.html") == (0, 0)


@as_root
def test_a_file_elsewhere_is_handed_over_without_its_folder(workspace: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "runner_temp"
    elsewhere.mkdir()
    (elsewhere / "journal.jsonl").touch()
    chown_to_workspace([elsewhere / "journal.jsonl"], workspace)

    assert owner(elsewhere / "journal.jsonl") == OWNER
    assert owner(elsewhere) == (0, 0)


@as_root
def test_what_is_missing_is_passed_over(workspace: Path) -> None:
    (workspace / "there").touch()
    chown_to_workspace([workspace / "missing", workspace / "no" / "folder", workspace / "there"], workspace)

    assert owner(workspace / "there") == OWNER


@as_root
def test_the_workspace_itself_and_the_repositorys_own_files_are_left_alone(workspace: Path) -> None:
    (workspace / "tracked").touch()
    (workspace / "out").mkdir()
    chown_to_workspace([workspace / "out"], workspace)

    assert owner(workspace / "tracked") == (0, 0)


@as_root
def test_who_is_not_root_changes_nothing(workspace: Path) -> None:
    (workspace / "out").touch()
    os.seteuid(65534)
    try:
        chown_to_workspace([workspace / "out"], workspace)
    finally:
        os.seteuid(0)

    assert owner(workspace / "out") == (0, 0)
