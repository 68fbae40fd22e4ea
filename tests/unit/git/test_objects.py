"""One process of git reads for all snapshots of a repository that are open."""

import os
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder

from promptci.errors import GitError, InputError
from promptci.git.objects import MAX_KEPT_BYTES, MAX_PENDING, ObjectReader


@pytest.fixture
def built(tmp_path: Path) -> RepoBuilder:
    builder = RepoBuilder(tmp_path / "repo").write({"a.txt": "one\n"})
    builder.commit("base")
    builder.git("tag", "-a", "-m", "the first", "v1")
    builder.write({"a.txt": "two\n"}).commit("head")
    return builder


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file to which each call of git appends a line."""
    git, log = shutil.which("git"), tmp_path / "calls"
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\necho "$*" >> {log}\nexec {git} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return log


def test_two_snapshots_are_resolved_and_read_by_one_process(built: RepoBuilder, calls: Path) -> None:
    repo = built.repo
    with closing(repo.snapshot("HEAD~1")) as base, closing(repo.snapshot("main")) as head:
        assert base.read("a.txt") == b"one\n"
        assert head.read("a.txt") == b"two\n"
    commands = [line.split(" -c ")[-1].split()[1] for line in calls.read_text().splitlines()]
    assert commands == ["cat-file", "ls-tree", "ls-tree"]


def test_files_read_ahead_are_what_is_read_one_by_one(built: RepoBuilder) -> None:
    big = "x" * (MAX_KEPT_BYTES + 1)
    built.write({f"many/{number}.txt": f"text {number}" for number in range(2 * MAX_PENDING + 1)} | {"big.txt": big})
    (built.path / "link").symlink_to("a.txt")
    built.commit("many files")
    with closing(built.repo.snapshot("HEAD")) as head:
        plain = [path for path in head.paths() if path != "link"]
        one_by_one = {path: head.read(path) for path in plain}
    with closing(built.repo.snapshot("HEAD")) as head:
        head.read_ahead([*head.paths(), "no such file"])
        assert {path: head.read(path) for path in plain} == one_by_one
        with pytest.raises(InputError, match="symbolic link"):
            head.read("link")


def test_a_snapshot_can_be_read_when_another_is_closed(built: RepoBuilder) -> None:
    repo = built.repo
    with closing(repo.snapshot("HEAD~1")) as base:
        head = repo.snapshot("HEAD")
        head.close()
        head.close()
        assert base.read("a.txt") == b"one\n"


@pytest.mark.parametrize(
    "rev",
    ["HEAD", "main", "v1", "HEAD~1", "v1^{}", "HEAD^{tree}", "HEAD:a.txt", "no-such", "main@{9999}", "a b", "x\ny"],
)
def test_revisions_are_those_of_rev_parse(built: RepoBuilder, rev: str) -> None:
    with closing(ObjectReader(built.path).open()) as objects:
        commit = objects.find_commit(rev)
        assert objects.find_commit("HEAD") == built.repo.resolve("HEAD")
    try:
        expected = built.repo.resolve(rev)
    except GitError:
        expected = None
    assert commit == expected


def test_an_unknown_revision_leaves_no_process(built: RepoBuilder) -> None:
    repo = built.repo
    with pytest.raises(GitError, match="There is no commit `no-such`"):
        repo.snapshot("no-such")
    with closing(repo.snapshot("HEAD")) as snapshot:
        assert snapshot.read("a.txt") == b"two\n"
