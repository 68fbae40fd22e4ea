"""Golden files that surprise: spreadsheets of every kind, mistakes by the dozen, files of a hundred thousand cases."""

import csv
import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.files.lines import MAX_EQUAL_PROBLEMS, MAX_PROBLEMS
from promptci.goldens import load
from promptci.goldens.model import GoldenSet


def read(files: dict[str, str]) -> GoldenSet:
    return load.load_goldens({path: text.encode() for path, text in files.items()})


def problems(files: dict[str, str]) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(files)
    return [str(problem) for problem in caught.value.problems]


def test_every_mistake_of_a_case_is_told_with_its_own_line() -> None:
    text = """\
- id: a
  vars: [1]
- vars: {x: 1}
  weight: 0
  colour: red
  critical: perhaps
  assert:
    - type: contains
      value: x
      weight: heavy
    - contains: y
"""
    assert [message.split(". ")[0] for message in problems({"g.yml": text})] == [
        "g.yml:2: `vars` must be a map of variables",
        "g.yml:4: `weight` must be a number from 0.01 to 100",
        "g.yml:5: unknown key `colour`",
        "g.yml:6: `critical` must be true or false",
        "g.yml:10: `weight` must be a number from 0 to 100",
        "g.yml:11: an assertion must be a map with `type`",
    ]


def test_an_assertion_knows_its_own_line() -> None:
    text = "cases:\n- id: a\n  assert:\n  - type: contains\n    value: x\n  - type: length\n"
    (case,) = read({"g.yaml": text}).cases
    assert [assertion.line for assertion in case.assertions] == [4, 6]


@pytest.mark.parametrize(
    ("path", "text", "output"),
    [
        ("g.jsonl", '{"id": "a", "assert": [{"contains": "x"}]}', 'Write {"type": "contains", "value": "…"}.'),
        ("g.jsonl", '{"id": "a", "assert": [{"regex": "x"}]}', 'Write {"type": "regex", "value": "…"}.'),
        ("g.jsonl", '{"id": "a", "assert": [{"type": "equals", "name": 3}]}', "`name` must be a text"),
        ("g.jsonl", '{"id": "a", "weight": 1e999}', "a number is too large"),
        ("g.jsonl", '{"id": true}', "`id` must be a short text"),
        ("g.jsonl", '{"id": "a\\nb"}', "`id` must be a short text"),
        ("g.yaml", "case:\n- id: a\n", "under `cases`"),
        ("g.yaml", "cases:\n- id: a\nversion: 1\n", "only that list under `cases`"),
        ("g.csv", "ID,x\na,1\n", "Write `id`, or give the variable another name."),
        ("g.csv", "id,assert\na,1\n", "a table cannot hold `assert`"),
        ("g.csv", "id,vars\na,1\n", "a table cannot hold `vars`"),
        ("g.csv", "id,weight\na,nan\n", "`weight` must be a number from 0"),
        ("g.csv", "id,weight\na,inf\n", "`weight` must be a number from 0"),
        ("g.csv", "id,x\na\n", "g.csv:2: the row has 1 fields and the header 2"),
        ("g.csv", 'id,x\na,"two\nlines"\nb,1,2\n', "g.csv:4: the row has 3 fields"),
        ("g.csv", 'id,x\na,1\nb,"open\nc,1\nd,1\n', "g.csv:3: the row cannot be read"),
        ("g.csv", 'id,x\na,"b"c\n', "g.csv:2: the row cannot be read"),
        ("g.csv", "\n\nx,\n1,2\n", "g.csv:3: a column has no name"),
    ],
)
def test_mistakes_are_named_where_they_are(path: str, text: str, output: str) -> None:
    result = problems({path: text})
    assert any(output in message for message in result), result


def test_every_mistake_of_a_header_is_told() -> None:
    assert len(problems({"g.csv": "x,x,,assert,Expected\n1,2,3,4,5\n"})) == 4


@pytest.mark.parametrize(
    "text",
    [
        "\n\nid,x\n\na,1\n  \n\n",
        '"id";"x"\na;1\n',
        '"id, or name";id;x\nn;a;1\n',
        "id\tx\na\t1\n",
        "id,x\r\na,1\r\n",
        "id,x\ra,1\r",
        "\ufeffid,x\na,1\n",
    ],
)
def test_tables_as_spreadsheets_write_them(text: str) -> None:
    (case,) = read({"g.csv": text}).cases
    assert (case.id, case.vars["x"]) == ("a", "1")


@pytest.mark.parametrize("text", ["id,x\n", "id", "\n \n", ""])
def test_a_table_without_rows_is_an_empty_set(text: str) -> None:
    assert read({"g.csv": text}).cases == ()


