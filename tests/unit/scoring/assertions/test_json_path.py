"""`json-path` follows RFC 9535; what it says where several values, or none, are selected."""

import json
from typing import Any

import pytest
from support.assertion_cases import case, mark, passes

ORDER: dict[str, Any] = {
    "currency": "EUR",
    "order-id": 7,
    "items": [
        {"sku": "A", "price": 5, "currency": "EUR", "tags": ["new"]},
        {"sku": "B", "price": 9, "currency": "EUR", "tags": []},
        {"sku": "C-1", "price": 20, "currency": "USD", "tags": ["old", "new"]},
    ],
}
ANSWER = json.dumps(ORDER)


@pytest.mark.parametrize(
    ("path", "value", "all_", "any_"),
    [
        ("$.currency", "EUR", True, True),
        ("$.items[-1].price", 20, True, True),
        ("$['order-id']", 7, True, True),
        ("$.items[*].currency", "EUR", False, True),
        ("$.items[:2].currency", "EUR", True, True),
        ("$.items[::2].sku", "C-1", False, True),
        ("$.items[0,1].price", 5, False, True),
        ("$..tags[*]", "new", False, True),
        ("$..tags[0]", "old", False, True),
        ("$.items[?@.price > 10].currency", "USD", True, True),
        ("$.items[?@.sku == 'B' || @.sku == 'A'].currency", "EUR", True, True),
        ("$.items[?count(@.tags[*]) == 2].sku", "C-1", True, True),
        ("$.items[?length(@.tags) == 0].sku", "B", True, True),
        ("$.items[?match(@.sku, '[A-Z]')].currency", "EUR", True, True),
        ("$.items[?search(@.sku, '[0-9]')].currency", "USD", True, True),
        ("$.items[?match(@.sku, 'C.1')].price", 20, True, True),
        ("$.items[?match(@.sku, '[')].price", 20, False, False),
        ("$.items[?match(@.price, '.*')].price", 20, False, False),
        ("$.items[?@.gone].sku", "A", False, False),
        ("$.items[*].gone", "A", False, False),
        ("$", ORDER, True, True),
    ],
)
def test_of_several_values_all_or_any_must_be_equal(path: str, value: Any, all_: bool, any_: bool) -> None:
    assert passes(case("json-path", value, path=path), ANSWER) is all_
    assert passes(case("json-path", value, path=path, match="all"), ANSWER) is all_
    assert passes(case("json-path", value, path=path, match="any"), ANSWER) is any_


@pytest.mark.parametrize(
    ("path", "match", "reason"),
    [
        ("$.items[0].price", "all", "$.items[0].price should be `6` (number); got `5` (number)"),
        ("$.items[0].price", "any", "$.items[0].price should be `6` (number); got `5` (number)"),
        (
            "$.items[*].price",
            "all",
            "every value at $.items[*].price should be `6` (number); got `5` (number) at $['items'][0]['price']",
        ),
        ("$.items[*].price", "any", "a value at $.items[*].price should be `6` (number); none of 3 is"),
        ("$.total", "all", 'there is no `total` in `{"currency": '),
        ("$.items[3].price", "all", "there is no `3` in `[{"),
        ("$.currency.code", "all", 'there is no `code` in `"EUR"` (string)'),
        ("$.items[?@.price > 99].sku", "all", "there is no `[?@['price'] > 99]` in `[{"),
        ("$.items..total", "any", "there is no `..['total']` in `[{"),
    ],
)
def test_the_reason_names_the_value_and_its_place(path: str, match: str, reason: str) -> None:
    outcome = mark(case("json-path", 6, path=path, match=match), ANSWER)
    assert outcome.passed is False
    assert reason in outcome.reason


def test_a_dot_in_a_pattern_matches_no_line_end() -> None:
    golden_case = case("json-path", "x", path="$[?search(@, 'a.b') || search(@, '[.]') || search(@, '\\\\.')]")
    assert "there is no" in mark(golden_case, json.dumps(["a\nb", "a\rb"])).reason
    assert mark(golden_case, json.dumps(["a-b"])).reason.endswith("at $[0]")
    assert mark(golden_case, json.dumps(["."])).reason.endswith("at $[0]")


def test_a_key_is_found_however_its_accents_are_written() -> None:
    composed, decomposed = "caf\u00e9", "cafe\u0301"
    for key in (composed, decomposed):
        for path in (composed, decomposed):
            assert passes(case("json-path", 1, path=f"$['{path}']"), json.dumps({key: 1}, ensure_ascii=False))
