import gzip
import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import processes

from promptci.errors import InputError, PromptciError
from promptci.providers.base import Completion, Usage
from promptci.redact import Redactor
from promptci.runs import journal
from promptci.runs.journal import Journal, JournalRun
from promptci.runs.model import ANSWER_CODEC, Answer, AnswerError
from promptci.runs.prompt_plan import Arm

texts = st.text(max_size=30)
usages = st.builds(Usage, input_tokens=st.integers(0, 10**9), output_tokens=st.integers(0, 10**9))
completions = st.builds(
    Completion,
    text=texts,
    usage=st.none() | usages,
    latency_ms=st.none() | st.floats(0, 1e6),
    model=st.none() | texts,
    finish_reason=st.none() | texts,
    refusal=st.none() | texts,
)
errors = st.builds(AnswerError, kind=texts, message=texts)
outcomes = st.one_of(
    completions.map(lambda completion: {"completion": completion}), errors.map(lambda error: {"error": error})
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    return Answer(
        prompt=draw(texts),
        arm=draw(st.sampled_from(Arm)),
        case_id=draw(texts),
        replicate=draw(st.integers(0, 99)),
        request_key=draw(texts),
        cost_usd=draw(st.none() | st.decimals(0, 10**6, places=12)),
        cached=draw(st.booleans()),
        **draw(outcomes),
    )


def answer(number: int, text: str = "fine") -> Answer:
    return Answer(
        prompt="p",
        arm=Arm.HEAD,
        case_id=str(number),
        replicate=0,
        request_key=f"{number:064}",
        completion=Completion(text=text, usage=Usage(input_tokens=1, output_tokens=2), latency_ms=1.5),
        cost_usd=Decimal("0.00000015"),
    )


def written(path: Path, *rows_: Answer, **options: Any) -> Path:
    with Journal.open(path, **options) as book:
        for row in rows_:
            book.append(row)
    return path


@settings(max_examples=40)
@given(given_answers=st.lists(answers(), max_size=5), config=texts)
def test_what_is_written_is_read_back_equal_to_the_last_digit(
    given_answers: list[Answer], config: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = written(tmp_path_factory.mktemp("j") / "journal.jsonl", *given_answers, run=JournalRun(config=config))

    assert journal.load_journal(path) == (JournalRun(config=config), tuple(given_answers))


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | texts, lambda c: st.dictionaries(texts, c)))
def test_no_value_breaks_the_reader_of_rows(value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        ANSWER_CODEC.from_json(value)


GOOD = ANSWER_CODEC.to_json(answer(1))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"error": {"kind": "k", "message": "m"}}, "either a `completion` or an `error`"),
        ({"completion": {}}, "`completion.text` is missing"),
        ({"arm": "tail"}, "`arm`: input should be 'base' or 'head'"),
        ({"arm": None}, "`arm`: input should be 'base' or 'head'"),
        ({"replicate": -1}, "`replicate`"),
        ({"replicate": True}, "`replicate`"),
        ({"cached": "no"}, "`cached`"),
        ({"cost_usd": "NaN"}, "`cost_usd`"),
        ({"cost_usd": "-1"}, "`cost_usd`"),
        ({"cost_usd": "much"}, "`cost_usd`"),
        ({"prompt": 5}, "`prompt`"),
        ({"case": None}, "`case`"),
        ({"request": []}, "`request`"),
    ],
)
def test_what_is_wrong_with_a_row_is_named(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        journal.parse_answer(json.dumps({**GOOD, **changes}))


def test_each_answer_is_in_the_file_before_the_next_one_comes(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as book:
        for number in range(3):
            book.append(answer(number))
            assert journal.load_journal(path)[1][-1] == answer(number)


def test_a_journal_goes_on_where_it_stopped_and_keeps_its_header(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", answer(1), run=JournalRun(head="abc"))
    written(path, answer(2), run=JournalRun(head="ignored"))

    assert journal.load_journal(path) == (JournalRun(head="abc"), (answer(1), answer(2)))


def test_killed_at_any_byte_a_journal_is_read_and_goes_on(tmp_path: Path) -> None:
    """Every prefix of the file is what a kill could leave: whole lines count, the torn one is written anew."""
    whole = written(tmp_path / "whole.jsonl", answer(1, "🙂"), answer(2), run=JournalRun(head="b")).read_bytes()
    ends = [index + 1 for index, byte in enumerate(whole) if byte == ord("\n")]
    path = tmp_path / "journal.jsonl"
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        lines_left = sum(end <= cut for end in ends)
        if lines_left:
            before = journal.load_journal(path)[1]
            assert len(before) == lines_left - 1
        for number in range(max(lines_left, 1), 3):
            written(path, answer(number, "🙂" if number == 1 else "fine"), run=JournalRun(head="b"))
        assert path.read_bytes() == whole


def test_a_torn_line_longer_than_a_block_is_cut_off_whole(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", answer(1))
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"prompt":"' + b"x" * 200_000)
    written(path)

    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "content", ["", "\n", "{}\n", "[]\n", "5\n", '{"schema":"other","run":{}}\n', "junk\n", "junk"]
)
def test_a_file_that_is_no_journal_is_refused_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(content)

    with pytest.raises(InputError, match=r"journal\.jsonl:1: not a journal"):
        journal.load_journal(path)
    if content:
        with pytest.raises(InputError):
            Journal.open(path)
        assert path.read_text() == content


def test_every_bad_line_but_the_torn_last_one_is_named(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", answer(1))
    with path.open("a") as file:
        file.write(json.dumps({**GOOD, "arm": "x"}) + "\n" + json.dumps(GOOD) + "\nnonsense\n" + '{"torn')

    with pytest.raises(InputError) as caught:
        journal.load_journal(path)
    assert [problem.line for problem in caught.value.problems] == [3, 5]


def test_a_missing_journal_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        journal.load_journal(tmp_path / "none.jsonl")


def test_a_second_process_cannot_write_the_same_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as book:
        book.append(answer(1))
        with pytest.raises(PromptciError, match="another run is writing"):
            Journal.open(path)
    assert journal.load_journal(path)[1] == (answer(1),)
    written(path, answer(2))


@pytest.mark.parametrize("place", ["file/journal.jsonl", "folder", "link"])
def test_a_place_that_cannot_be_written_is_named_with_advice(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    (tmp_path / "elsewhere").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(InputError, match="cannot be written") as caught:
        Journal.open(tmp_path / place)
    assert caught.value.problems[0].hint
    assert (tmp_path / "elsewhere").read_text() == "precious"


def test_a_disk_that_fills_up_is_named_and_what_was_written_stays_readable(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with Journal.open(path) as book:
            book.append(answer(1))
            resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 20, old[1]))
            with pytest.raises(InputError, match="cannot be written"):
                book.append(answer(2))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
        signal.signal(signal.SIGXFSZ, ignored)

    assert journal.load_journal(path)[1] == (answer(1),)
    written(path, answer(3))
    assert journal.load_journal(path)[1] == (answer(1), answer(3))


def test_a_secret_in_an_answer_or_error_is_not_written(tmp_path: Path) -> None:
    secret = 'canary "quoted" 1'
    failed = Answer(
        prompt="p", arm=Arm.BASE, case_id="x", replicate=0, request_key="", error=AnswerError(kind="k", message=secret)
    )
    path = written(tmp_path / "journal.jsonl", answer(1, f"it is {secret}"), failed, redactor=Redactor([secret]))

    _, (first, second) = journal.load_journal(path)
    assert first.completion is not None
    assert second.error is not None
    assert (first.completion.text, second.error.message) == ("it is [redacted]", "[redacted]")
    assert b"canary" not in path.read_bytes()


def test_a_secret_that_is_a_word_of_the_format_does_not_break_it(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", answer(1), redactor=Redactor(["completion", "input_tokens"]))

    assert journal.load_journal(path)[1] == (answer(1),)


def test_closing_twice_does_no_harm_and_writing_after_it_is_an_error(tmp_path: Path) -> None:
    book = Journal.open(tmp_path / "journal.jsonl")
    book.close()
    book.close()
    book.flush()

    with pytest.raises(ValueError, match="closed"):
        book.append(answer(1))


WRITER = """
import sys
from pathlib import Path
from promptci.providers.base import Completion
from promptci.runs.journal import Journal, JournalRun
from promptci.runs.model import ANSWER_CODEC, Answer
from promptci.runs.prompt_plan import Arm
book = Journal.open(Path(sys.argv[1]))
for number in range(1_000_000):
    book.append(Answer(prompt="p", arm=Arm.HEAD, case_id=str(number), replicate=0, request_key="k",
                       completion=Completion(text="x" * 500)))
    print(number, flush=True)
"""


def test_a_process_killed_without_warning_has_lost_no_answer_it_reported(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    writer = processes.start([sys.executable, "-c", WRITER, path], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    reported = [writer.stdout.readline() for _ in range(200)]
    os.kill(writer.pid, signal.SIGKILL)
    reported += writer.stdout.readlines()

    kept = [row.case_id for row in journal.load_journal(path)[1]]
    assert kept[: len(reported)] == [line.strip() for line in reported]
    written(path, answer(1))


class Counted(Journal):
    """Counts how often it was brought to the disk."""

    times = 0

    def flush(self) -> None:
        self.times += 1
        super().flush()


def test_it_is_brought_to_the_disk_every_second_while_answers_come(tmp_path: Path) -> None:
    with Counted.open(tmp_path / "journal.jsonl") as book:
        assert isinstance(book, Counted)
        seconds = book._flushed
        book._now = lambda: seconds
        flushed = []
        for _ in range(10):
            book.append(answer(1))
            flushed.append(book.times)
            seconds += 0.4
    assert flushed == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3]
    assert book.times == 4


# --- the journal of a finished run

MANY = tuple(answer(number, text=f"{number} " * 5000) for number in range(100))


def compress(path: Path) -> Path:
    """Return the file in which a finished run leaves its journal."""
    with journal.compressing(path):
        pass
    packed = path.with_name("journal.jsonl.gz")
    return packed if packed.is_file() else path


def test_a_large_journal_is_compressed_and_read_as_before(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", *MANY, run=JournalRun(head="abc"))
    size, content = path.stat().st_size, path.read_bytes()
    packed = compress(path)
    assert [file.name for file in tmp_path.iterdir()] == [packed.name] == ["journal.jsonl.gz"]
    assert packed.stat().st_size < size / 2
    assert gzip.decompress(packed.read_bytes()) == content  # as `zcat` prints it
    assert journal.load_journal(packed) == (JournalRun(head="abc"), MANY)


def test_equal_journals_are_equal_files_once_they_are_compressed(tmp_path: Path) -> None:
    first, second = (compress(written(tmp_path / name / "journal.jsonl", *MANY)).read_bytes() for name in "ab")
    assert first == second


def test_the_journal_of_a_run_whose_report_cannot_be_written_stays_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", *MANY)
    with pytest.raises(KeyboardInterrupt), journal.compressing(path):
        raise KeyboardInterrupt
    assert [file.name for file in tmp_path.iterdir()] == ["journal.jsonl"]
    assert "compress-journal" not in {thread.name for thread in threading.enumerate()}


def test_a_small_journal_stays_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", answer(1))
    assert compress(path) == path
    assert [file.name for file in tmp_path.iterdir()] == ["journal.jsonl"]


def test_without_a_journal_nothing_is_compressed(tmp_path: Path) -> None:
    compress(tmp_path / "journal.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_cannot_be_compressed_stays_as_it_is(tmp_path: Path) -> None:
    path = written(tmp_path / "journal.jsonl", *MANY)
    (tmp_path / "journal.jsonl.gz").mkdir()  # nothing can take its place
    assert compress(path) == path
    assert sorted(file.name for file in tmp_path.iterdir()) == ["journal.jsonl", "journal.jsonl.gz"]
    assert journal.load_journal(path)[1] == MANY


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda content: content[: len(content) // 2], "it is damaged"),
        (lambda content: content[:2000] + b"\0" * 50 + content[2050:], "it is damaged|CRC check failed"),
        (lambda _: b"no gzip", "Not a gzipped file"),
    ],
)
def test_a_damaged_compressed_journal_is_named_with_advice(
    damage: Callable[[bytes], bytes], words: str, tmp_path: Path
) -> None:
    packed = compress(written(tmp_path / "journal.jsonl", *MANY))
    packed.write_bytes(damage(packed.read_bytes()))
    with pytest.raises(InputError, match=f"journal.jsonl.gz: the journal cannot be read: ({words})"):
        journal.load_journal(packed)


def test_a_compressed_journal_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    packed = tmp_path / "journal.jsonl.gz"
    packed.write_bytes(gzip.compress(b"x" * 5000))
    with pytest.raises(InputError, match="it holds more than 1,000 bytes"):
        journal.load_journal(packed, max_unpacked_bytes=1000)
