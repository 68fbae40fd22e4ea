"""Golden files: three spellings of one set, and every mistake with its line."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.errors import InputError
from promptci.git import globs
from promptci.goldens import find, load
from promptci.goldens.model import Assertion, Case, GoldenSet


def read(files: dict[str, str]) -> GoldenSet:
    return load.load_goldens({path: text.encode() for path, text in files.items()})


def problems(files: dict[str, str]) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(files)
    return [str(problem) for problem in caught.value.problems]


def test_a_merge_conflict_is_called_one() -> None:
    case = json.dumps({"input": "a", "expected": "b"})
    message = problems({"g.jsonl": f"<<<<<<< HEAD\n{case}\n=======\n{case}\n>>>>>>> topic\n"})
    assert len(message) == 3
    assert all(line.endswith("Resolve the merge conflict that is left in the file.") for line in message)


def test_json_in_a_file_of_json_lines_is_one_mistake_and_not_one_on_every_line() -> None:
    text = json.dumps([{"input": "a", "expected": "b"}] * 3, indent=2)
    (message,) = problems({"g.jsonl": text})
    assert message.startswith("g.jsonl:1: the whole file is one JSON value")
    assert ".json" in message


def essence(golden_set: GoldenSet) -> list[tuple[object, ...]]:
    return [(c.id, dict(c.vars), c.expected, c.tags, c.critical, c.cluster, c.weight) for c in golden_set.cases]


def test_every_key_of_a_case_is_read() -> None:
    line = {
        "id": "late-1", "vars": {"input": "where is it?"}, "expected": "GH-1", "tags": ["short"], "critical": True,
        "cluster": "late", "weight": 2,
        "assert": [{"type": "number", "value": 3, "tolerance": 0.5, "weight": 0, "name": "count"}],
    }  # fmt: skip
    (case,) = read({"g.jsonl": "\n" + json.dumps(line) + "\n"}).cases
    assert case == Case(
        id="late-1",
        vars={"input": "where is it?"},
        expected="GH-1",
        tags=("short",),
        critical=True,
        cluster="late",
        weight=2.0,
        assertions=(Assertion(type="number", value=3, options={"tolerance": 0.5}, weight=0.0, name="count"),),
        path="g.jsonl",
        line=2,
    )


names = st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)
rows = st.lists(
    st.fixed_dictionaries(
        {"id": names, "input": texts, "expected": texts.filter(bool), "critical": st.booleans(), "cluster": names}
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda row: str(row["id"]),
)


@given(rows)
def test_jsonl_yaml_and_csv_spell_the_same_set(given_rows: list[dict[str, object]]) -> None:
    cases = [{**{k: v for k, v in row.items() if k != "input"}, "vars": {"input": row["input"]}} for row in given_rows]
    table = io.StringIO()
    writer = csv.DictWriter(table, ["id", "input", "expected", "critical", "cluster"])
    writer.writeheader()
    writer.writerows(given_rows)
    as_jsonl = read({"g.jsonl": "\n".join(json.dumps(case) for case in cases)})
    # Quoted, as JSON is: PyYAML writes YAML 1.1, where `0E0` is a text.
    as_yaml = read({"g.yaml": "".join(f"- {json.dumps(case, ensure_ascii=False)}\n" for case in cases)})
    as_csv = read({"g.csv": table.getvalue()})
    assert essence(as_jsonl) == essence(as_yaml) == essence(as_csv)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_with_line_breaks_a_bom_and_other_separators(delimiter: str) -> None:
    table = io.StringIO()
    writer = csv.writer(table, delimiter=delimiter)
    writer.writerows([["id", "input", "expected", "tags", "weight"], ["a", "two\nlines", "x", "p; q", "0.5"], []])
    writer.writerow(["b", "one", "y", "", ""])
    goldens = load.load_goldens({"g.csv": b"\xef\xbb\xbf" + table.getvalue().encode()})
    first, second = goldens.cases
    assert (first.vars["input"].replace("\r", ""), first.tags, first.weight, first.line) == (
        "two\nlines",
        ("p", "q"),
        0.5,
        2,
    )
    assert (second.expected, second.weight) == ("y", 1.0)


@pytest.mark.parametrize(
    ("path", "text", "output"),
    [
        ("g.jsonl", '{"id": ""}', "`id` must be a short text"),
        (
            "g.jsonl",
            '\n{"id": "a", "var": {}}',
            "g.jsonl:2: `var` would be a variable, but looks like the reserved key `vars`",
        ),
        ("g.jsonl", '{"vars": {}, "critcal": true}', "unknown key `critcal`. Did you mean `critical`?"),
        ("g.jsonl", '{"vars": {}, "answer": "x"}', "unknown key `answer`. Did you mean `expected`?"),
        ("g.jsonl", '{"vars": {}, "zzz": 1}', "Known keys: id, vars"),
        ("g.jsonl", '{"expected": "a", "ideal": "b"}', "`expected` and `ideal` mean the same"),
        ("g.csv", "x,expected,ideal\n1,2,3\n", "g.csv:1: the columns `expected` and `ideal` mean the same"),
        ("g.json", '{"id": "a"}', "golden cases in JSON must be a list"),
        ("g.json", '[{"id": "a"},\n {"id": 1.5}]', "g.json:2: `id` must be a short text"),
        ("g.json", '[{"id": "a"},]', "g.json: not valid JSON"),
        ("g.jsonl", '{"id": "a", "vars": [1]}', "`vars` must be a map"),
        ("g.jsonl", '{"id": "a", "weight": 0}', "`weight` must be a number from 0.01 to 100"),
        ("g.jsonl", '{"id": "a", "critical": "yes"}', "`critical` must be true or false"),
        ("g.jsonl", '{"id": "a", "tags": [1]}', "`tags` must be a list of texts"),
        ("g.jsonl", '{"id": "a", "cluster": [1]}', "`cluster` must be a name"),
        ("g.jsonl", '{"id": "a", "assert": []}', "`assert` must be a list"),
        ("g.jsonl", '{"id": "a", "assert": [{"value": 1}]}', "an assertion must be a map with `type`"),
        ("g.jsonl", '{"id": "a"', "g.jsonl:1: "),
        ("g.jsonl", '{"id": "a", "expected": NaN}', "g.jsonl:1: "),
        ("g.jsonl", '{"id": "a", "id": "b"}', "g.jsonl:1: "),
        ("g.jsonl", "[1]", "a case must be a map"),
        ("g.yaml", "- 1\n", "g.yaml:1: a case must be a map"),
        ("g.yaml", "cases: 3\n", "golden cases in YAML must be a list"),
        ("g.yaml", "- {id: a\n", "g.yaml:"),
        ("g.csv", "id,,x\n1,2,3\n", "a column has no name"),
        ("g.csv", "id,x,x\n1,2,3\n", "two columns have the name `x`"),
        ("g.csv", "id,x\na,1,2\n", "g.csv:2: the row has 3 fields and the header 2"),
        ("g.csv", "id,critical\na,perhaps\n", "`critical` must be true or false"),
        ("g.csv", "id,weight\na,heavy\n", "`weight` must be a number"),
        ("g.csv", 'id,x\na,"open\n', "the row cannot be read"),
        ("g.docx", "", "has no known ending"),
    ],
)
def test_every_mistake_is_named_with_its_line(path: str, text: str, output: str) -> None:
    result = problems({path: text})
    assert any(output in message for message in result), result


def test_all_mistakes_of_all_files_come_at_once() -> None:
    result = problems({"a.jsonl": '{"id": 1.5}\n{"id": "x", "weight": "w"}\n', "b.csv": "x,x\n1,2\n", "c.yaml": "a: ["})
    assert {message.split(":")[0] for message in result} == {"a.jsonl", "b.csv", "c.yaml"}
    assert len(result) >= 4


def test_an_id_used_twice_names_both_places() -> None:
    (message,) = problems({"a.jsonl": '{"id": "x"}\n', "b.jsonl": '\n{"id": "x"}\n'})
    assert message.startswith("b.jsonl:2: the id `x` is already used at a.jsonl:1.")


@pytest.mark.parametrize(("path", "text"), [("g.jsonl", "\n\n"), ("g.yaml", ""), ("g.yaml", "[]"), ("g.csv", "")])
def test_an_empty_file_is_an_empty_set_and_known_to_be_there(path: str, text: str) -> None:
    golden_set = read({path: text})
    assert (golden_set.paths, golden_set.cases) == ((path,), ())


def test_goldens_are_found_by_the_prompt_s_name_and_labels_are_none() -> None:
    paths = ["goldens/a.jsonl", "goldens/a.csv", "goldens/a.labels.jsonl", "goldens/ab.jsonl", "goldens/[x].jsonl"]

    def glob(pattern: str) -> list[str]:
        return [path for path in paths if globs.matches(pattern, path)]

    assert find.find_golden_files(glob, "goldens/{name}.*", "a", globs.escape) == ["goldens/a.jsonl", "goldens/a.csv"]
    assert find.find_golden_files(glob, "goldens/{name}.*", "[x]", globs.escape) == ["goldens/[x].jsonl"]


def test_test_data_becomes_cases() -> None:
    items: list[dict[str, object]] = [{"input": "a", "expected": "b"}, {"id": "own", "input": "c"}, {"id": True}]
    first, second, third = load.cases_from_test_data("p.prompt.yml", items, [10, 12, 14])
    assert (first.has_written_id, first.expected, first.vars, first.line) == (False, "b", items[0], 10)
    assert (second.id, second.expected, third.has_written_id) == ("own", None, False)


@pytest.mark.long
def test_a_hundred_thousand_cases_are_read() -> None:
    text = "\n".join(f'{{"id": "c{i}", "vars": {{"input": "{i}"}}, "expected": "{i}"}}' for i in range(100_000))
    assert len(read({"g.jsonl": text}).cases) == 100_000


def test_cases_of_a_file_share_equal_assertions_and_no_others() -> None:
    asserted = [[{"type": "contains", "value": value}] for value in ("yes", "no", "yes", 1, True, "1")]
    asserted += [[{"type": "contains", "value": "yes", "name": "polite"}], asserted[0]]
    lines = [json.dumps({"id": f"c{i}", "vars": {"input": "x"}, "assert": item}) for i, item in enumerate(asserted)]
    assertions = [case.assertions for case in read({"g.jsonl": "\n".join(lines)}).cases]

    assert assertions[0] is assertions[2] is assertions[7]
    assert [item[0].value for item in assertions] == ["yes", "no", "yes", 1, True, "1", "yes", "yes"]
    assert [type(item[0].value) for item in assertions[3:6]] == [int, bool, str]
    assert [item[0].name for item in assertions] == ["", "", "", "", "", "", "polite", ""]


def test_the_digest_is_of_what_is_asked_and_expected_only() -> None:
    first, tagged, other = (
        read({"g.jsonl": json.dumps({"id": "a", "vars": {"x": 1}, "expected": e, **options})}).cases[0]
        for e, options in (("y", {}), ("y", {"tags": ["t"], "weight": 3}), ("z", {}))
    )
    assert first.digest == tagged.digest
    assert first.digest != other.digest


def test_in_pii_secret_in_golden() -> None:
    key = "sk-proj-abcdefghijklmnop0123456789"
    rows = [{"id": f"c{i}", "vars": {"input": f"use {key} {i}" if i % 2 else f"hi {i}"}} for i in range(12)]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    goldens = load.load_goldens({"g.jsonl": text.encode(), "h.jsonl": b'{"id": "x", "vars": {"input": "sk-short"}}\n'})

    assert [note.partition(": ")[0] for note in goldens.notes] == ["g.jsonl:2", "g.jsonl:4", "g.jsonl:6"]
    assert all("Revoke the key" in note and key not in note for note in goldens.notes)


def test_cases_that_ask_the_same_are_named_with_their_lines() -> None:
    rows = [{"q": "a", "expected": "A"}, {"q": "a", "expected": "A"}, {"q": "b", "expected": "B"}]
    assert read({"g.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}).notes == (
        (
            "g.jsonl:1 and g.jsonl:2 have the same variables: they are asked as one case, and each counts in the pass"
            " rate."
        ),
    )


def test_cases_are_the_same_by_all_their_variables_whatever_their_types() -> None:
    variables = [{"n": 1}, {"n": 2}, {"n": 1.0}, {"q": "a", "n": 1}, {"n": 2, "q": "a"}, {"q": "a", "n": [2]}]
    text = "".join(json.dumps({"vars": each, "expected": "A"}) + "\n" for each in variables)
    (note,) = read({"g.jsonl": text}).notes
    assert note.startswith("g.jsonl:1 and g.jsonl:3 have the same variables")


def test_cases_that_contradict_each_other_are_named_first() -> None:
    answers = ("a", "A"), ("a", "A"), ("b", "B"), ("b", "C")
    text = "".join(json.dumps({"q": q, "expected": expected}) + "\n" for q, expected in answers)
    first, second = read({"g.jsonl": text}).notes
    assert first == (
        "g.jsonl:3 and g.jsonl:4 have the same variables and expect different answers (`B` and `C`): no answer can pass"
        " all of them. Remove the wrong ones."
    )
    assert second.startswith("g.jsonl:1 and g.jsonl:2 ")


def test_cases_with_assertions_of_their_own_do_not_contradict_each_other() -> None:
    rows = [{"q": "a", "expected": word, "assert": [{"type": "contains"}]} for word in ("A", "B")]
    (note,) = read({"g.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}).notes
    assert "asked as one case" in note


def test_only_the_first_groups_of_equal_cases_are_named() -> None:
    text = "".join(json.dumps({"q": str(i // 2), "expected": "A"}) + "\n" for i in range(10))
    notes = read({"g.jsonl": text}).notes
    assert len(notes) == 4
    assert notes[-1] == "2 more groups of cases have the same variables."
