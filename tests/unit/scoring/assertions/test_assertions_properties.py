"""What holds for every assertion, whatever stands in it and whatever is answered."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.assertion_cases import case, mark, passes

from promptci.scoring import check_assertions
from promptci.scoring.assertions import base
from promptci.scoring.assertions.table import ASSERTIONS

UNHURRIED = settings(deadline=None)
"""The first schema of a run waits for its library to be imported."""
WORDS = st.text(min_size=1, max_size=12).filter(lambda text: "{{" not in text)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12)
)
KEYWORDS = st.sampled_from(
    [
        *("$ref", "$id", "$schema", "$defs", "$anchor", "$dynamicRef", "allOf", "anyOf", "not", "if", "then"),
        *("properties", "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames"),
        *("items", "prefixItems", "contains", "uniqueItems", "required", "dependentSchemas", "pattern", "minLength"),
        *("enum", "const", "type", "multipleOf", "maximum", "choices", "choice", "score", "model", "prompt"),
    ]
)
LEAVES = SCALARS | st.sampled_from(["#", "#/$defs/a", "#a", "object", "string", "integer", "{{customer}}", "(a+)+$"])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS | st.just("a"), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("kind", "option"),
    [("levenshtein", "at_most"), ("bleu", "at_least"), ("gleu", "at_least"), ("rouge-n", "at_least")],
)
def test_a_limit_that_is_null_is_the_default(kind: str, option: str) -> None:
    limited, plain = case(kind, "a b c d e", None, **{option: None}), case(kind, "a b c d e", None)
    assert check_assertions.find_problems([limited]) == []
    assert mark(limited, "a b c d f") == mark(plain, "a b c d f")


KINDS = [*ASSERTIONS, "llm", "judge", "similar"]


@settings(UNHURRIED, max_examples=5)
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_refused_can_be_marked(kind: str, data: st.DataObject) -> None:
    mark_unless_refused(kind, data)


@pytest.mark.long
@settings(UNHURRIED, max_examples=100)
@given(data=st.data())
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_refused_can_be_marked_however_odd(kind: str, data: st.DataObject) -> None:
    mark_unless_refused(kind, data)


def mark_unless_refused(kind: str, data: st.DataObject) -> None:
    names = st.sampled_from(sorted(check_assertions.ALL_ASSERTIONS[kind].OPTIONS) or ["none"])
    options = data.draw(st.dictionaries(names, VALUES | st.sampled_from(["$.a", ["a", "b"], 1, True])), label="options")
    golden_case = case(kind, data.draw(VALUES, label="value"), data.draw(VALUES, label="expected"), **options)
    if check_assertions.find_problems([golden_case]) or kind not in ASSERTIONS:
        return
    text = data.draw(st.text() | VALUES.map(lambda value: json.dumps(value, default=str)), label="text")
    outcome = mark(golden_case, text, latency=1.0, cost=Decimal(1))
    if outcome.passed is not None and outcome.fraction is not None:  # a likeness has a score of its own
        assert 0 <= outcome.fraction <= 1
    else:
        assert outcome.score == {True: 1.0, False: 0.0, None: None}[outcome.passed]
    assert 0 < len(outcome.reason) < 600


@given(WORDS.filter(str.strip), st.text(), st.text())
def test_a_text_is_found_wherever_it_stands(word: str, before: str, after: str) -> None:
    text = before + word + after
    assert passes(case("contains", word), text)
    assert passes(case("icontains", word), text.upper().lower()) in {True, False}
    assert passes(case("contains-any", [word, "\0"]), text)
    assert passes(case("not-contains", word, ignore_case=False), text) is False
    assert passes(case("starts-with", word), word + after)
    assert passes(case("ends-with", word), before + word)


@given(st.lists(WORDS, min_size=1, max_size=4), st.randoms())
def test_the_order_of_the_texts_does_not_matter(words: list[str], random: Any) -> None:
    mixed = random.sample(words, len(words))
    assert passes(case("contains-all", words), " ".join(mixed))
    assert passes(case("contains-all", mixed), " ".join(words))


@given(WORDS, st.sampled_from(["", " ", "\n", "\t \n"]))
def test_equals_forgives_blanks_around_and_nothing_else(word: str, blanks: str) -> None:
    assert passes(case("equals", word), blanks + word + blanks)
    assert passes(case("equals", word), word + "x") is False
    assert passes(case("equals", word, trim=False), word)


@given(st.text())
def test_the_expected_text_is_what_an_assertion_without_a_value_takes(text: str) -> None:
    golden_case = case("equals", "{{expected}}", expected=text)
    assert passes(golden_case, text)


@given(WORDS)
def test_a_variable_in_a_pattern_stands_for_its_very_text(name: str) -> None:
    golden_case = case("regex", "^<{{customer}}>$", customer=name)
    assert passes(golden_case, f"<{name}>")
    assert passes(golden_case, f"<{name}>x") is False


@given(st.floats(-1e12, 1e12), st.floats(0, 1e6), st.floats(0, 2))
def test_a_number_passes_within_its_tolerance_only(expected: float, tolerance: float, share: float) -> None:
    given_number = expected + share * tolerance
    off = abs(given_number - expected)
    slack = 1e-9 * max(1.0, abs(expected))
    if abs(off - tolerance) > slack:
        assert passes(case("number", expected, tolerance=tolerance), repr(given_number)) is (off <= tolerance)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@UNHURRIED
@given(JSON)
def test_json_is_recognised_with_and_without_its_fence(value: Any) -> None:
    text = json.dumps(value)
    assert passes(case("is-json"), text)
    assert passes(case("is-json", fenced=True), f"```json\n{text}\n```")
    assert passes(case("is-json"), f"```json\n{text}\n```") is False
    assert passes(case("json-schema", {"const": value}), text)
    assert passes(case("json-schema", {"not": {"const": value}}), text) is False


@example("\uf900", "")
@example({"a": ["\uf900"]}, "a")
@given(JSON.filter(lambda value: value is not None and "{{" not in json.dumps(value)), st.text(max_size=5))
def test_a_value_is_found_at_its_path(value: Any, key: str) -> None:
    golden_case = case("json-path", value, path=f"$.a[1][{json.dumps(key)}]")
    assert passes(golden_case, json.dumps({"a": [0, {key: value}]}))
    assert passes(golden_case, json.dumps({"a": [0, {key: [value]}]})) is False


@given(st.text(), st.integers(0, 20))
def test_length_counts_what_it_says(text: str, limit: int) -> None:
    assert passes(case("length", max=limit), text) is (len(text.strip()) <= limit)
    assert passes(case("length", min=limit, unit="words"), text) is (len(text.split()) >= limit)


@given(st.text())
def test_a_quotation_stands_on_one_line_and_is_short(text: str) -> None:
    message = base.quote(text * 50)
    assert len(message) <= base.MAX_QUOTED_CHARS + 3
    assert len(message.splitlines()) == 1


@given(st.text(st.sampled_from("ab(){}[]|*+?\\#,0123^-:x \n"), max_size=30))
def test_a_pattern_is_refused_before_anything_is_asked_or_can_be_searched_for(pattern: str) -> None:
    golden_case = case("regex", pattern)
    if not check_assertions.find_problems([golden_case]):
        assert mark(golden_case, "ab 12").passed in {True, False, None}
