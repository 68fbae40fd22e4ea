"""Words marked within changed lines: the lines stay what they are, and nothing takes for ever."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import report_situations

from promptci.report.html import line_diff
from promptci.report.html.page_budget import MAX_LINE_CHARS
from promptci.report.model.report import DiffLineView


def lines(text: str) -> list[DiffLineView]:
    kinds = {"+": "added", "-": "removed", " ": "context", "@": "hunk"}
    return [DiffLineView.model_validate({"kind": kinds[line[0]], "text": line[1:]}) for line in text.split("\n")]


def shown(text: str) -> list[str]:
    """Return the lines with brackets around what is marked."""
    return [
        "".join(f"[{piece.text}]" if piece.differs else piece.text for piece in line.pieces)
        for line in line_diff.mark_changed_words(lines(text))
    ]


def test_the_words_that_differ_are_marked_on_both_sides() -> None:
    assert shown(" a\n-be brief and kind\n+be brief and cold\n z") == [
        "a",
        "be brief and [kind]",
        "be brief and [cold]",
        "z",
    ]


def test_words_are_found_across_lines_of_one_place() -> None:
    result = shown("-alpha beta\n-gamma delta\n+alpha beta\n+gamma epsilon")
    assert result == ["alpha beta", "gamma [delta]", "alpha beta", "gamma [epsilon]"]


def test_lines_that_have_little_in_common_are_marked_as_lines_alone() -> None:
    assert shown("-Answer with the number alone.\n+You are a friendly assistant here.") == [
        "Answer with the number alone.",
        "You are a friendly assistant here.",
    ]


def test_added_or_removed_lines_alone_have_no_words_marked() -> None:
    assert shown("+new\n x\n-old") == ["new", "x", "old"]


@given(st.lists(st.tuples(st.sampled_from("+- @"), st.text(st.characters(exclude_characters="\n"), max_size=20))))
def test_the_stretches_of_a_line_are_the_line(pairs: list[tuple[str, str]]) -> None:
    given_lines = lines("\n".join(kind + text for kind, text in pairs)) if pairs else []
    marked_lines = line_diff.mark_changed_words(given_lines)
    assert [(line.kind, "".join(piece.text for piece in line.pieces)) for line in marked_lines] == [
        (line.kind, line.text) for line in given_lines
    ]


def test_a_long_line_is_cut() -> None:
    (line,) = line_diff.mark_changed_words(lines("+" + "x" * 5000))
    assert sum(len(piece.text) for piece in line.pieces) == MAX_LINE_CHARS


def test_thousands_of_changed_places_do_not_take_for_ever() -> None:
    place = "\n".join(
        ["-" + " ".join(f"a{i} b" for i in range(150)), "+" + " ".join(f"c{i} b" for i in range(150)), " x"]
    )
    begun = time.process_time()
    line_diff.mark_changed_words(lines("\n".join([place] * 1500)))
    assert time.process_time() - begun < 60  # it takes a sixth of that


@pytest.mark.parametrize("situation", ["regressed", "hostile_text", "text_too_long"])
def test_no_line_is_lost(situation: str) -> None:
    for prompt in report_situations.SITUATIONS[situation]().prompts:
        assert len(line_diff.mark_changed_words(prompt.diff)) == len(prompt.diff)
