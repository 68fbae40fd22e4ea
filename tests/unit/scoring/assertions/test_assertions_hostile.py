"""Patterns, schemas and answers that want to hang, crash or flood the one who marks."""

import json
import time
from typing import Any

import pytest
from support.assertion_cases import case, mark
from support.daily import first_daily, some_daily

from promptci.scoring import check_assertions
from promptci.scoring.assertions import json_query, patterns
from promptci.scoring.assertions.table import ASSERTIONS

SLOW_S = 5.0
"""Far above the second that is allowed (a busy machine takes its time), far below for ever."""


DOUBLING: dict[str, Any] = {
    "a0": {},
    **{f"a{i}": {"allOf": [{"$ref": f"#/$defs/a{i - 1}"}] * 2} for i in range(1, 41)},
}
"""Definitions of which each works out the one before it twice."""
ENDLESS = {"$ref": "#/$defs/a40"}


@pytest.mark.parametrize(
    ("pattern", "text"),
    first_daily(
        [
            (r"(a|aa)+$", "a" * 5000 + "b"),
            (r"(x+x+)+y", "x" * 5000),
            (r"^(.*?,){25}P", "1,2,3,4,5," * 2000),
            (r"\s+$", "x" + " " * 200_000 + "x"),
        ]
    ),
)
def test_a_pattern_that_takes_too_long_ends_and_leaves_the_answer_unscored(pattern: str, text: str) -> None:
    hostile = case("regex", pattern)
    assert check_assertions.find_problems([hostile]) == []
    started = time.process_time()
    outcome = mark(hostile, text)
    assert time.process_time() - started < SLOW_S
    assert outcome.passed is None
    assert "took longer than 1 s" in outcome.reason


@pytest.mark.parametrize(
    "pattern",
    [
        "(?:(?:a{1000}){1000}){1000}",
        "a{100000000}",
        "(?:" * 90 + "a" + "){2}" * 90,
        "(?#[)(?:(?:a{1000}){1000}){1000}(?#])",
        "(?x)[#]\n(?:(?:a{1000}){1000}){1000}",
        "a{" + "9" * 900 + "}",
        "a|" * 1000,
        "(" * 400 + ")" * 400,
    ],
    ids=lambda pattern: pattern[:20],
)
def test_a_pattern_that_would_fill_the_memory_is_refused_before_it_is_built(pattern: str) -> None:
    started = time.process_time()
    (problem,) = check_assertions.find_problems([case("regex", pattern)])
    assert time.process_time() - started < 30
    assert "pattern" in problem.message or "flag `x`" in problem.message


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        r"\d{4}-\d{2}-\d{2}",
        r"^(?:\w{1,64}\s?){1,1000}$",
        r"[)({}[\]]{3,5}\{12\}",
        r"(?P<x>a){2}(?i:b)",
    ],
)
def test_an_honest_pattern_is_built(pattern: str) -> None:
    assert patterns.compiled(pattern)


@pytest.mark.parametrize(
    ("schema", "answer"),
    first_daily(
        [
            ({"type": "string", "pattern": "^(a|aa)+$"}, json.dumps("a" * 5000 + "b")),
            ({"patternProperties": {"^(a|aa)+$": {}}}, json.dumps({"a" * 5000 + "b": 1})),
            (
                {"additionalProperties": False, "patternProperties": {"^(a|aa)+$": {}}},
                json.dumps({"a" * 5000 + "b": 1}),
            ),
            ({"$defs": DOUBLING, "properties": {"a": ENDLESS}}, '{"a": 1}'),
            ({"properties": {"a": {"$ref": "#/$defs/loop"}}, "$defs": {"loop": {"$ref": "#/$defs/loop"}}}, '{"a": 1}'),
        ],
        2,
    ),
    ids=["pattern", "patternProperties", "additionalProperties", "doubling", "loop"],
)
def test_a_schema_that_never_ends_is_unscored(schema: dict[str, Any], answer: str) -> None:
    golden_case = case("json-schema", schema)
    assert check_assertions.find_problems([golden_case]) == []
    started = time.process_time()
    outcome = mark(golden_case, answer)
    assert time.process_time() - started < SLOW_S
    assert outcome.passed is None
    assert "schema" in outcome.reason


