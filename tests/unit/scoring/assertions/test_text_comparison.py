"""How texts are compared: Unicode forms, lists of right answers, fences, and spellings of patterns."""

import unicodedata

import pytest
from support.assertion_cases import case, mark

from promptci.scoring import check_assertions
from promptci.scoring.assertions import lookalikes

CAFE = "Café"


def test_normal_forms_of_one_text_are_equal() -> None:
    decomposed = unicodedata.normalize("NFD", CAFE)
    assert decomposed != CAFE
    for expected, answer in ((CAFE, decomposed), (decomposed, CAFE)):
        for kind in ("equals", "iequals", "contains", "starts-with", "ends-with", "regex"):
            assert mark(case(kind, expected), answer).passed, kind
        assert not mark(case("not-contains", expected), answer).passed


@pytest.mark.parametrize(
    ("expected", "answer", "difference"),
    [
        ("a b", "a\u00a0b", "character 2 should be U+0020 (SPACE) and is U+00A0 (NO-BREAK SPACE)"),
        ("pay", "рay", "character 1 should be U+0070 (LATIN SMALL LETTER P) and is U+0440 (CYRILLIC SMALL LETTER ER)"),
        ("it's", "it’s", "is U+2019 (RIGHT SINGLE QUOTATION MARK)"),
        ("ab", "a\u200bb", "is U+200B (ZERO WIDTH SPACE)"),
        ("ab", "ab\u200b", "character 3 should be missing and is U+200B"),
    ],
)
def test_texts_that_look_alike_name_the_code_point_that_differs(expected: str, answer: str, difference: str) -> None:
    outcome = mark(case("equals", expected), answer)
    assert outcome.passed is False
    assert difference in outcome.reason


def test_texts_that_look_different_are_only_quoted() -> None:
    assert lookalikes.explain_difference("late", "damaged") is None
    assert "look alike" not in mark(case("equals", "late"), "damaged").reason


def test_of_a_list_of_right_answers_any_one_will_do() -> None:
    either = case("equals", ["A1", "order A1"])
    assert [mark(either, text).passed for text in ("A1", " order A1\n", '["A1", "order A1"]', "A2")] == [
        True,
        True,
        True,
        False,
    ]
    assert "should be one of `A1`, `order A1`; got `A2`" in mark(either, "A2").reason
    assert mark(case("iequals", ["A1", "order A1"]), "ORDER a1").passed
    assert mark(case("equals", [{"a": 1}, {"a": 2}]), '{"a": 2}').passed


LONG = "word " * 100


@pytest.mark.parametrize(
    ("kind", "value", "answer"),
    [
        ("equals", f"{LONG}HERE {LONG}", f"{LONG}THERE {LONG}"),
        ("not-contains", "there", f"{LONG}THERE {LONG}"),
        ("ends-with", "HERE", f"{LONG}THERE!"),
    ],
)
def test_of_a_long_answer_a_reason_quotes_the_place_that_is_wrong(kind: str, value: str, answer: str) -> None:
    reason = mark(case(kind, value), answer).reason
    got = reason.partition("; got ")[2]
    assert got.startswith("`…")
    assert "THERE" in got
    assert len(reason) < 400
    assert kind != "equals" or "HERE" in reason.partition("; got ")[0]


@pytest.mark.parametrize(
    "answer",
    [
        'Here you are:\n```json\n{"a": 1}\n```\nAnything else?',
        '```\n{"a": 1}\n```\n```\n{"a": 2}\n```',
        '~~~json\n{"a": 1}\n~~~',
        '````\n{"a": 1}\n````',
        '```json\n{"a": 1}',
        '{"a": 1}',
    ],
)
def test_fenced_takes_the_first_fenced_block(answer: str) -> None:
    for fenced in (
        case("is-json", fenced=True),
        case("json-path", 1, path="$.a", fenced=True),
        case("equals", {"a": 1}),
    ):
        assert mark(fenced, answer).passed, fenced.assertions


def test_fenced_does_not_find_json_outside_of_a_fence() -> None:
    assert mark(case("is-json", fenced=True), 'So: {"a": 1}').passed is False
    assert mark(case("is-json"), '```\n{"a": 1}\n```').passed is False


@pytest.mark.parametrize(
    ("value", "answer", "got"),
    [
        (4, '{"quantity": "4"}', '$.quantity should be `4` (number); got `"4"` (string)'),
        ("4", '{"quantity": 4}', '$.quantity should be `"4"` (string); got `4` (number)'),
        (True, '{"quantity": null}', "should be `true` (boolean); got `null` (null)"),
        ([1], '{"quantity": {"a": 1}}', 'should be `[1]` (array); got `{"a": 1}` (object)'),
        (4, '{"count": 4}', 'should be `4` (number); there is no `quantity` in `{"count": 4}` (object)'),
    ],
)
def test_a_json_path_that_fails_shows_the_value_and_its_type(value: object, answer: str, got: str) -> None:
    outcome = mark(case("json-path", value, path="$.quantity"), answer)
    assert outcome.passed is False
    assert got in outcome.reason


@pytest.mark.parametrize(
    ("pattern", "python"),
    [(r"/^a\d+$/i", r"`(?i)^a\d+$`"), ("/late/gi", "`(?i)late`"), ("/^late/", "`^late`"), ("/a.b/s", "`(?s)a.b`")],
)
def test_a_pattern_in_javascript_s_spelling_is_refused_with_python_s(pattern: str, python: str) -> None:
    (problem,) = check_assertions.find_problems([case("regex", pattern)])
    assert f"in Python's it is {python}" in problem.message


def test_a_path_between_slashes_is_a_pattern_like_any_other() -> None:
    assert check_assertions.find_problems([case("regex", "/api/")]) == []
    assert mark(case("regex", "/api/"), "GET /api/orders").passed


def test_a_list_for_contains_names_the_assertions_that_take_lists() -> None:
    (problem,) = check_assertions.find_problems([case("contains", ["a", "b"])])
    assert "`contains-all` and `contains-any` take lists" in problem.message


@pytest.mark.parametrize(
    ("kind", "value"), [("contains", "HB-1"), ("icontains", "hb-1"), ("contains-any", ["HB-1"]), ("regex", "HB-1")]
)
def test_what_a_long_answer_lacks_is_not_followed_by_its_beginning(kind: str, value: object) -> None:
    assert mark(case(kind, value), "Thank you. " * 100).reason.endswith("; got a text of 1,100 characters")
    assert mark(case(kind, value), "Thank you.").reason.endswith("; got `Thank you.`")
