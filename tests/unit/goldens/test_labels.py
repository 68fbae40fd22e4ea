"""Labels are read strictly: a judge is measured by them, so every mistake in them is named at its line."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.files.lines import MAX_EQUAL_PROBLEMS
from promptci.goldens import labels
from promptci.goldens.labels import Label

PATH = "goldens/reply.labels.jsonl"
ROW = {"id": "late-shed", "answer": "Thank you.", "pass": True}
TEXT = st.text(st.characters(codec="utf-8"), max_size=30)


def read(*rows: Any) -> tuple[Label, ...]:
    return labels.parse_labels("".join(json.dumps(row) + "\n" for row in rows).encode(), PATH)


def refused(*rows: Any) -> list[tuple[int | None, str]]:
    with pytest.raises(InputError) as caught:
        read(*rows)
    return [(problem.line, f"{problem.message}. {problem.hint}") for problem in caught.value.problems]


def test_a_label_says_which_case_what_answer_and_whether_it_passes() -> None:
    (label,) = read({**ROW, "note": "names the shed", "vars": {"message": "Where is my shed?"}})
    assert (label.case_id, label.answer, label.passed) == ("late-shed", "Thank you.", True)
    assert (label.note, label.vars, label.path, label.line) == (
        "names the shed",
        {"message": "Where is my shed?"},
        PATH,
        1,
    )


def test_an_empty_file_holds_no_labels() -> None:
    assert read() == ()
    assert labels.parse_labels(b"\n\n", PATH) == ()


def test_an_empty_answer_can_be_marked_and_an_id_may_be_a_number() -> None:
    (label,) = read({"id": 7, "answer": "", "pass": False})
    assert (label.case_id, label.answer, label.passed, label.vars) == ("7", "", False, None)


@given(st.lists(st.tuples(st.sampled_from("abc"), TEXT, st.booleans()), max_size=12, unique_by=lambda row: row[:2]))
def test_what_is_written_is_read(rows: list[tuple[str, str, bool]]) -> None:
    result = read(*({"id": case, "answer": answer, "pass": passed} for case, answer, passed in rows))
    assert [(label.case_id, label.answer, label.passed) for label in result] == rows
    assert [label.line for label in result] == list(range(1, len(rows) + 1))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([ROW], "a label must be a map"),
        ({**ROW, "anser": "x"}, "unknown key `anser`. Did you mean `answer`?"),
        ({**ROW, "zzz": 1}, "unknown key `zzz`. Known keys: id, answer, pass, note, vars."),
        ({"answer": "x", "pass": True}, "`id` is missing"),
        ({"id": "a", "pass": True}, "`answer` is missing"),
        ({"id": "a", "answer": "x"}, "`pass` is missing"),
        ({**ROW, "id": ""}, "`id` must be the id"),
        ({**ROW, "id": True}, "`id` must be the id"),
        ({**ROW, "id": None}, "`id` must be the id"),
        ({**ROW, "answer": 5}, "`answer` must be a text"),
        ({**ROW, "pass": "yes"}, "`pass` must be true or false"),
        ({**ROW, "pass": 1}, "`pass` must be true or false"),
        ({**ROW, "note": 5}, "`note` must be a text"),
        ({**ROW, "vars": []}, "`vars` must be a map"),
    ],
    ids=lambda value: str(value)[-30:],
)
def test_a_mistake_is_named_at_its_line(row: Any, message: str) -> None:
    ((line, text),) = refused({**ROW, "id": "other"}, row)
    assert line == 2
    assert text.startswith(message)


def test_all_mistakes_of_all_lines_are_named() -> None:
    result = refused({"id": "a", "pas": True}, {**ROW, "pass": 0})
    assert [(line, text.split(".", maxsplit=1)[0]) for line, text in result] == [
        (1, "`answer` is missing"),
        (1, "`pass` is missing"),
        (1, "unknown key `pas`"),
        (2, "`pass` must be true or false"),
    ]


def test_the_same_answer_is_marked_once() -> None:
    result = refused(ROW, {**ROW, "answer": "Hello."}, ROW, {**ROW, "pass": False})
    assert [line for line, _ in result] == [3, 4]
    assert result[0][1].startswith("this answer to `late-shed` is already labelled in line 1. Keep")
    assert result[1][1].startswith("this answer to `late-shed` is already labelled in line 1, with the opposite mark")


def test_the_same_answer_to_other_variables_is_another() -> None:
    assert len(read(ROW, {**ROW, "vars": {"message": "a"}}, {**ROW, "vars": {"message": "b"}})) == 3


def test_a_file_of_another_kind_gives_a_list_that_can_be_read() -> None:
    result = refused(*([{"id": "a"}] * 300))
    assert len(result) == 2 * MAX_EQUAL_PROBLEMS
    assert "(297 more lines have the same problem)" in result[-1][1]


def test_a_line_that_is_no_json_is_named() -> None:
    with pytest.raises(InputError, match=r"reply\.labels\.jsonl:2: not valid JSON"):
        labels.parse_labels(json.dumps(ROW).encode() + b"\nnot json\n", PATH)


def test_more_labels_than_say_anything_are_refused() -> None:
    rows = ({"id": "a", "answer": str(i), "pass": True} for i in range(labels.MAX_LABELS + 1))
    assert refused(*rows) == [
        (
            labels.MAX_LABELS + 1,
            "the file has 5001 labels; the limit is 5000. Keep a random sample.",
        )
    ]


def test_the_example_s_labels_can_be_read(pytestconfig: pytest.Config) -> None:
    path = pytestconfig.rootpath / "example-repo" / "goldens" / "reply-writer.labels.jsonl"
    result = labels.parse_labels(path.read_bytes(), path.name)
    assert len(result) == 62
    assert {label.passed for label in result} == {True, False}
