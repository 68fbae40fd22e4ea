"""Revisions, snapshots and changes, over real repositories."""

import os
from contextlib import closing
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder, clone_of

from promptci.errors import GitError, InputError
from promptci.git import command
from promptci.git.changes import FileChange
from promptci.git.repo import Repo
from promptci.git.safe_open import SizeLimit

LONG = "".join(f"line {i}\n" for i in range(40))
ODD = 'prompts/o"d\nd é.prompt.yml'


@pytest.fixture
def built(tmp_path: Path) -> RepoBuilder:
    builder = RepoBuilder(tmp_path / "repo")
    builder.write({"a.txt": "one\n", "b.txt": LONG, "c.txt": "gone\n", "d.sh": "x\n", "keep.txt": LONG + "k\n"})
    builder.commit("base")
    return builder


def changes(builder: RepoBuilder, base: str, head: str) -> list[tuple[str | None, str | None, str]]:
    repo = builder.repo
    with closing(repo.snapshot(base)) as before, closing(repo.snapshot(head)) as after:
        return [(c.base_path, c.head_path, c.kind) for c in repo.changes(before, after)]


def test_every_kind_of_change_is_told_apart(built: RepoBuilder) -> None:
    built.write(
        {"a.txt": "two\n", "new.txt": "n\n", ODD: "odd\n", "copy.txt": LONG + "k\n", "keep.txt": LONG + "edited\n"}
    )
    built.rename("b.txt", "moved/b.txt").remove("c.txt")
    (built.path / "d.sh").chmod(0o755)
    built.commit()
    assert changes(built, "HEAD~1", "HEAD") == [
        ("a.txt", "a.txt", "changed"),
        ("c.txt", None, "deleted"),
        ("keep.txt", "copy.txt", "copied"),
        ("keep.txt", "keep.txt", "changed"),
        ("b.txt", "moved/b.txt", "renamed"),
        (None, "new.txt", "added"),
        (None, ODD, "added"),
    ]


def test_a_rename_with_edits_is_a_rename(built: RepoBuilder) -> None:
    built.rename("b.txt", "other.txt").write({"other.txt": LONG.replace("line 7", "line seven")}).commit()
    assert changes(built, "HEAD~1", "HEAD") == [("b.txt", "other.txt", "renamed")]


def test_a_rename_of_case_only_is_a_rename(built: RepoBuilder) -> None:
    built.rename("b.txt", "B.txt").commit()
    assert changes(built, "HEAD~1", "HEAD") == [("b.txt", "B.txt", "renamed")]


def test_the_working_tree_shows_what_is_not_committed_nor_even_tracked(built: RepoBuilder) -> None:
    built.write({"a.txt": "two\n", "new.txt": "n\n", ".gitignore": "ignored\n", "ignored": "x"})
    built.rename("b.txt", "moved.txt").remove("c.txt")
    assert changes(built, "HEAD", ".") == [
        (None, ".gitignore", "added"),
        ("a.txt", "a.txt", "changed"),
        ("c.txt", None, "deleted"),
        ("b.txt", "moved.txt", "renamed"),
        (None, "new.txt", "added"),
    ]


def test_an_unchanged_working_tree_has_no_changes(built: RepoBuilder) -> None:
    assert changes(built, "HEAD", ".") == []


def test_the_first_push_of_a_branch_is_compared_with_nothing(built: RepoBuilder) -> None:
    assert {kind for _, _, kind in changes(built, "0" * 40, "HEAD")} == {"added"}


@pytest.mark.long
def test_ten_thousand_changed_files(built: RepoBuilder) -> None:
    built.write({f"many/{i}.txt": f"{i}\n" for i in range(10_000)}).commit()
    assert len(changes(built, "HEAD~1", "HEAD")) == 10_000


def test_files_are_read_at_their_revision_without_a_checkout(built: RepoBuilder) -> None:
    built.write({"a.txt": "two\n"}).commit()
    built.write({"a.txt": "three\n"})
    repo = built.repo
    for rev, content in (("HEAD~1", b"one\n"), ("HEAD", b"two\n"), (".", b"three\n")):
        with closing(repo.snapshot(rev)) as snapshot:
            assert snapshot.read("a.txt") == content
            assert snapshot.read("nowhere.txt") is None
            assert snapshot.read("a.txt/below") is None
    assert (built.path / "a.txt").read_text() == "three\n"


def test_reading_many_files_takes_one_process(built: RepoBuilder) -> None:
    built.write({f"p/{i}.txt": f"{i}" * i for i in range(50)}).commit()
    with closing(built.repo.snapshot("HEAD")) as snapshot:
        assert [snapshot.read(f"p/{i}.txt") for i in range(50)] == [(f"{i}" * i).encode() for i in range(50)]
        assert len(snapshot.glob("p/*.txt")) == 50


