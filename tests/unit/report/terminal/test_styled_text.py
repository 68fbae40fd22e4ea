"""Styled lines: wrapped to the terminal, in columns also for wide characters."""

import hypothesis.strategies as st
from hypothesis import given

from promptci.report.terminal.styled_text import (
    MIN_WIDTH,
    Style,
    StyledLine,
    StyledPiece,
    line,
    map_pieces,
    measure,
    render,
    render_plain,
    table,
    wrap,
)


def texts(whole: StyledLine, width: int) -> list[str]:
    return [part.text for part in wrap(whole, width)]


def test_a_long_line_goes_on_below_further_in() -> None:
    long = line("one two three four five six seven", indent=2, hang=3)
    assert texts(long, 25) == ["  one two three four five", "     six seven"]


def test_a_word_wider_than_the_terminal_is_cut() -> None:
    assert texts(line("x" * 50), 20) == ["x" * 20, "x" * 20, "x" * 10]


def test_characters_of_two_columns_wrap_anywhere() -> None:
    assert texts(line("商品" * 12), 20) == ["商品" * 5, "商品" * 5, "商品" * 2]


@given(st.text(alphabet="ab 商é\u0301", max_size=200), st.integers(0, 8), st.integers(30, 90))
def test_no_text_is_lost_and_no_line_is_too_wide(text: str, indent: int, width: int) -> None:
    parts = list(wrap(line(text, indent=indent, hang=2), width))
    joined = "".join(piece.text for part in parts for piece in part.pieces)
    assert joined.replace(" ", "") == text.replace(" ", "")
    assert all(measure(part.text) <= max(width, MIN_WIDTH + indent + 2) for part in parts)


def test_columns_of_a_table_are_aligned_whatever_is_in_them() -> None:
    rows = list(render_plain(table([("", "before", "after"), ("質", "1", "22")], indent=1)))
    assert rows == ["     before  after", " 質       1  22"]


def test_words_that_differ_stand_between_signs_without_colour_and_are_painted_with_it() -> None:
    pieces = (StyledPiece(text="It is "), StyledPiece(text="no", style="added-words"))
    assert list(render_plain(iter([StyledLine(pieces=pieces)]))) == ["It is {+no+}"]

    def paint(text: str, style: Style) -> str:
        return f"<{style}>{text}</>" if style == "added-words" else text

    assert list(render(iter([StyledLine(pieces=pieces)]), 80, paint)) == ["It is <added-words>no</>"]


def test_a_secret_that_lies_across_pieces_is_taken_out() -> None:
    pieces = (StyledPiece(text="key sk-"), StyledPiece(text="12345", style="added-words"))
    clean = map_pieces(StyledLine(pieces=pieces), lambda text: text.replace("sk-12345", "[redacted]"), str)
    assert clean.text == "key [redacted]"
