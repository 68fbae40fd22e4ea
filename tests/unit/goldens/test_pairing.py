"""Pairing: whatever an edit does to the file, each case of base meets itself, and nothing of base is lost."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.goldens import load
from promptci.goldens.model import Case
from promptci.goldens.pairing import CaseChange, CasePair, pair_cases


def cases(*rows: dict[str, Any]) -> tuple[Case, ...]:
    return load.load_goldens({"g.jsonl": "\n".join(json.dumps(row) for row in rows).encode()}).cases


def row(number: int, **options: Any) -> dict[str, Any]:
    return {"vars": {"input": f"question {number}"}, "expected": str(number), **options}


def pairs(base: list[dict[str, Any]], head: list[dict[str, Any]], *used: str) -> tuple[CasePair, ...]:
    return pair_cases(cases(*base), cases(*head), used or None)


BASE = [row(i) for i in range(4)]


@pytest.mark.parametrize(
    "head",
    [
        BASE,
        BASE[::-1],
        [row(i, id=f"new-{i}") for i in range(4)],
        [{**row_, "tags": ["x"]} for row_ in BASE],
    ],
    ids=["unchanged", "sorted", "ids given", "tags"],
)
def test_an_edit_that_changes_no_case_keeps_all_pairs(head: list[dict[str, Any]]) -> None:
    assert [pair.change for pair in pairs(BASE, head)] == [CaseChange.SAME] * 4


def test_renamed_ids_pair_by_their_variables() -> None:
    base = [row(i, id=f"a{i}") for i in range(3)]
    case_pairs = pairs(base, [row(i, id=f"b{i}") for i in (2, 0, 1)])
    assert [(pair.id, pair.head.id if pair.head else None) for pair in case_pairs] == [
        ("a0", "b0"),
        ("a1", "b1"),
        ("a2", "b2"),
    ]


def test_whitespace_and_unused_variables_keep_the_pair() -> None:
    head = [
        {"vars": {"input": "question  0 "}, "expected": "0"},
        {"vars": {"input": "question 1", "unused": "x"}, "expected": "1"},
    ]
    case_pairs = pairs(BASE[:2], head, "input")
    assert [(pair.base is not None, pair.head is not None) for pair in case_pairs] == [(True, True)] * 2


def test_removed_and_new_cases_are_named() -> None:
    case_pairs = pairs(BASE, [*BASE[1:], row(9)])
    assert [pair.change for pair in case_pairs] == [CaseChange.REMOVED, *[CaseChange.SAME] * 3, CaseChange.NEW]
    assert not any(pair.weakened for pair in case_pairs)


@pytest.mark.parametrize(
    ("before", "after", "weakened"),
    [
        ({}, {"expected": "anything"}, True),
        ({}, {"assert": [{"type": "length", "min": 1}]}, True),
        ({"critical": True}, {}, True),
        ({"weight": 2}, {"weight": 1}, True),
        ({}, {"cluster": "all"}, True),
        ({}, {"critical": True}, False),
        ({}, {"weight": 2}, False),
        ({}, {"vars": {"input": "another question"}}, False),
    ],
)
def test_a_case_that_may_be_easier_is_weakened(before: dict[str, Any], after: dict[str, Any], weakened: bool) -> None:
    (pair,) = pairs([row(1, id="a", **before)], [{**row(1, id="a"), **after}])
    assert (pair.change, pair.weakened) == (CaseChange.CHANGED, weakened)


LENGTH = {"type": "length", "min": 1}


def any_of(*texts: str) -> dict[str, Any]:
    return {"expected": None, "assert": [{"type": "contains-any", "value": list(texts)}]}


def test_an_edited_requirement_is_described_and_a_lost_mark_named() -> None:
    (pair,) = pairs([row(1, id="a", expected="x", critical=True)], [row(1, id="a") | any_of("x", "y")])
    assert (pair.lost_critical, pair.requirement_change) == (True, "equals x → contains-any x, y")


@pytest.mark.parametrize(
    ("before", "after", "looser"),
    [
        ({"expected": "HB-1"}, {"expected": None, "assert": [{"type": "contains", "value": "HB-1"}]}, True),
        ({"expected": "HB-1"}, {"expected": None, "assert": [{"type": "contains", "value": "HB-2"}]}, False),
        ({"expected": "HB-1"}, {"expected": None, "assert": [{"type": "contains-any", "value": ["HB-1", "x"]}]}, True),
        ({"expected": "HB-1"}, {"expected": None, "assert": [{"type": "contains-any", "value": ["HB-2", "x"]}]}, False),
        ({"expected": "HB-1"}, {"expected": None, "assert": [{"type": "contains-all", "value": ["HB-1", "x"]}]}, False),
        (any_of("HB-1", "x"), any_of("HB-1", "x", "y"), True),
        (any_of("HB-1", "x"), any_of("HB-1", "y"), False),
        ({"expected": "HB-1", "assert": [LENGTH]}, {"expected": "HB-1"}, True),
        ({"expected": "HB-1"}, {"expected": "HB-1", "assert": [LENGTH]}, False),
        ({"expected": "HB-1"}, {"expected": "HB-2"}, False),
        ({"critical": True}, {}, True),
        ({"weight": 2}, {"weight": 1}, True),
        ({"critical": True, "expected": "HB-1"}, {"expected": "HB-2"}, False),
        ({}, {"critical": True}, False),
    ],
)
def test_only_what_is_shown_to_be_easier_is_called_looser(
    before: dict[str, Any], after: dict[str, Any], looser: bool
) -> None:
    (pair,) = pairs([row(1, id="a", **before)], [{**row(1, id="a"), **after}])
    assert pair.is_looser is looser


def test_equal_cases_pair_in_their_order() -> None:
    base = [row(1, critical=True), row(1)]
    case_pairs = pairs(base, base)
    assert [pair.change for pair in case_pairs] == [CaseChange.SAME] * 2


def test_a_new_case_never_takes_an_id_of_base() -> None:
    base = [row(1, id="a"), row(2, id="b")]
    case_pairs = pairs(base, [row(1, id="a"), row(2, id="b"), row(3, id="c")])
    assert len({pair.id for pair in case_pairs}) == len(case_pairs)


edits = st.lists(st.integers(0, 8), max_size=8)


@given(edits, edits)
def test_every_case_of_both_sides_is_in_exactly_one_pair(before: list[int], after: list[int]) -> None:
    base, head = cases(*map(row, before)), cases(*map(row, after))
    case_pairs = pair_cases(base, head)
    assert [pair.base for pair in case_pairs if pair.base] == list(base)
    assert sorted(pair.head.line or 0 for pair in case_pairs if pair.head) == sorted(case.line or 0 for case in head)
    assert len({pair.id for pair in case_pairs}) == len(case_pairs)
