"""Golden files that are read as a stream: the same cases, problems and notes as those that are read whole."""

import csv
import io
import json
from typing import Any

import pytest

from promptci.errors import InputError
from promptci.files.lines import MAX_PROBLEMS
from promptci.goldens import load
from promptci.goldens.formats import GOLDEN_FORMATS
from promptci.goldens.large.golden_stream import (
    MAX_KEY_LINES,
    MAX_LINE_CHARS,
    STREAMS,
    StreamedFile,
    stream_goldens,
)
from promptci.goldens.large.stored_variables import StoredVariables, VariableStore
from promptci.goldens.load import MAX_BYTES_IN_MEMORY, MAX_WHOLE_BYTES
from promptci.goldens.model import Case

KEY = "sk-proj-" + "aB3dE5fG7hJ9kL1m" * 3
CASES: list[dict[str, Any]] = [
    {"id": f"c{n}", "vars": {"text": f"words\n{n} – “ü”", "n": n}, "expected": str(n), "tags": ["a", "b"]}
    for n in range(5)
]


def write_lines(cases: list[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(case, ensure_ascii=False) for case in cases) + "\n\n"


def write_table(cases: list[dict[str, Any]], delimiter: str) -> str:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["id", "text", "n", "expected", "tags"])
    writer.writerows([[c["id"], c["vars"]["text"], c["vars"]["n"], c["expected"], "a;b"] for c in cases])
    return text.getvalue()


FILES = {
    "g.jsonl": write_lines(CASES),
    "g.ndjson": write_lines(CASES).replace("\n", "\r\n"),
    "g.json": json.dumps(CASES, indent=1),
    "map.json": json.dumps({"name": "all", "cases": CASES}),
    "g.csv": write_table(CASES, ";"),
    "separator.csv": "sep=|\n" + write_table(CASES, "|"),
    "g.tsv": write_table(CASES, "\t"),
}


def essence(case: Case) -> tuple[object, ...]:
    return (case.id, dict(case.vars), case.expected, case.tags, case.assertions, case.path, case.line)


def stream(path: str, data: bytes) -> StreamedFile:
    return stream_goldens(path, io.BytesIO(data), f".{path.split('.')[1]}", VariableStore(0))


def test_every_format_that_is_streamed_is_tested() -> None:
    assert {f".{path.split('.')[1]}" for path in FILES} == set(STREAMS)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("path", FILES)
def test_a_file_has_the_cases_that_it_has_when_read_whole(path: str, mark: bytes) -> None:
    streamed = stream(path, mark + FILES[path].encode())
    whole, problems = GOLDEN_FORMATS[f".{path.split('.')[1]}"](path, FILES[path].replace("\r\n", "\n"))
    assert len(whole) == len(CASES)
    assert list(map(essence, streamed.cases)) == list(map(essence, whole))
    assert streamed.problems == problems == []
    assert all(isinstance(case.vars, StoredVariables) for case in streamed.cases)


@pytest.mark.parametrize("path", ["g.jsonl", "g.csv"])
def test_every_bad_line_is_named_as_in_a_small_file(path: str) -> None:
    lines = FILES[path].split("\n")
    lines[3] = '{"vars": {"x": 1}, "weight": 0}' if path == "g.jsonl" else "a;b"
    text = "\n".join([*lines[:4], "{broken", *lines[4:]]) if path == "g.jsonl" else "\n".join(lines)
    streamed = stream(path, text.encode())
    whole, problems = GOLDEN_FORMATS[f".{path.split('.')[1]}"](path, text)
    assert sorted(map(str, streamed.problems)) == sorted(map(str, problems))
    assert len(problems) >= 1
    assert list(map(essence, streamed.cases)) == list(map(essence, whole))


def test_a_file_that_is_wrong_everywhere_is_not_read_to_its_end() -> None:
    file = io.BytesIO(b"{broken\n" * 10**6)
    assert len(stream_goldens("g.jsonl", file, ".jsonl", VariableStore(0)).problems) == MAX_PROBLEMS + 1
    assert file.tell() < 10**6


