"""Cases that other tools exported are read as they are."""

from typing import Any

import pytest

from promptci.goldens.parse import parse_case

TURNS = [{"role": "user", "content": "hi"}]


@pytest.mark.parametrize(
    ("value", "variables", "expected"),
    [
        ({"inputs": {"q": "a"}, "outputs": {"answer": "b"}, "id": "1"}, {"q": "a"}, "b"),
        ({"inputs": {"q": "a"}, "outputs": {"x": 1, "y": 2}, "dataset_id": "d"}, {"q": "a"}, {"x": 1, "y": 2}),
        ({"inputs": {"q": "a"}, "outputs": None}, {"q": "a"}, None),
        ({"input": "a", "expectedOutput": "b", "metadata": {"k": 1}}, {"input": "a"}, "b"),
        ({"input": {"q": "a"}, "expectedOutput": None, "status": "ACTIVE"}, {"q": "a"}, None),
        ({"input": TURNS, "expectedOutput": "b"}, {"messages": TURNS}, "b"),
        ({"input": TURNS, "ideal": ["b", "c"]}, {"messages": TURNS}, ["b", "c"]),
        ({"input": "a", "expected": "b"}, {"input": "a"}, "b"),
        ({"inputs": "a", "expected": "b"}, {"inputs": "a"}, "b"),
        ({"vars": {"inputs": {"q": "a"}}, "expected": "b"}, {"inputs": {"q": "a"}}, "b"),
    ],
)
def test_a_case_of_another_tool(value: dict[str, Any], variables: dict[str, Any], expected: object) -> None:
    problems: list[Any] = []
    case = parse_case(value, "g.jsonl", 1, problems)
    assert problems == []
    assert case is not None
    assert (case.vars, case.expected) == (variables, expected)
