import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import processes
from support.processes import LONGEST_S

from promptci.providers.base import Completion, Request, Usage
from promptci.providers.cache import DEFAULT_MAX_AGE_S, AnswerCache, describe_use

NOON = 1_790_000_000.0
FULL = Completion(text="a\u2028b\n🙂", usage=Usage(input_tokens=1, output_tokens=2), latency_ms=3.25, model="m")


def asking(text: str = "hello", **parameters: Any) -> Request:
    return Request(model="m", messages=({"role": "user", "content": text},), parameters=parameters)


@contextmanager
def opened(folder: Path, *, now: float = NOON, **options: Any) -> Iterator[AnswerCache]:
    cache = AnswerCache(folder, now=lambda: now, **{"namespace": "here", "secret": "sk-key", **options})
    try:
        yield cache
    finally:
        cache.close()


def fill(folder: Path, **options: Any) -> Path:
    """Store one answer and give the file it is in."""
    with opened(folder, **options) as cache:
        cache.store(asking(), 0, FULL)
    (file,) = folder.iterdir()
    return file


def test_an_answer_is_found_again_at_once_and_by_the_next_run(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        assert cache.lookup(asking(), 0) is None
        cache.store(asking(), 0, FULL)
        assert cache.lookup(asking(), 0) == FULL
    with opened(tmp_path) as cache:
        assert cache.lookup(asking(), 0) == FULL
        assert cache.ignored_lines == 0


def test_what_is_asked_again_replaces_the_answer_of_an_earlier_run(tmp_path: Path) -> None:
    fill(tmp_path)
    fixed = Completion(text="fixed", usage=None, latency_ms=1.0, model="m")
    with opened(tmp_path) as cache:
        cache.forget_earlier()
        assert cache.lookup(asking(), 0) is None
        cache.store(asking(), 0, fixed)
    with opened(tmp_path) as cache:
        assert cache.lookup(asking(), 0) == fixed


def test_the_age_of_the_oldest_answer_that_was_used_is_noted(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path, now=NOON + 3000) as cache:
        cache.lookup(asking("other"), 0)
        assert describe_use(None, cache.oldest_used_s) == []
        cache.lookup(asking(), 0)
        (note,) = describe_use(None, cache.oldest_used_s)
    assert note == "Cached answers are up to 50 min old. `--no-cache` asks again and replaces them."
    assert "up to 3 h old" in describe_use(None, 10_000)[0]


@pytest.mark.parametrize("replicate", [1, 2])
def test_another_replicate_is_not_answered(tmp_path: Path, replicate: int) -> None:
    fill(tmp_path)
    with opened(tmp_path) as cache:
        assert cache.lookup(asking(), replicate) is None


@pytest.mark.parametrize(
    "other", [asking("bye"), asking(temperature=0), Request(model="n", messages=asking().messages)]
)
def test_another_request_is_not_answered(tmp_path: Path, other: Request) -> None:
    fill(tmp_path)
    with opened(tmp_path) as cache:
        assert cache.lookup(other, 0) is None


def test_another_endpoint_is_not_answered(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path, namespace="there") as cache:
        assert cache.lookup(asking(), 0) is None


@settings(max_examples=30)
@given(stored=st.dictionaries(st.tuples(st.text(max_size=9), st.integers(0, 3)), st.text(max_size=30), max_size=8))
def test_any_answers_survive_the_file(
    stored: dict[tuple[str, int], str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cache")
    with opened(folder) as cache:
        for (text, replicate), answer in stored.items():
            cache.store(asking(text), replicate, Completion(text=answer))
    with opened(folder) as cache:
        for (text, replicate), answer in stored.items():
            assert cache.lookup(asking(text), replicate) == Completion(text=answer)


def test_the_newer_of_two_answers_counts(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path) as cache:
        cache.store(asking(), 0, Completion(text="newer"))
    with opened(tmp_path) as cache:
        assert cache.lookup(asking(), 0) == Completion(text="newer")


def test_an_answer_that_takes_the_place_of_an_old_one_is_found_at_once(tmp_path: Path) -> None:
    fill(tmp_path)
    with opened(tmp_path, now=NOON + DEFAULT_MAX_AGE_S + 1) as cache:
        assert cache.lookup(asking(), 0) is None
        cache.store(asking(), 0, Completion(text="newer"))
        assert cache.lookup(asking(), 0) == Completion(text="newer")


def test_an_old_answer_is_not_used_and_its_file_goes(tmp_path: Path) -> None:
    fill(tmp_path, now=NOON)
    with opened(tmp_path, now=NOON + DEFAULT_MAX_AGE_S + 1) as cache:
        assert cache.lookup(asking(), 0) is None
    with opened(tmp_path, now=NOON + 3 * DEFAULT_MAX_AGE_S):
        assert list(tmp_path.iterdir()) == []


def test_an_answer_from_the_future_is_not_used(tmp_path: Path) -> None:
    fill(tmp_path, now=NOON + 60)
    with opened(tmp_path, now=NOON) as cache:
        assert cache.lookup(asking(), 0) is None


def test_a_forged_answer_is_ignored(tmp_path: Path) -> None:
    """A pull request may commit a file into the folder, but does not know the endpoint's key."""
    fill(tmp_path, secret="guessed by the forger")
    with opened(tmp_path) as cache:
        assert cache.lookup(asking(), 0) is None
        assert cache.ignored_lines == 1


@pytest.mark.parametrize("field", ["key", "at", "completion", "seal"])
@pytest.mark.parametrize("value", [None, 5, "x", [], {}, {"text": "pass"}, "0" * 64])
def test_a_line_changed_in_any_field_is_ignored(tmp_path: Path, field: str, value: Any) -> None:
    file = fill(tmp_path)
    line = json.loads(file.read_text().strip())
    file.write_text(json.dumps({**line, field: value}, separators=(",", ":")) + "\n")
    with opened(tmp_path) as cache:
        assert cache.lookup(asking(), 0) is None


def test_an_answer_moved_under_another_request_s_key_is_ignored(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        cache.store(asking("easy"), 0, Completion(text="right"))
        cache.store(asking("hard"), 0, Completion(text="wrong"))
    (file,) = tmp_path.iterdir()
    easy, hard = (json.loads(line) for line in file.read_text().split("\n") if line)
    file.write_text(json.dumps({**easy, "key": hard["key"]}, separators=(",", ":")) + "\n")
    with opened(tmp_path) as cache:
        assert cache.lookup(asking("hard"), 0) is None
        assert cache.ignored_lines == 1


def test_each_cut_of_the_file_leaves_whole_lines_usable(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        cache.store(asking("one"), 0, Completion(text="1"))
        cache.store(asking("two"), 0, Completion(text="2"))
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    first_line = content.index(b"\n", 1)
    for end in range(len(content)):
        file.write_bytes(content[:end])
        with opened(tmp_path) as cache:
            assert cache.lookup(asking("one"), 0) == (Completion(text="1") if end >= first_line else None)
            cache.store(asking("three"), 0, Completion(text="3"))
        with opened(tmp_path) as cache:
            assert cache.lookup(asking("three"), 0) == Completion(text="3")


@pytest.mark.parametrize("junk", [b"\x00" * 99, b"\xff\xfe", b"null", b'{"key":"' + b"[" * 99_999, b"{}" * 99])
def test_junk_in_the_folder_is_counted_and_harms_nothing(tmp_path: Path, junk: bytes) -> None:
    file = fill(tmp_path)
    file.write_bytes(junk + b"\n" + file.read_bytes())
    (tmp_path / "answers.pickle").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    with opened(tmp_path) as cache:
        assert cache.lookup(asking(), 0) == FULL
        assert cache.ignored_lines == 1


def test_a_symbolic_link_is_neither_read_nor_written_through(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious\n")
    folder = tmp_path / "cache"
    folder.mkdir()
    day = time.strftime("%Y-%m-%d", time.gmtime(NOON))
    (folder / f"answers-{day}.jsonl").symlink_to(elsewhere)
    with opened(folder) as cache:
        cache.store(asking(), 0, FULL)
        assert cache.write_error is not None
    assert elsewhere.read_text() == "precious\n"


def test_a_folder_that_cannot_be_written_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with opened(tmp_path / "file" / "cache") as cache:
        cache.store(asking(), 0, FULL)
        assert cache.write_error is not None
        cache.store(asking("two"), 0, FULL)


def test_a_full_disk_is_told_and_stops_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as cache:
        cache._segment = os.open("/dev/full", os.O_WRONLY)
        cache._segment_day = time.strftime("%Y-%m-%d", time.gmtime(NOON))
        cache.store(asking(), 0, FULL)
        assert cache.write_error is not None
        assert "No space left" in cache.write_error


def test_an_answer_that_quotes_the_key_is_not_kept(tmp_path: Path) -> None:
    with opened(tmp_path, secret="sk-CANARY-123") as cache:
        cache.store(asking(), 0, Completion(text="your key is sk-CANARY-123"))
        assert cache.lookup(asking(), 0) is None
    assert not any(b"CANARY" in file.read_bytes() for file in tmp_path.iterdir())


WRITER = """
import sys
from pathlib import Path
from promptci.providers.base import Completion, Request
from promptci.providers.cache import AnswerCache
cache = AnswerCache(Path(sys.argv[1]), namespace="here", secret="sk-key", now=lambda: 1_790_000_000.0)
for i in range(300):
    request = Request(model="m", messages=({"role": "user", "content": f"{sys.argv[2]} {i}"},))
    cache.store(request, 0, Completion(text="x" * i))
cache.close()
"""


def test_two_processes_may_write_at_once(tmp_path: Path) -> None:
    writers = [processes.start([sys.executable, "-c", WRITER, str(tmp_path), name]) for name in ("a", "b")]
    assert [writer.wait(LONGEST_S) for writer in writers] == [0, 0]

    with opened(tmp_path) as cache:
        for name in ("a", "b"):
            for i in range(300):
                assert cache.lookup(asking(f"{name} {i}"), 0) == Completion(text="x" * i)
        assert cache.ignored_lines == 0


def test_a_thousand_lookups_are_fast(tmp_path: Path) -> None:
    requests = [asking(f"question {i}") for i in range(1000)]
    with opened(tmp_path) as cache:
        for request in requests:
            cache.store(request, 0, Completion(text="x" * 2000))

    started = time.process_time()
    with opened(tmp_path) as cache:
        assert all(cache.lookup(request, 0) for request in requests)
    assert time.process_time() - started < 30
