"""A branch that is never checked out: whole under several writers, and never rewritten without a word."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes.repo import ENVIRON, RepoBuilder, clone_of
from support import processes
from support.daily import first_daily
from support.processes import LONGEST_S

from promptci.errors import GitError
from promptci.git import data_branch, new_commit
from promptci.git.data_branch import BranchFiles, DataBranch, find_branch


@pytest.fixture(autouse=True)
def _identity(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def origin(tmp_path: Path) -> RepoBuilder:
    builder = RepoBuilder(tmp_path / "origin")
    builder.write({"README.md": "shop\n"}).commit("first")
    builder.write({"README.md": "a shop\n"}).commit("second")
    return builder


def add_line(text: bytes, path: str = "log.jsonl") -> Callable[[BranchFiles], dict[str, bytes | None]]:
    return lambda files: {path: (files.read(path) or b"") + text + b"\n"}


def test_the_branch_begins_without_a_parent_and_leaves_the_working_tree_alone(origin: RepoBuilder) -> None:
    branch = DataBranch(root=origin.path)
    head, index = origin.git("rev-parse", "HEAD"), (origin.path / ".git/index").read_bytes()
    commit = branch.append(add_line(b"one"), "add a line")
    assert origin.git("rev-list", "--parents", "promptci/history") == commit
    assert origin.git("show", "promptci/history:log.jsonl") == "one"
    assert origin.git("log", "--format=%s", "promptci/history") == "add a line"
    assert (origin.git("rev-parse", "HEAD"), origin.git("status", "--porcelain")) == (head, "")
    assert (origin.path / ".git/index").read_bytes() == index


def test_nothing_new_is_no_commit(origin: RepoBuilder) -> None:
    branch = DataBranch(root=origin.path)
    first = branch.append(lambda _: {"a": b"1"}, "first")
    assert branch.append(lambda _: {"a": b"1"}, "again") is None
    assert branch.append(lambda _: {}, "nothing") is None
    assert branch.files().commit == first


def test_files_are_added_changed_deleted_and_listed(origin: RepoBuilder) -> None:
    branch = DataBranch(root=origin.path)
    branch.append(lambda _: {"nights/2026/03-02.jsonl": b"n", "audit/2026-03.jsonl": b"a", "FORMAT": b"1\n"}, "first")
    branch.append(lambda _: {"nights/2026/03-02.jsonl": None, "audit/2026-04.jsonl": b"\0\xff\n"}, "second")
    files = branch.files()
    assert files.list_paths() == ["FORMAT", "audit/2026-03.jsonl", "audit/2026-04.jsonl"]
    assert files.list_paths("audit") == ["audit/2026-03.jsonl", "audit/2026-04.jsonl"]
    assert files.list_paths("nights") == []
    assert files.read("audit/2026-04.jsonl") == b"\0\xff\n"
    assert files.read("nights/2026/03-02.jsonl") is None
    assert files.read("audit") is None


def test_a_branch_that_is_not_there_has_no_files(origin: RepoBuilder) -> None:
    files = DataBranch(root=origin.path).files()
    assert (files.commit, files.list_paths(), files.read("a")) == (None, [], None)


def test_a_link_on_the_branch_is_not_listed(origin: RepoBuilder) -> None:
    origin.link("link", "/etc/passwd").commit()
    files = BranchFiles(root=origin.path, commit=origin.git("rev-parse", "HEAD"))
    assert files.list_paths() == ["README.md"]


def test_without_an_identity_the_commits_are_promptcis(origin: RepoBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    for role in ("AUTHOR", "COMMITTER"):
        for key in ("NAME", "EMAIL"):
            monkeypatch.delenv(f"GIT_{role}_{key}")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.useConfigOnly")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "true")
    DataBranch(root=origin.path).append(lambda _: {"a": b"1"}, "first")
    assert origin.git("log", "--format=%an <%ae>", "promptci/history") == "promptci <promptci@localhost>"


@pytest.mark.parametrize("options", first_daily([[], ["--depth=1"]]), ids=["whole", "shallow"])
def test_it_is_pushed_and_another_clone_goes_on(tmp_path: Path, origin: RepoBuilder, options: list[str]) -> None:
    first, second = (clone_of(origin, tmp_path / name, *options).root for name in ("first", "second"))
    DataBranch(root=first, remote="origin").append(add_line(b"one"), "one")
    DataBranch(root=second, remote="origin").append(add_line(b"two"), "two")
    DataBranch(root=first, remote="origin").append(add_line(b"three"), "three")
    assert origin.git("show", "promptci/history:log.jsonl") == "one\ntwo\nthree"
    assert origin.git("rev-list", "--count", "promptci/history") == "3"
    assert DataBranch(root=first, remote="origin").files().commit == origin.git("rev-parse", "promptci/history")
    shallow = subprocess.check_output(["git", "-C", str(first), "rev-parse", "--is-shallow-repository"], text=True)
    assert shallow.strip() == ("true" if options else "false")


def test_an_earlier_writer_is_not_overwritten(
    tmp_path: Path, origin: RepoBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_commit, "MAX_WAIT_S", 0)
    first, second = (clone_of(origin, tmp_path / name).root for name in ("first", "second"))
    calls = []

    def change(files: BranchFiles) -> dict[str, bytes | None]:
        calls.append(files.commit)
        if len(calls) < 3:  # somebody else writes between our look and our push
            DataBranch(root=second, remote="origin").append(add_line(f"other {len(calls)}".encode()), "other")
        return add_line(b"ours")(files)

    DataBranch(root=first, remote="origin").append(change, "ours")
    assert len(calls) == 3
    assert origin.git("show", "promptci/history:log.jsonl") == "other 1\nother 2\nours"


def test_a_writer_who_never_comes_first_gives_up(
    tmp_path: Path, origin: RepoBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(new_commit, "MAX_WAIT_S", 0)
    monkeypatch.setattr(new_commit, "MAX_TRIES", 2)
    first, second = (clone_of(origin, tmp_path / name).root for name in ("first", "second"))

    def change(files: BranchFiles) -> dict[str, bytes | None]:
        DataBranch(root=second, remote="origin").append(add_line(b"other"), "other")
        return add_line(b"ours")(files)

    with pytest.raises(GitError, match="others write at the same time"):
        DataBranch(root=first, remote="origin").append(change, "ours")
    assert origin.git("show", "promptci/history:log.jsonl") == "other\nother"


def test_four_processes_write_at_once_and_nothing_is_lost(tmp_path: Path, origin: RepoBuilder) -> None:
    program = (
        "import sys; from pathlib import Path; from promptci.git.data_branch import DataBranch\n"
        "branch = DataBranch(root=Path(sys.argv[1]), remote='origin')\n"
        "for number in range(3):\n"
        "    line = f'{sys.argv[2]} {number}\\n'.encode()\n"
        "    branch.append(lambda files: {'log': (files.read('log') or b'') + line}, 'add')\n"
    )
    writers = []
    for name in "abcd":
        root = clone_of(origin, tmp_path / name).root
        writers.append(processes.start([sys.executable, "-c", program, root, name]))
    assert [writer.wait(timeout=LONGEST_S) for writer in writers] == [0] * 4
    lines = origin.git("show", "promptci/history:log").splitlines()
    assert sorted(lines) == [f"{name} {number}" for name in "abcd" for number in range(3)]
    assert origin.git("rev-list", "--count", "promptci/history") == "12"


def test_a_rewritten_branch_is_refused_and_the_clone_keeps_what_it_had(tmp_path: Path, origin: RepoBuilder) -> None:
    clone = DataBranch(root=clone_of(origin, tmp_path / "clone").root, remote="origin")
    known = clone.append(add_line(b"one"), "one")
    origin.git("branch", "--force", "promptci/history", "main")
    with pytest.raises(GitError, match="was rewritten at origin"):
        clone.append(add_line(b"two"), "two")
    assert clone.files().commit == known
    origin.git("branch", "--delete", "--force", "promptci/history")
    with pytest.raises(GitError, match="was deleted at origin"):
        clone.append(add_line(b"two"), "two")


def test_a_remote_that_takes_no_push_is_an_error_with_a_hint(tmp_path: Path, origin: RepoBuilder) -> None:
    clone = DataBranch(root=clone_of(origin, tmp_path / "clone").root, remote="origin")
    hook = origin.path / ".git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(GitError) as caught:
        clone.append(add_line(b"one"), "one")
    assert "contents: write" in caught.value.hint
    assert clone.files().commit is None


def test_a_huge_file_is_not_read(origin: RepoBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    branch = DataBranch(root=origin.path)
    branch.append(lambda _: {"a": b"1" * 100}, "first")
    monkeypatch.setattr(data_branch, "MAX_FILE_BYTES", 99)
    with pytest.raises(GitError, match="a on the history branch is over"):
        branch.files().read("a")


def test_the_branch_is_the_remotes_where_there_is_one(tmp_path: Path, origin: RepoBuilder) -> None:
    clone = clone_of(origin, tmp_path / "clone")
    assert find_branch(clone.root, "origin").ref == "refs/remotes/origin/promptci/history"
    assert find_branch(origin.path, "origin").ref == "refs/heads/promptci/history"
