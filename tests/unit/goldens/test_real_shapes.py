"""Golden files as people write them: without ids, without `vars`, from spreadsheets and from other tools."""

import json
from typing import Any

import pytest

from promptci.errors import InputError
from promptci.git import globs
from promptci.goldens import find, load, parse
from promptci.goldens.model import Case


def cases(path: str, text: str) -> tuple[Case, ...]:
    return load.load_goldens({path: text.encode()}).cases


def refusal(path: str, text: str) -> str:
    with pytest.raises(InputError) as caught:
        cases(path, text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("g.jsonl", '{"input": "hi", "expected": "ho"}\n'),
        ("g.ndjson", '{"vars": {"input": "hi"}, "expected": "ho"}\n'),
        ("g.json", '[{"input": "hi", "ideal": "ho"}]'),
        ("g.json", '{"cases": [{"input": "hi", "expected": "ho"}]}'),
        ("g.yaml", "- {input: hi, expected: ho}\n"),
        ("g.csv", "input,expected\nhi,ho\n"),
        ("g.csv", "sep=;\ninput;expected\nhi;ho\n"),
        ("g.csv", '"sep=|"\ninput|ideal\nhi|ho\n'),
        ("g.jsonl", '{"vars": {"input": "hi"}, "expected": "ho", "description": "a greeting", "metadata": {"n": 1}}'),
    ],
)
def test_every_shape_is_the_same_case(path: str, text: str) -> None:
    (case,) = cases(path, text)
    assert (case.vars, case.expected) == ({"input": "hi"}, "ho")
    (reference,) = cases("r.jsonl", '{"input": "hi"}')
    assert case.id == reference.id


def test_a_description_without_vars_is_a_variable() -> None:
    (case,) = cases("g.jsonl", '{"title": "Rake", "description": "12 teeth", "expected": "garden"}')
    assert case.vars == {"title": "Rake", "description": "12 teeth"}


@pytest.mark.parametrize("name", ["Expected", "EXPECTED", "expectd", "expcted", "expect"])
@pytest.mark.parametrize("suffix", ["jsonl", "csv", "yaml"])
def test_a_name_that_looks_like_the_expectation_is_refused(name: str, suffix: str) -> None:
    text = {
        "jsonl": json.dumps({"input": "a", name: "b"}),
        "csv": f"input,{name}\na,b\n",
        "yaml": f"- {{input: a, {name}: b}}\n",
    }[suffix]
    assert "`expected`" in refusal(f"g.{suffix}", text)


@pytest.mark.parametrize("name", ["expected_output", "expectedOutput"])
def test_the_name_of_langfuse_stands_for_the_expectation_in_objects_only(name: str) -> None:
    (case,) = cases("g.jsonl", json.dumps({"input": "a", name: "b"}))
    assert (case.vars, case.expected) == ({"input": "a"}, "b")
    assert "`expected`" in refusal("g.csv", f"input,{name}\na,b\n")


@pytest.mark.parametrize(
    "name", ["input", "cars", "bars", "tax", "idea", "height", "context", "expert", "customer", "assets", "weather"]
)
def test_ordinary_names_are_variables(name: str) -> None:
    assert parse.find_intended_key(name) is None


@pytest.mark.parametrize(
    ("name", "key"),
    [("weigth", "weight"), ("clusters", "cluster"), ("critcal", "critical"), ("ID", "id"), ("Asserts", "assert")],
)
def test_slips_are_recognized(name: str, key: str) -> None:
    assert parse.find_intended_key(name) == key


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("+4915112345678", "+4915112345678"),
        ("1.10", "1.10"),
        ("1.0", 1.0),
        ("1e3", "1e3"),
        ("-0", "-0"),
        ("True", "True"),
        ("true", True),
        ("42", 42),
        ("007", "007"),
        ("~", "~"),
        ("'1.10'", "1.10"),
    ],
)
def test_yaml_scalars_reach_the_model_as_written(written: str, value: Any) -> None:
    (case,) = cases("g.yaml", f"- vars: {{x: {written}, list: [{written}]}}\n")
    assert (case.vars["x"], case.vars["list"]) == (value, [value])
    (case,) = cases("g.yaml", f"- {{x: a, expected: {written}}}\n")
    assert case.expected == (None if written == "~" else value)


def test_numbers_of_assertions_stay_numbers() -> None:
    (case,) = cases("g.yaml", "- {x: a, weight: 1.50, assert: [{type: number, value: 1.10, tolerance: 1e-3}]}\n")
    assert (case.weight, case.assertions[0].value, case.assertions[0].options) == (1.5, 1.1, {"tolerance": 0.001})


@pytest.mark.parametrize("weight", ["0", "-1", "0.001", "1e6"])
@pytest.mark.parametrize(("path", "text"), [("g.yaml", "- {{x: a, weight: {}}}\n"), ("g.csv", "x,weight\na,{}\n")])
def test_a_weight_that_would_silence_or_drown_cases_is_refused(path: str, text: str, weight: str) -> None:
    assert "`weight` must be a number from 0.01 to 100" in refusal(path, text.format(weight))


def test_ids_follow_the_variables_and_not_the_place() -> None:
    first = cases("g.jsonl", '{"input": "a"}\n{"input": "b"}\n{"input": "a"}')
    second = cases("g.jsonl", '{"input": "new"}\n{"input": "b "}\n{"input": "a"}\n{"input":  "a"}')
    assert {case.id for case in first} < {case.id for case in second}
    assert len({case.id for case in second}) == 4


@pytest.mark.long
def test_many_equal_cases_take_no_longer_than_different_ones() -> None:
    golden_cases = cases("g.jsonl", '{"input": "a"}\n' * 50_000)
    assert len({case.id for case in golden_cases}) == 50_000


@pytest.mark.parametrize(
    ("name", "path", "belongs"),
    [
        ("order", "goldens/order.jsonl", True),
        ("order", "goldens/order.v2.jsonl", False),
        ("order.v2", "goldens/order.v2.jsonl", True),
        ("order", "goldens/order.xlsx", True),
        ("order", "goldens/order.labels.jsonl", False),
    ],
)
def test_a_name_ends_where_a_known_ending_begins(name: str, path: str, belongs: bool) -> None:
    def glob(pattern: str) -> list[str]:
        return [path] if globs.matches(pattern, path) else []

    assert find.find_golden_files(glob, "goldens/{name}.*", name, globs.escape) == [path] * belongs


def test_a_slip_in_test_data_is_refused_unless_a_message_uses_it() -> None:
    items = [{"input": "a", "Expected": "b"}]
    (problem,) = load.find_test_data_slips("p.prompt.yml", items, [7], {"input"})
    assert (problem.line, problem.message.startswith("`Expected`")) == (7, True)
    assert load.find_test_data_slips("p.prompt.yml", items, [7], {"input", "Expected"}) == []