def test_json_that_ends_too_early_is_one_problem_and_keeps_the_cases_before() -> None:
    streamed = stream("g.json", FILES["g.json"][:-10].encode())
    (problem,) = streamed.problems
    assert "cannot be read" in problem.message
    assert len(streamed.cases) == len(CASES) - 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (FILES["g.jsonl"].encode("utf-16"), "the file is UTF-16"),
        (FILES["g.jsonl"].encode()[:-2] + b"\xff\n", "the file is not UTF-8: byte 0xFF"),
        (FILES["g.jsonl"].encode() + b"\0", "the file holds a NUL byte"),
        (FILES["g.jsonl"].encode() + "ü".encode()[:1], "the file is not UTF-8"),
        (b"version https://git-lfs.github.com/spec/v1\n", "this is a Git LFS pointer"),
    ],
    ids=["utf-16", "latin-1", "nul", "cut", "lfs"],
)
def test_another_encoding_is_refused_as_in_a_small_file(data: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        stream("g.jsonl", data)
    assert [problem.message[: len(message)] for problem in caught.value.problems] == [message]


def test_the_first_lines_with_what_looks_like_a_key_are_noted() -> None:
    cases = [{**case, "vars": {**case["vars"], "key": KEY}} for case in CASES]
    assert stream("g.jsonl", write_lines([CASES[0], *cases[1:]]).encode()).key_lines == [2, 3, 4][:MAX_KEY_LINES]
    assert stream("g.json", json.dumps([CASES[0], *cases[1:3]], indent=0).encode()).key_lines == [14, 27]
    assert stream("g.jsonl", FILES["g.jsonl"].encode()).key_lines == []


def test_a_line_that_no_model_reads_is_refused() -> None:
    long = json.dumps({"input": "x" * MAX_LINE_CHARS})
    (problem,) = stream("g.jsonl", f"{FILES['g.jsonl'].rstrip()}\n{long}\n".encode()).problems
    assert (problem.line, problem.message) == (6, "the line is longer than 16 million characters")


def make_large(count: int = MAX_BYTES_IN_MEMORY // 10_000) -> list[dict[str, Any]]:
    """Return cases whose file is a little larger than what is kept in memory."""
    return [{"id": f"c{n}", "vars": {"text": f"{'word ' * 2_000}{n}"}, "expected": str(n)} for n in range(count + 1)]


def test_small_files_that_are_large_together_are_streamed_from_bytes_and_from_open_files() -> None:
    cases = make_large()
    data = [write_lines(half).encode() for half in (cases[:200], cases[200:])]
    golden_set = load.load_goldens({"a.jsonl": data[0], "b.jsonl": io.BytesIO(data[1])})
    assert [(case.id, case.vars["text"]) for case in golden_set.cases] == [(c["id"], c["vars"]["text"]) for c in cases]


def test_a_large_set_has_the_notes_and_the_problems_of_a_small_one() -> None:
    cases = make_large()
    cases[2]["vars"] = {"text": KEY}
    cases[3]["vars"] = dict(cases[4]["vars"])
    notes = load.load_goldens({"g.jsonl": write_lines(cases).encode()}).notes
    assert [note.split(" and")[0].split(": ")[0] for note in notes] == ["g.jsonl:3", "g.jsonl:4"]
    with pytest.raises(InputError, match=r"the id `c0` is already used at g\.jsonl:1"):
        load.load_goldens({"g.jsonl": write_lines([*cases, cases[0]]).encode()})


def test_a_large_file_of_a_format_that_is_read_whole_says_which_format_is_streamed() -> None:
    with pytest.raises(InputError) as caught:
        load.load_goldens({"g.yaml": b"# comment\n" * (MAX_WHOLE_BYTES // 10 + 1)})
    assert [str(problem) for problem in caught.value.problems] == [
        "g.yaml: a .yaml file of goldens can have at most 16 MiB. Save it as JSON Lines, which are read as a stream."
    ]
