"""Repositories in odd states: shallow, of another kind, half merged, with links, pipes and secrets in the way."""

import os
import shutil
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder, clone_of

from promptci.errors import GitError, InputError
from promptci.git import command
from promptci.git.repo import Repo

ZEROS = "0" * 40


@pytest.fixture
def built(tmp_path: Path) -> RepoBuilder:
    builder = RepoBuilder(tmp_path / "repo")
    builder.write({"a.txt": "one\n", "b.txt": "two\n", ".gitignore": ".env\n"}).commit("base")
    return builder


def changes(repo: Repo, base: str, head: str) -> list[tuple[str | None, str | None, str]]:
    with closing(repo.snapshot(base)) as before, closing(repo.snapshot(head)) as after:
        return [(c.base_path, c.head_path, c.kind) for c in repo.changes(before, after)]


def counting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put a git on PATH that writes down each call before it makes it."""
    calls, folder = tmp_path / "calls", tmp_path / "bin"
    folder.mkdir()
    (folder / "git").write_text(f'#!/bin/sh\necho "$*" >> {calls}\nexec {shutil.which("git")} "$@"\n')
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return calls


def test_nothing_changed_is_known_after_few_and_short_calls_of_git(
    built: RepoBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built.write({f"many/{i}.txt": f"{i}\n" for i in range(5000)}).commit()
    built.write({"README.md": "words\n"}).commit()
    calls = counting(tmp_path, monkeypatch)
    started = time.process_time()
    repo = Repo.discover(built.path)
    with closing(repo.snapshot("HEAD~1")) as base, closing(repo.snapshot("HEAD")) as head:
        assert [c.head_path for c in repo.changes(base, head)] == ["README.md"]
        assert len(head.glob("many/**")) == 5000
        assert [head.read(path) for path in ("a.txt", "b.txt", "gone")] == [b"one\n", b"two\n", None]
    assert time.process_time() - started < 30
    assert len(calls.read_text().splitlines()) == 3  # one diff, one tree, one reader of revisions and objects


def test_a_change_of_mode_alone_is_none_in_the_working_tree_either(built: RepoBuilder) -> None:
    (built.path / "a.txt").chmod(0o755)
    assert changes(built.repo, "HEAD", ".") == []
    built.write({"a.txt": "other\n"})
    assert changes(built.repo, "HEAD", ".") == [("a.txt", "a.txt", "changed")]


def test_a_file_left_on_disk_but_not_in_the_index_is_still_there(built: RepoBuilder) -> None:
    built.git("rm", "--quiet", "--cached", "a.txt", "b.txt")
    built.write({"b.txt": "edited\n"})
    assert changes(built.repo, "HEAD", ".") == [("b.txt", "b.txt", "changed")]


def test_a_file_in_conflict_is_one_change_and_one_path(built: RepoBuilder) -> None:
    built.branch("topic").write({"a.txt": "theirs\n"}).commit()
    built.git("switch", "--quiet", "main")
    built.write({"a.txt": "ours\n"}).commit()
    with pytest.raises(AssertionError):
        built.git("merge", "topic")
    assert changes(built.repo, "HEAD", ".") == [("a.txt", "a.txt", "changed")]
    with closing(built.repo.snapshot(".")) as tree:
        assert tree.paths() == (".gitignore", "a.txt", "b.txt")


@pytest.mark.parametrize("head", ["HEAD", "."])
def test_a_file_that_became_a_link_changed(built: RepoBuilder, head: str) -> None:
    built.remove("a.txt").link("a.txt", "b.txt")
    base = built.git("rev-parse", "HEAD")
    if head == "HEAD":
        built.commit()
    assert changes(built.repo, base, head) == [("a.txt", "a.txt", "changed")]


@pytest.mark.parametrize("path", [".env", ".git/config", "./a.txt", "a.txt/", "", "a\0b", "a" * 5000, "b.txt/x"])
def test_what_git_ignores_or_keeps_for_itself_is_not_there_to_read(built: RepoBuilder, path: str) -> None:
    built.write({".env": "KEY=sk-secret\n"})
    with closing(built.repo.snapshot(".")) as tree:
        assert tree.read(path) is None


def test_a_tracked_file_that_became_a_pipe_is_refused_without_waiting(built: RepoBuilder) -> None:
    built.remove("a.txt")
    os.mkfifo(built.path / "a.txt")
    with closing(built.repo.snapshot(".")) as tree, pytest.raises(InputError, match="pipe"):
        tree.read("a.txt")


def test_a_tracked_folder_that_became_a_link_is_refused(built: RepoBuilder, tmp_path: Path) -> None:
    built.write({"prompts/x.txt": "inside\n"}).commit()
    shutil.rmtree(built.path / "prompts")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.txt").write_text("outside\n")
    built.link("prompts", str(tmp_path / "elsewhere"))
    with closing(built.repo.snapshot(".")) as tree, pytest.raises(InputError, match="symbolic link"):
        tree.read("prompts/x.txt")


def test_names_that_are_no_utf8_or_decomposed_survive(built: RepoBuilder) -> None:
    names = [os.fsdecode(b"bad\xff.txt"), "e\u0301.txt", 'line\nbreak "quoted".txt', "-dash.txt"]
    built.write({name: name.encode("utf-8", "surrogateescape") for name in names}).commit()
    for rev in ("HEAD", "."):
        with closing(built.repo.snapshot(rev)) as snapshot:
            assert set(names) <= set(snapshot.paths())
            assert [snapshot.read(name) for name in names] == [n.encode("utf-8", "surrogateescape") for n in names]


def test_fetching_a_commit_does_not_cut_off_the_history_of_a_whole_clone(built: RepoBuilder, tmp_path: Path) -> None:
    old = built.git("rev-parse", "HEAD")
    repo = clone_of(built, tmp_path / "clone")
    new = built.write({"a.txt": "newer\n"}).commit()
    refs = command.run_git(repo.root, "for-each-ref")
    assert repo.resolve(new) == new
    assert repo.merge_base(new, "HEAD") == old
    assert not (repo.root / ".git" / "shallow").exists()
    assert command.run_git(repo.root, "for-each-ref") == refs


def test_a_shallow_clone_is_deepened_until_the_merge_base_is_known(built: RepoBuilder, tmp_path: Path) -> None:
    fork_point = built.git("rev-parse", "HEAD")
    built.branch("pr").write({"a.txt": "pr\n"}).commit()
    built.git("switch", "--quiet", "main")
    tip = ""
    for i in range(60):
        tip = built.write({"b.txt": f"{i}\n"}).commit()
    repo = clone_of(built, tmp_path / "clone", "--depth=1", "--branch=pr")
    assert repo.merge_base(tip, "HEAD") == fork_point


def test_the_merge_base_is_found_where_the_head_is_a_merge_that_only_the_clone_has(
    built: RepoBuilder, tmp_path: Path
) -> None:
    for i in range(3):
        built.write({"b.txt": f"{i}\n"}).commit()
    main = built.git("rev-parse", "HEAD")
    repo = clone_of(built, tmp_path / "clone", "--depth=1")
    local = RepoBuilder(repo.root)
    local.write({"a.txt": "local\n"}).commit()
    for i in range(3):
        built.write({"b.txt": f"more {i}\n"}).commit()
    assert repo.merge_base(built.git("rev-parse", "HEAD"), "HEAD") == main


def test_a_shallow_clone_without_its_origin_names_fetch_depth(built: RepoBuilder, tmp_path: Path) -> None:
    base = built.git("rev-parse", "HEAD")
    built.write({"a.txt": "two\n"}).commit()
    repo = clone_of(built, tmp_path / "clone", "--depth=1")
    RepoBuilder(repo.root).git("remote", "remove", "origin")
    with pytest.raises(GitError, match="fetch-depth: 0"):
        repo.merge_base(base, "HEAD")


def test_the_first_push_of_a_branch_parts_from_nothing(built: RepoBuilder) -> None:
    assert built.repo.merge_base(ZEROS, "HEAD") == ZEROS
    with closing(built.repo.snapshot(ZEROS)) as nothing:
        assert (nothing.paths(), nothing.label, nothing.read("a.txt")) == ((), "the empty tree", None)


def test_a_repository_of_sha256_is_read_like_any_other(tmp_path: Path) -> None:
    built = RepoBuilder(tmp_path / "long", "--object-format=sha256")
    first = built.write({"a.txt": "one\n"}).commit()
    built.write({"a.txt": "two\n", "b.txt": "x\n"}).commit()
    assert len(first) == 64
    assert changes(built.repo, "0" * 64, first) == [(None, "a.txt", "added")]
    assert changes(built.repo, first, "HEAD") == [("a.txt", "a.txt", "changed"), (None, "b.txt", "added")]
    built.write({"b.txt": "y\n"})
    assert changes(built.repo, first, ".") == [("a.txt", "a.txt", "changed"), (None, "b.txt", "added")]


@pytest.mark.long
def test_thousands_of_unlike_files_gone_and_come_do_not_take_minutes(built: RepoBuilder) -> None:
    words = [f"{i * 7919 % 65_537:x}\n" for i in range(40 * 3000)]
    built.write({f"old/{i}.txt": "".join(words[40 * i : 40 * i + 40]) for i in range(1500)})
    built.write({f"kept/{i}.txt": f"same {i}\n" for i in range(1500)}).commit()
    shutil.rmtree(built.path / "old")
    (built.path / "kept").rename(built.path / "moved")
    built.write({f"new/{i}.txt": "".join(words[-40 * i - 40 : -40 * i or None]) for i in range(1500)}).commit()
    started = time.process_time()
    result = changes(built.repo, "HEAD~1", "HEAD")
    assert time.process_time() - started < 30
    renamed = {after for _, after, kind in result if kind == "renamed"}
    assert {f"moved/{i}.txt" for i in range(1500)} <= renamed  # what only moved is found among any number


def test_a_linked_working_tree_is_a_repository(built: RepoBuilder, tmp_path: Path) -> None:
    built.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "side"))
    (tmp_path / "side" / "a.txt").write_text("side\n")
    repo = Repo.discover(tmp_path / "side")
    assert changes(repo, "HEAD", ".") == [("a.txt", "a.txt", "changed")]


def test_a_repository_without_a_commit_is_said(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="has no commit yet"):
        RepoBuilder(tmp_path).repo.resolve("HEAD")
    with pytest.raises(GitError, match="has no commit yet"):  # not that a default branch is missing
        RepoBuilder(tmp_path).repo.default_branch()


def test_a_lost_object_is_said_and_the_rest_still_read(built: RepoBuilder) -> None:
    oid = built.git("rev-parse", "HEAD:a.txt")
    place = built.path / ".git" / "objects" / oid[:2] / oid[2:]
    place.unlink()
    with closing(built.repo.snapshot("HEAD")) as snapshot:
        with pytest.raises(GitError, match="no content"):
            snapshot.read("a.txt")
        assert snapshot.read("b.txt") == b"two\n"


def test_reading_goes_on_after_closing(built: RepoBuilder) -> None:
    snapshot = built.repo.snapshot("HEAD")
    for _ in range(2):
        assert snapshot.read("a.txt") == b"one\n"
        snapshot.close()
    snapshot.close()


def test_git_s_complaint_shows_no_password_and_no_control_signs() -> None:
    message = b"warning: old\nfatal: unable to access 'https://x-access-token:ghs_secret@github.com/a/b/': \x1b[31mno\n"
    done = subprocess.CompletedProcess([], 128, b"", message)
    assert command.error_message(done) == "fatal: unable to access 'https://github.com/a/b/': [31mno"


def test_what_a_fetch_needs_reaches_git_and_what_redirects_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSH_AUTH_SOCK", "HTTPS_PROXY", "GIT_DIR", "GIT_INDEX_FILE", "GIT_CONFIG_COUNT", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "x")
    environment = command.build_environment()
    assert {"SSH_AUTH_SOCK", "HTTPS_PROXY"} <= environment.keys()
    assert not {"GIT_DIR", "GIT_INDEX_FILE", "GIT_CONFIG_COUNT", "OPENAI_API_KEY"} & environment.keys()