@pytest.mark.parametrize("text", ["cases:\n", "cases: []\n", "# nothing yet\n"])
def test_a_yaml_file_without_cases_is_an_empty_set(text: str) -> None:
    assert read({"g.yaml": text}).cases == ()


def test_an_empty_cell_expects_nothing_and_is_an_empty_variable() -> None:
    (case,) = read({"g.csv": "id,input,expected,tags,critical,cluster,weight\na,,,,,,\n"}).cases
    assert (case.vars, case.expected, case.tags) == ({"input": ""}, None, ())
    assert (case.critical, case.cluster, case.weight) == (False, None, 1.0)


def test_a_file_of_another_kind_does_not_bury_its_reader() -> None:
    table = "".join(f"c{i},question,answer\n" for i in range(2000))
    mixed = "".join(f'{{"vars": {{}}, "asert{i}": 1}}\n' for i in range(2000))
    text = problems({"g.jsonl": table, "h.jsonl": '{"Vars": 1}\n' * 2000, "k.jsonl": mixed})
    assert len([message for message in text if message.startswith("g.jsonl")]) == 1 + MAX_EQUAL_PROBLEMS
    (_, _, last) = [message for message in text if message.startswith("h.jsonl")]
    assert "h.jsonl:3: " in last
    assert "(1997 more lines have the same problem)" in last
    assert len([message for message in text if message.startswith("k.jsonl")]) == MAX_PROBLEMS + 1
    assert "k.jsonl: 1900 more problems in this file. Fix the ones above first." in text


@pytest.mark.parametrize(("given_id", "expected"), [(7, "7"), (" x ", "x"), (True, ""), ("", "")])
def test_an_id_in_test_data_names_the_case_where_it_can(given_id: object, expected: str) -> None:
    (case,) = load.cases_from_test_data("p.prompt.yml", [{"id": given_id, "input": "i"}], [3])
    assert (case.id, case.vars) == (expected, {"id": given_id, "input": "i"})


def test_an_id_of_test_data_and_of_a_golden_file_must_differ() -> None:
    own = load.cases_from_test_data("p.prompt.yml", [{"id": "x"}], [3])
    with pytest.raises(InputError, match=r"g\.jsonl:1: the id `x` is already used at p\.prompt\.yml:3"):
        load.load_goldens({"g.jsonl": b'{"id": "x"}'}, own)


@pytest.mark.long
@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_hundred_thousand_cases_take_seconds(suffix: str) -> None:
    numbers = range(100_000)
    text = (
        "\n".join(f'{{"id": "c{i}", "vars": {{"input": "{i}"}}, "expected": "{i}"}}' for i in numbers)
        if suffix == "jsonl"
        else "id,input,expected\n" + "\n".join(f"c{i},{i},{i}" for i in numbers)
    )
    started = time.process_time()
    golden_set = read({f"g.{suffix}": text})
    assert time.process_time() - started < 30
    assert (len(golden_set.cases), golden_set.cases[-1].id, golden_set.cases[-1].expected) == (
        100_000,
        "c99999",
        "99999",
    )


cells = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=12)
tables = st.lists(st.tuples(cells, cells), min_size=1, max_size=5)


@given(tables, st.sampled_from([",", ";", "\t"]))
def test_whatever_a_cell_holds_comes_back_with_the_line_it_begins_on(
    table: list[tuple[str, str]], delimiter: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["id", "one", "two"])
    begins = []
    for number, row in enumerate(table):
        begins.append(out.getvalue().count("\n") + 1)
        writer.writerow([f"c{number}", *row])
    result = read({"g.csv": out.getvalue()}).cases
    assert [(case.vars["one"], case.vars["two"]) for case in result] == table
    assert [case.line for case in result] == begins


@given(st.text(st.sampled_from('id,;\t"\n x1\u2028'), max_size=40))
def test_no_table_breaks_the_reader(text: str) -> None:
    assert_read_or_refused({"g.csv": text})


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["id", "vars", "expected", "assert", "tags", "critical", "cluster", "weight"]), junk
    )
)
def test_whatever_a_case_holds_is_read_or_refused_in_words(case: dict[str, object]) -> None:
    line = json.dumps(case, ensure_ascii=False)
    assert_read_or_refused({"g.jsonl": line})
    assert_read_or_refused({"g.yaml": f"- {line}\n"})


def assert_read_or_refused(files: dict[str, str]) -> None:
    """Let nothing but an InputError come out, and that with a line for all it names."""
    try:
        read(files)
    except InputError as error:
        if not error.problems or any(problem.line is None for problem in error.problems):
            raise AssertionError from error
