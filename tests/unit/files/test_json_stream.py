"""A JSON text that is read piece by piece has the values that it has as a whole."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from promptci.files.json_stream import CHUNK_CHARS, JsonText
from promptci.files.lines import JsonError

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


class SlowText(io.StringIO):
    """A text of which one character is returned at a time, so that every value is cut everywhere."""

    def read(self, size: int | None = -1) -> str:
        return super().read(1)


def elements(text: str, stream: type[io.StringIO] = io.StringIO) -> list[tuple[int, Any]]:
    return [(line, json.loads(element)) for line, element in JsonText(stream(text)).take_list()]


@settings(max_examples=50)
@given(st.lists(VALUES, max_size=5), st.sampled_from([None, 0, 2]))
def test_the_elements_of_a_list_are_those_of_the_whole_text(values: list[Any], indent: int | None) -> None:
    text = json.dumps(values, indent=indent)
    assert [value for _, value in elements(text, SlowText)] == values
    assert elements(text) == elements(text, SlowText)


def test_each_element_has_the_line_in_which_it_begins() -> None:
    assert elements('\n[1,\n {"a":\n 2},\n\n [\n]]') == [(2, 1), (3, {"a": 2}), (6, [])]


def test_a_number_that_is_cut_by_the_end_of_a_piece_is_read_whole() -> None:
    filler = " " * (CHUNK_CHARS - 3)
    assert elements(f"[{filler}12345, 6]") == [(1, 12345), (1, 6)]


def test_an_element_longer_than_a_piece_is_read_whole() -> None:
    long = "x" * (3 * CHUNK_CHARS)
    assert elements(json.dumps([long, 1])) == [(1, long), (1, 1)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", r"`\[` is missing in line 1"),
        ("[1,\n2", "`,` is missing in line 2"),
        ("[1,]", "a comma before the end of a list"),
        ("[1 2]", "`,` is missing in line 1"),
        ('[1,\n"open', "the value that begins in line 2 cannot be read"),
        ("[" * 5000, "cannot be read"),
        ("", r"`\[` is missing"),
    ],
)
def test_what_is_no_list_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(JsonError, match=message):
        elements(text)


def pieces(text: str, key: str, stream: type[io.StringIO]) -> tuple[list[str], list[list[Any]]]:
    """Return the text around the lists of a key, and their elements."""
    walk = JsonText(stream(text))
    around: list[str] = []
    lists: list[list[Any]] = []
    while True:
        around.append("".join(walk.take_until(key)))
        if not walk.peek():
            return around, lists
        lists.append([json.loads(element) for _, element in walk.take_list()])


@pytest.mark.parametrize("stream", [io.StringIO, SlowText])
def test_the_lists_of_a_key_are_taken_out_of_the_text_around_them(stream: type[io.StringIO]) -> None:
    text = '{"p": [{"cases": [1, {"a": []}], "n": 1}, {"cases"\n:\n [], "n": 2}]}'
    assert pieces(text, "cases", stream) == (
        ['{"p": [{"cases": ', ', "n": 1}, {"cases"\n:\n ', ', "n": 2}]}'],
        [[1, {"a": []}], []],
    )


@pytest.mark.parametrize("stream", [io.StringIO, SlowText])
def test_a_text_that_reads_like_the_key_is_none(stream: type[io.StringIO]) -> None:
    text = json.dumps({"note": 'he wrote "cases": [1]', "cases ": [2], "cases": [3]})
    around, lists = pieces(text, "cases", stream)
    assert lists == [[3]]
    assert json.loads(f"{around[0]}[]{around[1]}") == {"note": 'he wrote "cases": [1]', "cases ": [2], "cases": []}


def test_a_key_with_another_value_than_a_list_stays_in_the_text() -> None:
    text = '{"cases": 5, "more": {"cases": null}}'
    assert pieces(text, "cases", io.StringIO) == ([text], [])


def test_a_key_that_is_cut_by_the_end_of_a_piece_is_found() -> None:
    text = json.dumps({"a": "x" * (CHUNK_CHARS - 12), "cases": [1], "b": 2})
    assert text.index('"cases"') < CHUNK_CHARS < text.index("[")
    assert pieces(text, "cases", io.StringIO)[1] == [[1]]