def test_a_schema_that_takes_too_long_for_any_answer_is_refused() -> None:
    (problem,) = check_assertions.find_problems([case("json-schema", {"$defs": DOUBLING, **ENDLESS})])
    assert "takes longer than 1 s" in problem.message


def test_a_wrong_answer_is_wrong_even_if_the_rest_of_the_schema_cannot_be_worked_out() -> None:
    schema = {"$defs": DOUBLING, "properties": {"a": {"type": "string"}, "b": ENDLESS}}
    assert mark(case("json-schema", schema), '{"a": 1, "b": 1}').passed is False


@pytest.mark.parametrize(
    "schema",
    [
        {"unevaluatedProperties": False, "patternProperties": {"a": {}}},
        {"unevaluatedProperties": False, "allOf": [{"patternProperties": {"a": {}}}]},
        json.loads('{"not":' * 400 + "{}" + "}" * 400),
    ],
    ids=["beside", "within", "deep"],
)
def test_a_schema_that_cannot_be_bounded_is_refused(schema: dict[str, Any]) -> None:
    assert len(check_assertions.find_problems([case("json-schema", schema)])) == 1


def test_the_own_keywords_of_the_bounded_schema_mean_what_the_standard_says() -> None:
    schema = {
        "properties": {"id": {"pattern": r"^\p{Lu}"}, "tags": {"uniqueItems": True}},
        "patternProperties": {"^x-": {"type": "integer"}},
        "additionalProperties": {"type": "boolean"},
    }
    golden_case = case("json-schema", schema)
    assert check_assertions.find_problems([golden_case]) == []
    right = ['{"id": "G1", "tags": [1, true], "x-a": 1, "more": true}', '{"id": 5, "tags": "aa"}', "[]"]
    assert [text for text in right if not mark(golden_case, text).passed] == []
    wrong = ['{"id": "h"}', '{"tags": [1, 1.0]}', '{"x-a": "1"}', '{"more": 1}', '{"tags": [{"a": 1}, {"a": 1}]}']
    assert [text for text in wrong if mark(golden_case, text).passed is not False] == []
    closed = case("json-schema", {"additionalProperties": False, "properties": {"a": {}}})
    assert "`" not in mark(closed, '{"b": 1}').reason.split(";")[0]
    assert "'b'" in mark(closed, '{"b": 1}').reason


def test_an_older_draft_and_a_reference_to_a_draft_are_worked_out_without_the_network() -> None:
    tuple_of_7 = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}]}
    of_schemas = {"$ref": "https://json-schema.org/draft/2020-12/schema"}
    cases = [case("json-schema", tuple_of_7), case("json-schema", of_schemas)]
    assert check_assertions.find_problems(cases) == []
    assert [mark(cases[0], text).passed for text in ("[1]", '["a"]')] == [True, False]
    assert [mark(cases[1], text).passed for text in ('{"type": "string"}', '{"type": "thing"}')] == [True, False]


WIDE = json.dumps({"big": [{"a": i} for i in range(60_000)], "deep": json.loads("[" * 48 + "1" + "]" * 48)})


@pytest.mark.parametrize(
    "path",
    some_daily(
        [
            "$..*..*..*",
            "$..[?@..[?@..[?@..x]]]",
            f"$..[{','.join(['*'] * 400)}]",
            f"$..[{','.join(['&'] * 200)}]".replace("&", '"x"'),
            "$.big[?$.big == $.big[?@.a]]".replace("$.big[?@.a]", "$.deep"),
            "$.big[?count($..*) == 1]",
            f"$.big[?{'||'.join(['1==2'] * 150)}]",
            "$.big[?" + "(" * 400 + "@.b" + ")" * 400 + "]",
            f"$..[{','.join(['::-1'] * 150)}]",
        ],
        3,
    ),
    ids=lambda path: path[:20],
)
def test_a_path_that_takes_too_long_ends(path: str) -> None:
    hostile = case("json-path", 1, path=path)
    assert check_assertions.find_problems([hostile]) == []
    started = time.process_time()
    outcome = mark(hostile, WIDE)
    assert time.process_time() - started < 2 * SLOW_S
    assert outcome.passed is not True
    assert len(outcome.reason) < 600


