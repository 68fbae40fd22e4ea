"""A memory is read back as it was written, whatever happened to its files, and never fails a run."""

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.memory_records import AT, case, feedback, memory, verdict

from promptci.files import append
from promptci.memory.model import MEMORY_LINES, CaseRecord, Feedback, Line, VerdictRecord
from promptci.memory.store import LOCK

texts = st.text(max_size=12)
counts = st.integers(0, 10**9)
numbers = st.none() | st.floats(-1, 1)
lines_: st.SearchStrategy[Line] = st.one_of(
    st.builds(
        VerdictRecord,
        at=st.just(AT),
        p=numbers,
        delta=numbers,
        pairs=counts,
        broken=counts,
        fixed=counts,
        rules=st.lists(texts, max_size=2).map(tuple),
        base=st.none() | texts,
    ),
    st.builds(Feedback, at=st.just(AT), why=texts, by=st.none() | texts),
    st.builds(CaseRecord, at=st.just(AT), passes=counts, fails=counts, model=st.none() | texts),
)


@settings(max_examples=40)
@given(st.lists(lines_, max_size=6, unique_by=lambda line: line.id if isinstance(line, VerdictRecord) else id(line)))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, lines: list[Line]) -> None:
    book = memory(tmp_path_factory.mktemp("h"))
    assert book.append(lines) is None
    past = book.read()
    assert past.verdicts == tuple(line for line in lines if isinstance(line, VerdictRecord))
    assert past.feedback == tuple(line for line in lines if isinstance(line, Feedback))
    assert past.cases == tuple(line for line in lines if isinstance(line, CaseRecord))
    assert past.notes == ()


def test_a_memory_that_is_not_there_is_empty_and_is_not_made_by_reading(tmp_path: Path) -> None:
    past = memory(tmp_path / "none").read()
    assert (past.verdicts, past.feedback, past.cases, past.notes) == ((), (), (), ())
    assert not (tmp_path / "none").exists()


def test_a_verdict_written_twice_is_one(tmp_path: Path) -> None:
    book = memory(tmp_path)
    book.append([verdict(at="2026-06-29T01:00:00Z")])
    book.append([verdict(), verdict("v2")])
    assert [verdict_record.id for verdict_record in book.read().verdicts] == ["v1", "v2"]


def test_the_last_mark_counts(tmp_path: Path) -> None:
    book = memory(tmp_path)
    book.append([feedback(), feedback("v2", "incorrect")])
    book.append([feedback(label="incorrect", why="read them again")])
    labels = {name: feedback_.label for name, feedback_ in book.read().latest_feedback.items()}
    assert labels == {
        "v1": "incorrect",
        "v2": "incorrect",
    }


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_a_torn_last_line_is_passed_over_and_overwritten(tmp_path: Path, cut: int) -> None:
    book = memory(tmp_path)
    book.append([case(name="whole"), case(name="torn")])
    (file,) = tmp_path.glob("cases-*.jsonl")
    file.write_bytes(file.read_bytes()[:-cut])
    assert ([case_record.case for case_record in book.read().cases], book.read().notes) == (["whole"], ())
    book.append([case(name="next")])
    assert ([case_record.case for case_record in book.read().cases], book.read().notes) == (["whole", "next"], ())


@pytest.mark.parametrize(
    "bad",
    [
        b"nonsense",
        b"\xff\xfe",
        b"[1]",
        b"[" * 100_000,
        b"1" * 5000,
        json.dumps({**MEMORY_LINES.to_value(case()), "passes": -1}).encode(),
        json.dumps({**MEMORY_LINES.to_value(case()), "case": None}).encode(),
        json.dumps({**MEMORY_LINES.to_value(verdict()), "p": float("nan")}).encode(),
        json.dumps({**MEMORY_LINES.to_value(feedback()), "label": "perhaps"}).encode(),
    ],
)
def test_damaged_lines_are_named_in_one_note(tmp_path: Path, bad: bytes) -> None:
    book = memory(tmp_path)
    book.append([case()])
    (file,) = tmp_path.glob("cases-*.jsonl")
    file.write_bytes(bad + b"\n\n" + file.read_bytes() + bad + b"\n")
    past = book.read()
    assert past.cases == (case(),)
    assert past.notes == (f"kept: 2 damaged lines were skipped; the first is {file.name}:1.",)


@pytest.mark.parametrize("change", [{"schema": "promptci/memory/v2"}, {"kind": "dream"}, {"kind": ["case"]}])
def test_lines_of_another_version_are_left_alone(tmp_path: Path, change: dict[str, Any]) -> None:
    book = memory(tmp_path)
    book.append([case()])
    (file,) = tmp_path.glob("cases-*.jsonl")
    file.write_text(file.read_text() + json.dumps({**MEMORY_LINES.to_value(case(name="x")), **change}) + "\n")
    assert (book.read().cases, book.read().notes) == ((case(),), ())


