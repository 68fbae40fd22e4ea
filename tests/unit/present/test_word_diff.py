"""Marks exactly the words that differ, loses none, and takes bounded time."""

import time

from hypothesis import given
from hypothesis import strategies as st

from promptci.present.word_diff import TextPiece, diff_words

TEXTS = st.text(alphabet="ab c.\n<é", max_size=40)


def marked(text: str, other: str) -> list[str]:
    return [piece.text for piece in diff_words(text, other)[0] if piece.differs]


@given(TEXTS, TEXTS)
def test_the_pieces_of_a_side_are_the_text_of_that_side(before: str, after: str) -> None:
    left, right = diff_words(before, after)
    assert "".join(piece.text for piece in left) == before
    assert "".join(piece.text for piece in right) == after


@given(TEXTS, TEXTS)
def test_what_is_shared_is_the_same_on_both_sides_but_for_blanks(before: str, after: str) -> None:
    shared = [
        "".join("".join(piece.text for piece in side if not piece.differs).split())
        for side in diff_words(before, after)
    ]
    assert shared[0] == shared[1]


@given(TEXTS)
def test_equal_texts_have_no_differing_word(text: str) -> None:
    assert not marked(text, text)


@given(TEXTS, TEXTS)
def test_different_texts_have_a_differing_word(before: str, after: str) -> None:
    assert (before == after) == (not marked(before, after) and not marked(after, before))


def test_a_changed_word_is_marked_alone() -> None:
    left, right = diff_words("Your order is 4711.", "Your order is 4712.")
    assert left == (
        TextPiece(text="Your order is ", differs=False),
        TextPiece(text="4711", differs=True),
        TextPiece(text=".", differs=False),
    )
    assert [piece.text for piece in right if piece.differs] == ["4712"]


def test_a_blank_between_two_changed_words_is_marked_with_them() -> None:
    assert marked("a one two z", "a three four z") == ["one two"]


def test_words_in_front_of_a_shared_end_are_marked() -> None:
    assert marked("Sure! The number is 4711", "4711") == ["Sure! The number is "]


def test_texts_with_thousands_of_differing_words_keep_what_they_share() -> None:
    before = [f"b{i} same{i}" for i in range(2000)]
    after = [f"a{i} same{i}" for i in range(2000)]
    pieces, _ = diff_words(" ".join(before), " ".join(after))
    assert [piece.text.strip() for piece in pieces if not piece.differs] == [f"same{i}" for i in range(2000)]


def test_hostile_repetition_takes_no_longer_than_a_blink() -> None:
    begin = time.process_time()
    diff_words("a b " * 2000, "b a c " * 1500)
    assert time.process_time() - begin < 10


def test_a_changed_word_is_marked_alone_where_no_blanks_stand_between_words() -> None:
    assert marked("領収書の合計金額を答えてください。", "領収書の通貨を答えてください。") == ["合計金額"]
    assert marked("请用中文回答。Label only", "请用英文回答。Label only") == ["中"]
