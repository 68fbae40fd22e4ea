"""Every assertion: right, wrong, and refused before anything is asked."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.assertion_cases import case, mark, passes

from promptci.goldens.model import Assertion, Case
from promptci.scoring import check_assertions
from promptci.scoring.assertions import number, one_of
from promptci.scoring.assertions.table import ASSERTIONS

DRAFT_7 = "http://json-schema.org/draft-07/schema#"
SCHEMA = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
NEGATED: list[tuple[Case, list[str], list[str]]] = [
    (case("equals", "x"), ["x"], ["y"]),
    (case("iequals", "x"), ["X"], ["y"]),
    (case("icontains", "x"), ["aX"], ["y"]),
    (case("contains-all", ["a", "b"]), ["ab"], ["a"]),
    (case("contains-any", ["a", "b"]), ["a"], ["c"]),
    (case("starts-with", "a"), ["ab"], ["b"]),
    (case("ends-with", "a"), ["ba"], ["b"]),
    (case("regex", r"\d"), ["a1"], ["a"]),
    (case("one-of", ["a", "b"], expected="a"), ["a"], ["b"]),
    (case("number", 3), ["3"], ["4"]),
    (case("is-json"), ["{}"], ["x"]),
    (case("json-schema", SCHEMA), ['{"id": 1}'], ["{}"]),
    (case("json-path", 7, path="$.a"), ['{"a": 7}'], ['{"a": 8}']),
    (case("contains-json"), ["x {}"], ["x"]),
    (case("is-xml"), ["<a/>"], ["a"]),
    (case("contains-xml"), ["x <a>1</a>"], ["x"]),
    (case("is-html"), ["<p>x</p>"], ["x"]),
    (case("contains-html"), ["a <b>x</b>"], ["x"]),
    (case("is-refusal"), ["Sorry"], ["Yes"]),
    (case("levenshtein", "kitten", at_most=1), ["kittens"], ["dog"]),
    (case("rouge-n", "a b"), ["a b"], ["c"]),
    (case("bleu", "a b c d"), ["a b c d"], ["x"]),
    (case("gleu", "a b"), ["a b"], ["x"]),
    (case("length", max=2), ["ab"], ["abc"]),
]
"""Assertions of which the opposite is tried too."""
RIGHT_AND_WRONG: list[tuple[Case, list[str], list[str]]] = [
    (case("equals", "GH-1"), ["GH-1", " GH-1\n"], ["gh-1", "GH-1.", ""]),
    (case("equals", expected="GH-1"), ["GH-1"], ["GH-2"]),
    (case("equals", expected=12), ["12"], ["12.0"]),
    (case("equals", expected={"a": 1, "b": [2]}), ['{"a": 1, "b": [2]}', '{"b":[2.0],\n"a":1}'], ['{"a":2}', "a", ""]),
    (case("equals", "x", trim=False), ["x"], [" x"]),
    (case("equals", " x", trim="response"), [], ["x", " x"]),
    (case("equals", "Hi {{customer}}"), ["Hi Ann"], ["Hi {{customer}}"]),
    (case("iequals", "Yes"), ["yes", "YES "], ["yes!"]),
    (case("contains", "GH-1"), ["it is GH-1."], ["gh-1"]),
    (case("contains", expected="GH-1"), ["GH-1"], [""]),
    (case("contains", "<{{expected}}>", expected="GH-1"), ["a <GH-1>"], ["GH-1"]),
    (case("icontains", "GH-1"), ["it is gh-1."], ["gh-2"]),
    (case("not-contains", "sorry"), ["fine"], ["so Sorry"]),
    (case("not-contains", "Sorry", ignore_case=False), ["so sorry"], ["Sorry"]),
    (case("contains-all", ["a", "b"]), ["b a"], ["a", "A b"]),
    (case("contains-all", ["a", "B"], ignore_case=True), ["b A"], ["b"]),
    (case("contains-any", ["a", "{{customer}}"]), ["xa", "Ann"], ["x"]),
    (case("starts-with", "Dear"), ["Dear you", "\n Dear"], ["dear", "x Dear"]),
    (case("starts-with", "Dear", ignore_case=True), ["dear you"], ["x"]),
    (case("ends-with", "bye"), ["good bye", "bye \n"], ["Bye", "bye."]),
    (case("ends-with", "BYE", ignore_case=True), ["bye"], ["x"]),
    (case("regex", r"GH-\d{3}"), ["it is GH-123"], ["GH-12"]),
    (case("regex", r"gh-\d+", ignore_case=True, full=True), ["GH-1"], ["x GH-1"]),
    (case("regex", r"^Dear {{customer}}, \d", customer="A. (Ann)"), ["Dear A. (Ann), 1"], ["Dear Ax (Ann), 1"]),
    (case("regex", expected=r"^\w+$"), ["word"], ["two words"]),
    (
        case("one-of", ["refund", "late parcel"], expected="late parcel"),
        ["Late parcel.", "it is a late parcel"],
        ["refund", "both refund and late parcel", "neither", "refunded"],
    ),
    (
        case("one-of", ["late", "late parcel"], expected="late parcel"),
        ["I say late parcel", "LATE PARCEL!"],
        ["late", "it is late", "late or late parcel"],
    ),
    (case("one-of", expected="spam", labels=["spam", "ham"]), ["Spam", "(spam)"], ["non-spam", "spam-free", "ham"]),
    (case("one-of", "{{customer}}", labels=["Ann", "Bob"]), ["ann"], ["bob"]),
    (case("number", 3.5), ["3.5", "it is 3.50 euros", "+3.5"], ["3.6", "none", "3.5 or 4", ""]),
    (case("number", 3.5, tolerance=0.1), ["3.6", "3.4"], ["3.61"]),
    (case("number", 200, relative_tolerance=0.1), ["220", "180"], ["221"]),
    (case("number", 1, pick="first"), ["1 and 2"], ["2 and 1"]),
    (case("number", 2, pick="last"), ["1 and 2", "1 " * 50_000 + "so 2"], ["2 and 1"]),
    (case("number", 123, tolerance=None), ["123"], ["1,2,3", "1.2.3", "12.3"]),
    (case("number", 1234567), ["1,234,567", "1.234.567", "1234567.0"], ["1234568", "1.234567"]),
    (case("number", expected="1,234.5"), ["1.234,5", "1234.5"], ["1234"]),
    (case("number", 0.3), ["0.30000000000000004"], ["0.301"]),
    (case("is-json"), ['{"a": 1}', "[1]", " 3 "], ["{'a': 1}", '{"a": NaN}', '{"a":1,"a":2}', "```json\n{}\n```", ""]),
    (case("is-json", fenced=True), ["```json\n{}\n```", "{}"], ["```json\n{\n```", "see: {}"]),
    (case("json-schema", SCHEMA), ['{"id": 1}'], ['{"id": "1"}', "{}", "no"]),
    (
        case("json-path", 7, path="$.items[0].id"),
        ['{"items": [{"id": 7}]}'],
        ['{"items": []}', '{"items": 3}', "no", '{"items": [{"id": "7"}]}'],
    ),
    (case("json-path", expected="x", path='$["a key"][-1]'), ['{"a key": ["y", "x"]}'], ["{}", "[1]"]),
    (case("json-path", {"a": [1.0]}, path="$"), ['{"a": [1]}'], ["{}", '{"a": [true]}']),
    (case("json-path", {"name": "{{customer}}"}, path="$.c"), ['{"c": {"name": "Ann"}}'], ['{"c": 3}']),
    (case("length", max=3), ["abc", " abc "], ["abcd"]),
    (case("length", min=2, unit="words"), ["a b"], ["a"]),
    (case("length", max=2, unit="utf16"), ["😀", "ab"], ["😀a", "ab "]),
    (case("starts-with", "Dear", trim=False), ["Dear you"], [" Dear you"]),
    (case("ends-with", "bye", trim=False), ["good bye"], ["good bye "]),
    (case("regex", r"^a\Z", trim=False), ["a"], ["a ", " a"]),
    (case("contains-json"), ['so {"a": 1} it is', "{a: 1}"], ["none", "{ broken", "[1]"]),
    (case("contains-json", SCHEMA), ['{"id": "x"} then {"id": 1}'], ['{"id": "1"}', "no"]),
    (case("is-xml"), ["<a><b/></a>"], ["a", " <a/>", "<a><b></a>", '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>']),
    (case("is-xml", ["a.b", "{{customer}}"], customer="a"), ["<a><b/></a>"], ["<a/>", "<b><a/></b>"]),
    (case("contains-xml", ["a"]), ["see <a>1</a> there"], ["see <b>1</b>", "1 < 2 > 0"]),
    (case("is-html"), ["<p>Hi <b>you</b></p>", "<my-tag>x</my-tag>"], ["Hi <b>you</b>", "<order/>", "", "<?xml?><p/>"]),
    (case("contains-html"), ["Hi <b>you</b>", "a <br> b"], ["1 < 2", "Tom &amp; Ann"]),
    (case("is-refusal"), ["I'm sorry, no.", "I can’t help with that", " "], ["It is 4."]),
    (case("levenshtein", "kitten", at_most=3), ["sitting"], ["dog"]),
    (case("rouge-n", "the cat sat", at_least=0.6), ["the cat ran"], ["a dog ran", ""]),
    (case("bleu", "the cat sat on the mat"), ["the cat sat on the mat"], ["the mat", ""]),
    (case("gleu", ["the cat sat", "a dog"]), ["The cat sat."], ["two birds"]),
    (case("assert-set", **{"assert": [{"type": "is-json"}, {"type": "contains", "value": "a"}]}), ['"a"'], ["a", "3"]),
    (
        case("assert-set", threshold=0.7, **{"assert": [
            {"type": "contains", "value": "a", "weight": 3}, {"type": "not-is-json"}]}),
        ['"a"', "a"],
        ["b", "3"],
    ),
    *((case(f"not-{golden_case.assertions[0].type}", golden_case.assertions[0].value, golden_case.expected,
            **golden_case.assertions[0].options), wrong, right)
      for golden_case, right, wrong in NEGATED),
]  # fmt: skip


@pytest.mark.parametrize(("golden_case", "right", "wrong"), RIGHT_AND_WRONG, ids=lambda value: str(value)[:40])
def test_right_answers_pass_and_wrong_ones_fail_with_a_reason(
    golden_case: Case, right: list[str], wrong: list[str]
) -> None:
    assert [text for text in right if not passes(golden_case, text)] == []
    assert [text for text in wrong if passes(golden_case, text) is not False] == []
    assert all(mark(golden_case, text).reason for text in (*right, *wrong))


def test_every_assertion_of_the_table_is_tried_here() -> None:
    tried = {golden_case.assertions[0].type for golden_case, _, _ in RIGHT_AND_WRONG}
    elsewhere = ("latency", "cost", "tool-calls", "finish-reason")
    assert set(ASSERTIONS) - tried == {*elsewhere, *(f"not-{name}" for name in elsewhere)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "`assert` must list"),
        ({"assert": [{"value": "x"}]}, "must be a map with `type`"),
        ({"assert": [{"type": "judge"}]}, "only assertions in code"),
        ({"assert": [{"type": "equals", "value": "x", "tirm": True}]}, "unknown option `tirm`"),
        ({"assert": [{"type": "regex", "value": "("}]}, "`regex`: the pattern cannot be read"),
        ({"assert": [{"type": "is-json", "weight": 0}]}, "every entry has weight 0"),
        ({"assert": [{"type": "is-json"}], "threshold": 2}, "`threshold` must be"),
        ({"assert": [{"type": "assert-set", "assert": [{"type": "assert-set", "assert": [{"type": "is-json"}]}]}]},
         "nested too deeply"),
    ],
)  # fmt: skip
def test_a_set_of_assertions_that_makes_no_sense_is_refused(options: dict[str, object], message: str) -> None:
    (problem,) = check_assertions.find_problems([case("assert-set", **options)])
    assert message in str(problem)


def test_finish_reasons_are_compared() -> None:
    golden_case = case("finish-reason", "stop")
    assert (mark(golden_case, "x").passed, mark(case("not-finish-reason", "stop"), "x").passed) == (False, True)


def test_the_same_mistake_in_many_cases_is_named_three_times_and_counted() -> None:
    typos = [replace(case("equal", "x"), id=str(number)) for number in range(1, 55)]
    others = [case("contains", ""), replace(case("equal", "x"), path="other.jsonl")]
    problems = [str(problem) for problem in check_assertions.find_problems([*typos, *others])]

    hint = "Did you mean `equals`?"
    assert problems[:3] == [
        f"g.jsonl:3: case `1`: unknown assertion type `equal`. {hint}",
        f"g.jsonl:3: case `2`: unknown assertion type `equal`. {hint}",
        f"g.jsonl:3: case `3`: unknown assertion type `equal` (51 more cases have the same problem). {hint}",
    ]
    assert len(problems) == 5
    assert problems[3].startswith("g.jsonl:3: case `c`, assertion `contains`: ")
    assert problems[4].startswith("other.jsonl:3: case `c`: unknown assertion type")


def test_one_more_case_with_the_same_mistake_is_counted_in_the_singular() -> None:
    problems = check_assertions.find_problems(replace(case("equals"), id=str(number)) for number in range(4))
    assert problems[-1].message.endswith("(1 more case has the same problem)")


@pytest.mark.parametrize(
    ("golden_case", "message"),
    [
        (case("equal", "x"), "unknown assertion type `equal`. Did you mean `equals`?"),
        (case("llm-rubric", "x"), "unknown assertion type `llm-rubric`. It is called `judge` here"),
        (case("javascript", "x"), "Golden files hold no code here"),
        (replace(case("equals", "x"), assertions=()), "(null counts as nothing)"),
        (case("equals"), "no `value`, and the case has no `expected`"),
        (case("equals", "x", trim="left"), "`trim` must be"),
        (case("equals", "x", trim=1), "`trim` must be"),
        (case("equals", "x", trimm=True), "unknown option `trimm`. Did you mean `trim`?"),
        (case("contains", "x", weightt=1), "unknown option `weightt`. Known: none."),
        (case("contains", ""), "every answer would pass"),
        (case("contains", ["x"]), "must be a text, not a list"),
        (case("contains", {"x": 1}), "must be a text, not a map"),
        (case("contains", "{{gone}}"), "the case has no variable `gone`"),
        (case("contains-all", "x"), "must be a list of texts"),
        (case("contains-any", []), "at least one entry"),
        (case("contains-any", ["x", ""]), "every entry"),
        (case("starts-with", "x", ignore_case="yes"), "`ignore_case` must be true or false"),
        (case("starts-with", " \n"), "blank, so every answer would pass"),
        (case("ends-with", "{{empty}}", empty=""), "every answer would pass"),
        (case("regex", "("), "the pattern cannot be read"),
        (case("regex", "{{gone}}"), "the case has no variable `gone`"),
        (case("regex"), "`value` must be a pattern"),
        (case("one-of", ["a"], expected="a"), "at least two"),
        (case("one-of", ["a", "A."], expected="a"), "the same but for case"),
        (case("one-of", ["late", "refund"], expected="lat"), "Did you mean `late`?"),
        (case("one-of", "late", labels="late"), "`labels` must be the list"),
        (case("one-of", "lat", labels=["late", "refund"]), "Did you mean `late`?"),
        (case("number", "many"), "must be a finite number"),
        (case("number", True), "must be a finite number"),
        (case("number", 10**400), "must be a finite number"),
        (case("number", float("nan")), "must be a finite number"),
        (case("number", 1, tolerance=float("nan")), "`tolerance` must be a number from 0"),
        (case("number", 1, relative_tolerance=float("inf")), "`relative_tolerance` must be a number from 0"),
        (case("number", 1, pick="best"), "`pick` must be one of"),
        (case("number", 1, tolerance=-1), "`tolerance` must be a number from 0"),
        (case("json-schema", "x"), "must be a JSON Schema"),
        (case("json-schema", {"type": "thing"}), "the schema is not valid"),
        (case("json-schema", {"properties": {1: {}}}), "every key of the schema must be a text"),
        (case("json-schema", {"$schema": "https://example.com/own"}), "`$schema` must name a draft"),
        (case("json-schema", {"$schema": {}}), "`$schema` must name a draft"),
        (case("json-schema", {"$schema": "http://[x"}), "`$schema` must name a draft"),
        (case("json-schema", {"not": {"$schema": DRAFT_7}}), "`$schema` may stand only at the top"),
        (case("json-schema", {"properties": {"a": {"pattern": "("}}}), "the pattern cannot be read"),
        (case("json-schema", {"patternProperties": {"(": {}}}), "the pattern cannot be read"),
        (case("json-schema", {"$ref": "https://example.com/s.json"}), "refers to `https://example.com/s.json`"),
        (case("json-schema", {"items": {"$ref": "#/$defs/gone"}}), "refers to `/$defs/gone`, which is not in it"),
        (case("json-schema", {"$ref": "#/required/0", "required": ["a"]}), "which is no schema"),
        (case("json-schema", {"$ref": "#/minLength/0", "minLength": 1}), "which cannot be followed"),
        (case("json-schema", {"$ref": "#/own", "own": {"minLength": "x"}}), "the schema is not valid"),
        (case("json-schema", {"$id": "http://[bad", "$ref": "x"}), "which cannot be followed"),
        (case("json-schema", {"$ref": "#"}), "refers to itself without end"),
        (
            case("json-schema", {"if": {"if": {"$ref": "#two"}}, "$defs": {"two": {"$anchor": "two", "$ref": "#"}}}),
            "end",
        ),
        (case("json-path", 1), "`path` must be a JSONPath"),
        (case("json-path", 1, path="a"), "`$.items[0].id`: expected '$', found 'a', at character 1"),
        (case("json-path", 1, path="$.a["), "unbalanced brackets, at character 5"),
        (case("json-path", 1, path="$.order-id"), """at character 8; write a key that is no plain word in brackets"""),
        (case("json-path", 1, path="$.2nd"), """as in `$["order-id"]`"""),
        (case("json-path", 1, path="$[?@.a==1e400]"), "a number that cannot be read"),
        (case("json-path", 1, path="$[?near(@.a)]"), "function 'near' is not defined, at character 4"),
        (case("json-path", 1, path="$." + "a" * 1000), "longer than 1000 characters"),
        (case("json-path", 1, path="$.a[*]", match="some"), "`match` must be `all` or `any`"),
        (case("json-path", path="$.a"), "no `value`"),
        (case("length"), "set `min`, `max` or both"),
        (case("length", min=3, max=2), "`min` is greater than `max`"),
        (case("length", min="3"), "`min` must be a number"),
        (case("length", min=1, unit="lines"), "`unit` must be one of"),
        (case("latency"), "`max_ms` is missing"),
        (case("latency", max_ms=None), "`max_ms` is missing"),
        (case("latency", max_ms="fast"), "`max_ms` must be a number"),
        (case("cost"), "`max_usd` is missing"),
        (case("cost", max_usd=None), "`max_usd` is missing"),
        (case("cost", max_usd=-1), "`max_usd` must be a number"),
        (case("llm", "x"), "must hold `model`, `prompt` and `choices`"),
        (case("similar", "x"), "`value` is not used here: write the text under `to`"),
        (case("similar"), "no `to`, and the case has no `expected`"),
        (case("similar", to=["x"]), "must be a text, not a list"),
        (case("similar", expected={"a": 1}), "must be a text, not a map"),
        (case("similar", to="{{empty}} ", empty=""), "the text to compare with is empty"),
        (case("similar", to="{{gone}}"), "no variable `gone`"),
        (case("similar", to="x", at_least=0), "`at_least` must be a number above 0"),
        (case("similar", to="x", at_least=80), "and at most 1"),
        (case("similar", to="x", at_least="0.8"), "`at_least` must be a number"),
        (case("similar", to="x", model=" "), "`model` must be the name of an embedding model"),
        (case("similar", to="x", models="m"), "Did you mean `model`?"),
        (case("judge", at_least=1), "`at_least` must be a grade from 2 to 5"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_makes_no_sense_is_refused_with_its_line_before_anything_is_asked(golden_case: Case, message: str) -> None:
    (problem,) = check_assertions.find_problems([golden_case])
    assert message in str(problem)
    assert str(problem).startswith("g.jsonl:3: case `c`")


def test_a_case_that_expects_nothing_is_refused() -> None:
    (problem,) = check_assertions.find_problems([Case(id="c", path="g", line=1)])
    assert "neither `expected` nor `assert`" in problem.message


def test_a_case_whose_assertions_all_weigh_nothing_is_refused() -> None:
    free = Case(id="c", path="g", assertions=(Assertion(type="equals", value="x", weight=0),))
    assert "every answer would pass" in check_assertions.find_problems([free])[0].message


def test_latency_and_cost_are_measured_and_unknown_is_not_zero() -> None:
    quick, cheap = case("latency", max_ms=100), case("cost", max_usd=0.01)
    assert check_assertions.find_problems([quick, cheap]) == []
    assert [mark(quick, "x", latency=ms).passed for ms in (100, 101, None)] == [True, False, None]
    costs = (Decimal("0.01"), Decimal("0.02"), None)
    assert [mark(cheap, "x", cost=cost).passed for cost in costs] == [True, False, None]


@given(st.floats(-1e9, 1e9, allow_nan=False).map(lambda x: round(x, 6)))
def test_a_number_is_read_back_as_it_was_written(value: float) -> None:
    assert list(number.numbers(f"about {value:.6f} pieces")) == [pytest.approx(value)]


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("1,234", [1234.0]),
        ("1,23", [1.23]),
        ("1.234.567", [1234567.0]),
        ("1,234,567.5", [1234567.5]),
        ("−5 and 1e3", [-5.0, 1000.0]),
        ("v2 GH-77 3rd", []),
        ("1e999", []),
        ("5.", [5.0]),
        ("only .5 of it", [0.5]),
        ("12.05.2024, 192.168.1.1 and 1,2,3", []),
        ("1.234 and 1.234,5", [1.234, 1234.5]),
        ("5kg, 50% and $7", [50.0, 7.0]),
        ("1" * 101, []),
    ],
)
def test_numbers_in_their_many_spellings(text: str, result: list[float]) -> None:
    assert list(number.numbers(text)) == result


@given(st.sampled_from(["refund", "late", "other"]), st.sampled_from(["", ".", "!", " "]), st.booleans())
def test_a_label_is_found_whatever_stands_around_it(label: str, tail: str, upper: bool) -> None:
    text = (label.upper() if upper else label) + tail
    assert one_of.label_of(text, ["refund", "late", "other"]) == label
    assert one_of.label_of(f"I think: {text}", ["refund", "late", "other"]) == label


def test_the_label_given_is_kept_for_the_confusion_matrix() -> None:
    golden_case = case("one-of", ["a1", "b1"], expected="a1")
    labels = [mark(golden_case, text).label for text in ("a1", "b1", "x", "a1 b1")]
    assert labels == [("a1", "a1"), ("a1", "b1"), ("a1", "(none)"), ("a1", "(several)")]
