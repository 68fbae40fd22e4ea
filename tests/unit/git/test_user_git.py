"""Commits in the user's name: nothing is written through a link that somebody has put on the way."""

from pathlib import Path

import pytest
from fakes.repo import ENVIRON, RepoBuilder

from promptci.errors import InputError
from promptci.git import user_git

FILE = "deployments/eu/production.yml"


@pytest.fixture
def builder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RepoBuilder:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    builder = RepoBuilder(tmp_path / "shop").write({"a.txt": "a"})
    builder.commit("base")
    return builder


@pytest.mark.parametrize("content", [b"new", None], ids=["write", "delete"])
@pytest.mark.parametrize("target", ["inside", "outside", "missing"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_link_at_any_step_is_refused_and_nothing_is_written(
    builder: RepoBuilder, depth: int, target: str, content: bytes | None
) -> None:
    steps = FILE.split("/")
    goal = {"inside": builder.path / "other", "outside": builder.path.parent / "victim", "missing": Path("nowhere")}
    for folder in (goal["inside"], goal["outside"]):
        (folder / "eu").mkdir(parents=True)
        for name in ("production.yml", "eu/production.yml"):
            (folder / name).write_text("theirs")
    place = builder.path.joinpath(*steps[:depth])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(goal[target] / "production.yml" if depth == 3 else goal[target])
    builder.commit("link")
    before = builder.git("rev-parse", "HEAD")
    with pytest.raises(InputError, match="symbolic link, which is not followed"):
        user_git.commit_files(builder.path, {FILE: content}, "Deploy")
    written = [path.read_text() for folder in ("other", "../victim") for path in (builder.path / folder).rglob("*.yml")]
    assert written == ["theirs"] * 4
    assert place.is_symlink()
    assert builder.git("rev-parse", "HEAD") == before


def test_plain_files_are_written_deleted_and_committed(builder: RepoBuilder) -> None:
    first = user_git.commit_files(builder.path, {FILE: b"new", "a.txt": None}, "Deploy")
    assert builder.git("show", "--name-status", "--format=%s", first).split() == ["Deploy", "D", "a.txt", "A", FILE]
    assert (builder.path / FILE).read_text() == "new"
