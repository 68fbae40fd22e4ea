"""Stored answers that cannot be unpacked are named when a night is written, as they are when they are read."""

import gzip
from datetime import date
from pathlib import Path

import pytest
from fakes.repo import RepoBuilder

from promptci.errors import InputError
from promptci.evaluation.nights.night_records import StoredAnswer, load_answers, write_nights
from promptci.git.data_branch import BranchFiles, DataBranch

DAY = date(2026, 3, 2)
PATH = "answers/2026/03-02.jsonl.gz"
ANSWER = StoredAnswer(prompt="x", goldens="x", judge="x", case="x", text="x", mark=1.0, day="2026-03-02")


def branch_files(tmp_path: Path, content: bytes) -> BranchFiles:
    builder = RepoBuilder(tmp_path / "repository")
    builder.write({"README.md": "x"}).commit()
    branch = DataBranch(root=builder.path)
    branch.append(lambda _: {PATH: content}, "add answers")
    return branch.files()


@pytest.mark.parametrize("content", [b"junk", gzip.compress(b"{}\n", mtime=0)[:-6]])
def test_a_damaged_file_of_answers_is_named_by_reading_and_by_writing(tmp_path: Path, content: bytes) -> None:
    files = branch_files(tmp_path, content)
    for call in (lambda: load_answers(files, "x", "x", "x"), lambda: write_nights(files, (), [ANSWER], DAY)):
        with pytest.raises(InputError, match=f"{PATH}: the stored answers cannot be read"):
            call()


def test_answers_of_one_day_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    files = branch_files(tmp_path, gzip.compress(b'{"case": "earlier"}\n', mtime=0))
    content = write_nights(files, (), [ANSWER], DAY)[PATH]
    assert content is not None
    assert len(gzip.decompress(content).splitlines()) == 2