@pytest.mark.parametrize("rev", ["HEAD", "."])
def test_a_symbolic_link_is_refused_wherever_it_leads(built: RepoBuilder, rev: str) -> None:
    built.link("evil.prompt.yml", "/etc/passwd").link("folder", "/etc").commit()
    with closing(built.repo.snapshot(rev)) as snapshot:
        with pytest.raises(InputError, match="symbolic link"):
            snapshot.read("evil.prompt.yml")
        if rev == ".":
            with pytest.raises(InputError, match="symbolic link"):
                snapshot.read("folder/passwd")
            with pytest.raises(InputError, match="out of the repository"):
                snapshot.read("../x")


def test_a_device_or_pipe_in_the_working_tree_is_refused(built: RepoBuilder) -> None:
    os.mkfifo(built.path / "pipe")
    with closing(built.repo.snapshot(".")) as snapshot, pytest.raises(InputError, match="pipe"):
        snapshot.read("pipe")


def test_a_submodule_is_refused(built: RepoBuilder) -> None:
    built.git("update-index", "--add", "--cacheinfo", f"160000,{built.git('rev-parse', 'HEAD')},sub")
    built.git("commit", "--quiet", "--message=sub")
    with closing(built.repo.snapshot("HEAD")) as snapshot, pytest.raises(InputError, match="submodule"):
        snapshot.read("sub")


def test_a_huge_file_is_refused(built: RepoBuilder) -> None:
    built.write({"huge.bin": b"\0" * (16 * 2**20 + 1), "after.txt": "fine"}).commit()
    for rev in ("HEAD", "."):
        with closing(built.repo.snapshot(rev)) as snapshot:
            with pytest.raises(InputError, match="bytes"):
                snapshot.read("huge.bin")
            assert snapshot.read("after.txt") == b"fine"


@pytest.mark.parametrize("rev", ["--upload-pack=x", "", " ", "nope", "a\0b"])
def test_what_is_no_revision_is_refused_in_words(built: RepoBuilder, rev: str) -> None:
    with pytest.raises(GitError):
        built.repo.resolve(rev)


def test_the_merge_base_is_where_the_branch_left(built: RepoBuilder) -> None:
    fork_point = built.git("rev-parse", "HEAD")
    built.branch("pr").write({"a.txt": "pr\n"}).commit()
    built.git("switch", "--quiet", "main")
    built.write({"c.txt": "main moved on\n"}).commit()
    assert built.repo.default_branch() == "main"
    assert built.repo.merge_base("main", "pr") == fork_point


def test_of_several_merge_bases_the_newest_is_taken(built: RepoBuilder) -> None:
    """After each line was merged into the other, both of the commits merged are where the lines part."""
    old, new = cross(built)
    assert set(built.git("merge-base", "--all", "main", "pr").split()) == {old, new}
    for lines in (("main", "pr"), ("pr", "main")):
        assert built.repo.merge_bases(*lines) == (new, old)
        assert built.repo.merge_base(*lines) == new


def cross(built: RepoBuilder) -> tuple[str, str]:
    """Merge main and pr into each other; return the older and the newer commit that was merged."""
    built.branch("pr").write({"p.txt": "pr\n"}).commit()
    old = built.git("rev-parse", "HEAD")
    built.git("switch", "--quiet", "main")
    built.write({"m.txt": "main\n"}).git("add", "--all")
    tree = built.git("write-tree")
    committer = "Ann <ann@example.com> 1893456000 +0000"
    raw = f"tree {tree}\nparent {built.git('rev-parse', 'main')}\nauthor {committer}\ncommitter {committer}\n\nlater\n"
    (built.path / ".git" / "raw").write_text(raw)
    new = built.git("hash-object", "-t", "commit", "-w", str(built.path / ".git" / "raw"))
    built.git("reset", "--quiet", "--hard", new)
    built.git("merge", "--quiet", "--no-edit", old)
    built.git("switch", "--quiet", "pr")
    built.git("merge", "--quiet", "--no-edit", new)
    return old, new


def test_histories_that_never_met_are_said(built: RepoBuilder) -> None:
    built.git("switch", "--quiet", "--orphan", "island")
    built.write({"i.txt": "x"}).commit()
    with pytest.raises(GitError, match="no common history"):
        built.repo.merge_base("main", "island")