@pytest.mark.parametrize(
    ("pattern", "text"),
    first_daily([("(a|aa)+", "a" * 5000 + "b"), ("(" * 1_000_000, "a"), ("(" * 990, "a"), ("(a*)" * 249, "b")], 2),
)
@pytest.mark.parametrize("function", first_daily(["match", "search"]))
def test_a_pattern_in_a_path_is_bounded_even_if_the_answer_holds_it(function: str, pattern: str, text: str) -> None:
    golden_case = case("json-path", 1, path=f"$.texts[?{function}(@, $.pattern)]")
    assert check_assertions.find_problems([golden_case]) == []
    started = time.process_time()
    outcome = mark(golden_case, json.dumps({"pattern": pattern, "texts": [text] * 1000}))
    assert time.process_time() - started < SLOW_S
    assert outcome.passed is not True


def test_a_path_that_takes_too_long_leaves_the_answer_unscored() -> None:
    slow = mark(case("json-path", 1, path="$..[?@..[?@..[?@..x]]]"), WIDE)
    assert (slow.passed, slow.reason) == (None, "following the path takes longer than 1 s")


def test_a_path_that_selects_too_much_leaves_the_answer_unscored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_query, "MAX_NODES", 1_000)
    many = json.dumps([1] * 1_001)
    unscored = mark(case("json-path", 1, path="$[?count($[*]) == 1]"), many)
    assert (unscored.passed, unscored.reason) == (None, "a step of the path selects more than 1,000 values")
    assert mark(case("json-path", 1, path="$[:1000]"), many).passed is True


FLOODS = {
    "numbers": "1,2 " * 250_000,
    "digits": "1" * 1_000_000,
    "points": "1.1." * 250_000,
    "brackets": "[" * 1_000_000,
    "braces": '{"a":' * 200_000,
    "lines": "```" + "\n" * 1_000_000,
    "blanks": " " * 1_000_000,
    "list": "[" + "1," * 400_000 + "1]",
    "maps": json.dumps([{"a": i} for i in range(60_000)]),
    "half a character": "\ud800" * 1000,
    "nul and bidi": "\0\u202e" * 1000,
}
ONE_OF_EACH = [
    case("equals", "5"),
    case("equals", {"a": 5}),
    case("iequals", "5"),
    case("contains", "y"),
    case("icontains", "y"),
    case("not-contains", "1"),
    case("contains-all", [f"{i} {'y' * 500}" for i in range(500)]),
    case("contains-any", [f"{i} {'y' * 500}" for i in range(500)]),
    case("starts-with", "y"),
    case("ends-with", "y"),
    case("regex", "y$"),
    case("one-of", ["y", "z"], expected="y"),
    case("number", 5),
    case("number", 5, pick="last"),
    case("is-json", fenced=True),
    case("json-schema", {"items": {"type": "string"}, "uniqueItems": True}),
    case("json-schema", {"type": "object"}, fenced=True),
    case("json-path", 5, path=f"$.{'y' * 900}"),
    case("json-path", 5, path="$..a", match="any"),
    case("length", max=3),
    case("contains-json", {"type": "object"}),
    case("is-xml"),
    case("contains-xml"),
    case("is-html"),
    case("contains-html"),
    case("is-refusal"),
    case("finish-reason", "stop"),
    case("levenshtein", "y" * 1000),
    case("rouge-n", "y z " * 500),
    case("bleu", "y z " * 500),
    case("gleu", "y z " * 500),
    case("not-equals", "1"),
    case("not-levenshtein", "y" * 1000),
    case("assert-set", **{"assert": [{"type": "regex", "value": "y$"}, {"type": "is-xml"}]}),
    case("tool-calls", [{"name": "y", "arguments": {"a": 1}}]),
    case("latency", max_ms=1),
    case("cost", max_usd=1),
]


@pytest.mark.parametrize("flood", first_daily(FLOODS))
def test_a_megabyte_of_answer_is_marked_soon_and_quoted_briefly(flood: str) -> None:
    started = time.process_time()
    reasons = [mark(golden_case, FLOODS[flood]).reason for golden_case in ONE_OF_EACH]
    assert time.process_time() - started < 6 * SLOW_S  # some forty assertions
    assert max(map(len, reasons)) < 600
    assert all("\n" not in reason for reason in reasons)


def test_every_assertion_of_the_table_is_flooded_here() -> None:
    flooded = {golden_case.assertions[0].type for golden_case in ONE_OF_EACH}
    # A negation looks at the answer as what it negates does.
    assert {name for name in ASSERTIONS if flooded.isdisjoint({name, name.removeprefix("not-")})} == set()
