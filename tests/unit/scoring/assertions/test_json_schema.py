"""The bounded checker of JSON Schemas beside the library's own, which it must agree with."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.assertion_cases import case, mark

from promptci.scoring import check_assertions

NAMES = st.sampled_from(["a", "ab", "b", "é"])
PATTERNS = st.sampled_from(["^a", "b$", "[0-9]", "^(a|ab)+$", "."])
PLAIN = st.sampled_from(
    [
        *({}, True, False, {"type": "object"}, {"type": "array"}, {"type": ["string", "null"]}, {"minLength": 2}),
        *({"required": ["a"]}, {"enum": [1, "a", None]}, {"const": {"a": 1}}, {"uniqueItems": True}, {"maximum": 1}),
        *({"maxItems": 1}, {"minProperties": 2}, {"multipleOf": 2}, {"$ref": "#/$defs/one"}, {"$ref": "#two"}),
    ]
)


def larger(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return schemas made of smaller ones."""
    return st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(NAMES, inner, max_size=2),
            "patternProperties": st.dictionaries(PATTERNS, inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": st.fixed_dictionaries({"pattern": PATTERNS}),
            "items": inner,
            "prefixItems": st.lists(inner, min_size=1, max_size=2),
            "contains": inner,
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "if": inner,
            "then": inner,
            "else": inner,
            "pattern": PATTERNS,
            "uniqueItems": st.booleans(),
        },
    )


PIECES = st.recursive(PLAIN, larger, max_leaves=6)
SCHEMAS = st.builds(
    lambda whole, item, two: {**whole, "$defs": {"one": item, "two": {"$anchor": "two", **two}}},
    larger(PIECES),
    PIECES,
    larger(PIECES),
)
ANSWERS = st.recursive(
    st.sampled_from([None, True, 0, 1, 1.0, 2.5, "", "a", "ab", "b1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.long
@settings(deadline=None, max_examples=200)
@given(SCHEMAS, ANSWERS)
def test_a_schema_means_what_the_library_says_it_means(schema: dict[str, Any], answer: Any) -> None:
    golden_case = case("json-schema", schema)
    problems = check_assertions.find_problems([golden_case])
    try:
        right = jsonschema.Draft202012Validator(schema).is_valid(answer)
    except BaseException as error:
        # At the limit of recursion, the map of the library's registry panics in place of a RecursionError.
        if not isinstance(error, RecursionError) and type(error).__name__ != "PanicException":
            raise
        right = None
    if problems:
        assert "refers to itself without end" in problems[0].message
        return
    result = mark(golden_case, json.dumps(answer)).passed
    # Where the library loses its way, an error found before that still counts; what it can tell, we can.
    assert result in ({None, False} if right is None else {right})


@pytest.mark.parametrize("draft", ["4", "6", "7", "2019-09", "2020-12"])
def test_every_draft_from_4_on_is_known(draft: str) -> None:
    address = (
        f"https://json-schema.org/draft/{draft}/schema"
        if "-" in draft
        else f"http://json-schema.org/draft-0{draft}/schema#"
    )
    golden_case = case("json-schema", {"$schema": address, "type": "object", "properties": {"a": {"pattern": "^x"}}})
    assert check_assertions.find_problems([golden_case]) == []
    assert [mark(golden_case, text).passed for text in ('{"a": "x"}', '{"a": "y"}', "[]")] == [True, False, False]