def test_no_default_branch_is_said(tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path)
    builder.git("switch", "--quiet", "--create", "topic")
    builder.write({"a": "a"}).commit()
    with pytest.raises(GitError, match="--base"):
        builder.repo.default_branch()


def test_a_shallow_clone_fetches_the_one_commit_it_lacks(built: RepoBuilder, tmp_path: Path) -> None:
    base = built.git("rev-parse", "HEAD")
    built.write({"a.txt": "two\n"}).commit()
    built.write({"a.txt": "three\n"}).commit()
    built.git("config", "uploadpack.allowAnySHA1InWant", "true")
    repo = clone_of(built, tmp_path / "clone", "--depth=1")
    with closing(repo.snapshot(base)) as snapshot:
        assert snapshot.read("a.txt") == b"one\n"


def test_a_commit_that_cannot_be_fetched_names_fetch_depth(built: RepoBuilder, tmp_path: Path) -> None:
    built.write({"a.txt": "two\n"}).commit()
    with pytest.raises(GitError, match="fetch-depth"):
        clone_of(built, tmp_path / "clone", "--depth=1").resolve("1" * 40)


def test_a_branch_known_only_at_the_origin_is_found(built: RepoBuilder, tmp_path: Path) -> None:
    built.branch("release").write({"a.txt": "r\n"}).commit()
    built.git("switch", "--quiet", "main")
    assert clone_of(built, tmp_path / "clone").resolve("release") == built.git("rev-parse", "release")


def test_no_repository_is_said(tmp_path: Path) -> None:
    with pytest.raises(GitError, match="not in a git repository"):
        Repo.discover(tmp_path)


def test_gh_dubious_ownership_uid1001(built: RepoBuilder, tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    for place in (built.path, *built.path.rglob("*")):
        os.lchown(place, 1001, 1001)
    with closing(built.repo.snapshot("HEAD")) as snapshot:
        assert snapshot.read("a.txt") == b"one\n"
    settings = Path.home() / ".gitconfig"
    assert not settings.exists() or "safe.directory" not in settings.read_text()


def test_the_caller_s_git_settings_stay_out(built: RepoBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    built_root = built.path
    assert command.run_git(built_root, "rev-parse", "HEAD").strip()


def test_a_missing_git_is_said(built: RepoBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(GitError, match="Install git"):
        command.run_git(built.path, "status")


def test_git_s_own_complaint_is_passed_on(built: RepoBuilder) -> None:
    with pytest.raises(GitError, match="git ls-tree failed: fatal"):
        command.run_git(built.path, "ls-tree", "nope")


def test_a_change_knows_its_sides() -> None:
    assert FileChange(base_path=None, head_path="a", kind="added").base_path is None


LIMIT = SizeLimit(max_bytes=1_000_000, setting="prompts.max_golden_mb")


@pytest.mark.parametrize("revision", ["HEAD", "."])
def test_an_opened_file_is_the_one_that_is_read(revision: str, tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "repo").write({"large.txt": LONG * 2_000, "small.txt": "one\n"})
    builder.commit()
    with closing(builder.repo.snapshot(revision)) as snapshot:
        for path in ("large.txt", "small.txt"):
            file = snapshot.open(path, LIMIT)
            assert file is not None
            with file:
                assert file.read() == snapshot.read(path)
        assert snapshot.open("missing.txt", LIMIT) is None
        assert snapshot.read("small.txt") == b"one\n"


@pytest.mark.parametrize("revision", ["HEAD", "."])
def test_a_file_over_the_limit_names_the_setting_and_what_follows_can_be_read(revision: str, tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "repo").write({"large.txt": "x" * 1_250_000, "small.txt": "one\n"})
    builder.commit()
    with closing(builder.repo.snapshot(revision)) as snapshot:
        with pytest.raises(InputError) as caught:
            snapshot.open("large.txt", LIMIT)
        (problem,) = caught.value.problems
        assert str(problem) == (
            "large.txt: the file has 1.2 MB; `prompts.max_golden_mb` allows 1 MB."
            " Split the file, or raise `prompts.max_golden_mb` in promptci.yml."
        )
        file = snapshot.open("small.txt", LIMIT)
        assert file is not None
        with file:
            assert file.read() == b"one\n"


@pytest.mark.parametrize("revision", ["HEAD", "."])
def test_a_link_is_not_opened(revision: str, tmp_path: Path) -> None:
    builder = RepoBuilder(tmp_path / "repo").write({"a.txt": "one\n"}).link("link.txt", "a.txt")
    builder.commit()
    with closing(builder.repo.snapshot(revision)) as snapshot, pytest.raises(InputError, match="symbolic link"):
        snapshot.open("link.txt", LIMIT)