def test_a_later_version_may_add_keys(tmp_path: Path) -> None:
    value = {**MEMORY_LINES.to_value(case()), "mood": "good"}
    assert MEMORY_LINES.from_value(value) == case()


def test_what_is_too_old_is_dropped(tmp_path: Path) -> None:
    book = memory(tmp_path, keep_days=30)
    book.append([verdict("old", at="2026-05-30T00:00:00Z"), verdict("kept", at="2026-05-31T00:00:00Z")])
    (tmp_path / "verdicts-2026-05-01.jsonl").write_text("")
    (tmp_path / "other.txt").write_text("not ours")
    assert [verdict_record.id for verdict_record in book.read().verdicts] == ["kept"]
    book.append([case(at="2026-05-29T00:00:00Z")])
    assert sorted(p.name for p in tmp_path.iterdir()) == [LOCK, "other.txt", "verdicts-2026-05-31.jsonl"]


@pytest.mark.parametrize("at", ["", "soon", "9999-12-31T00:00:00Z", "2026-13-45T00:00:00Z"])
def test_a_line_with_no_date_or_one_to_come_is_of_today(tmp_path: Path, at: str) -> None:
    book = memory(tmp_path)
    book.append([case(at=at)])
    assert [file.name for file in tmp_path.glob("*.jsonl")] == ["cases-2026-06-30.jsonl"]


def test_the_oldest_case_records_go_when_there_are_too_many_and_verdicts_stay(tmp_path: Path) -> None:
    book = memory(tmp_path, max_case_bytes=2000)
    for day in range(1, 28):
        at = f"2026-06-{day:02}T00:00:00Z"
        book.append([case(at=at, name=str(i)) for i in range(4)])
        book.append([verdict(f"v{day}", at=at)])
    sizes = [file.stat().st_size for file in tmp_path.glob("cases-*.jsonl")]
    assert 0 < sum(sizes) <= 2000
    assert {case_record.at[:10] for case_record in book.read().cases} == {"2026-06-26", "2026-06-27"}
    assert len(book.read().verdicts) == 27


def test_a_folder_that_cannot_be_one_is_a_reason_and_no_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    book = memory(tmp_path / "file")
    assert book.append([case()]) == "kept: the memory cannot be written: File exists."
    assert book.read().notes == ("kept: the memory cannot be read: Not a directory.",)


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine\n")
    book = memory(tmp_path / "h")
    book.append([verdict()])
    (tmp_path / "h" / "cases-2026-06-30.jsonl").symlink_to(elsewhere)
    message = book.append([case()])
    assert message is not None
    assert elsewhere.read_text() == "mine\n"
    assert "cannot be read" in book.read().notes[0]


def test_a_full_disk_is_a_reason_and_no_crash() -> None:
    book = memory(Path("/dev/full/memory"))
    assert "cannot be written" in (book.append([case()]) or "")


def _write_many(folder: str, prefix: str) -> None:
    for i in range(50):
        problem = memory(Path(folder)).append([case(name=f"{prefix}{i}", run="x" * 500), verdict(f"{prefix}{i}")])
        assert problem is None


def test_two_processes_lose_nothing_and_tear_nothing(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    both = [spawn.Process(target=_write_many, args=(str(tmp_path), prefix)) for prefix in "ab"]
    for process in both:
        process.start()
    for process in both:
        process.join()
    past = memory(tmp_path).read()
    assert [process.exitcode for process in both] == [0, 0]
    expected = {f"{prefix}{i}" for prefix in "ab" for i in range(50)}
    assert {process.case for process in past.cases} == {process.id for process in past.verdicts} == expected
    assert (len(past.cases), past.notes) == (100, ())


def test_a_lock_that_is_held_for_long_is_a_reason(tmp_path: Path) -> None:
    with (
        append.lock_file(tmp_path / LOCK),
        pytest.raises(BlockingIOError),
        append.lock_file(tmp_path / LOCK, patience_s=0.05),
    ):
        pass
    with append.lock_file(tmp_path / LOCK):
        message = memory(tmp_path, lock_timeout_s=0.05).append([case()])
    assert message == "kept: another process is writing the memory, so nothing was added."
    assert not list(tmp_path.glob("*.jsonl"))


def test_appending_cuts_off_what_was_torn(tmp_path: Path) -> None:
    file = tmp_path / "lines"
    file.write_bytes(b"one\n" + b"x" * (3 * append.BLOCK_BYTES))
    append.append_lines(file, b"two\n")
    assert file.read_bytes() == b"one\ntwo\n"
    file.write_bytes(b"never ended")
    append.append_lines(file, b"one\n")
    assert file.read_bytes() == b"one\n"


def test_only_the_owner_can_write_what_is_kept(tmp_path: Path) -> None:
    memory(tmp_path).append([case()])
    (file,) = tmp_path.glob("cases-*.jsonl")
    assert file.stat().st_mode & 0o022 == 0
    assert file.stat().st_uid == os.getuid()
