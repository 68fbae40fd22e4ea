"""Word diff of two texts: the words of each that are not part of their longest common subsequence."""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from promptci.lazy_dataclass import dataclass
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    from rapidfuzz import distance
else:
    distance = lazy_import("rapidfuzz.distance")

_UNSPACED = (
    r"\u3005-\u3007\u3041-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Chinese and Japanese characters: no blanks stand between their words, so each counts as one."""
_WORDS = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|\n|[^\S\n]+|[^\w\s]")
"""A line break is a word of its own, so that equal lines match whatever their indentation."""
MAX_DIFFERENT_SHARE = 0.7
"""Where more of two texts differs, marks would cover nearly everything and show nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TextPiece:
    """A stretch of one text."""

    text: str
    differs: bool


def diff_words(before: str, after: str) -> tuple[tuple[TextPiece, ...], tuple[TextPiece, ...]]:
    """Split both texts into pieces that are common to both and pieces that differ.

    The pieces of a side, joined, are the text of that side. `templates/assets/worddiff.js` gives the same pieces.
    """
    words_before, words_after = _WORDS.findall(before), _WORDS.findall(after)
    differs_before, differs_after = [True] * len(words_before), [True] * len(words_after)
    for block in distance.LCSseq.opcodes(words_before, words_after).as_matching_blocks():
        differs_before[block.a : block.a + block.size] = [False] * block.size
        differs_after[block.b : block.b + block.size] = [False] * block.size
    return _join(words_before, differs_before), _join(words_after, differs_after)


def align_words(before: str, after: str) -> list[tuple[str, str]]:
    """Return both texts piece by piece: pieces that are equal, and between them those that differ."""
    words_before, words_after = _WORDS.findall(before), _WORDS.findall(after)
    hunks: list[tuple[str, str]] = []
    begin_before = begin_after = 0
    for block in distance.LCSseq.opcodes(words_before, words_after).as_matching_blocks():
        hunks.append(("".join(words_before[begin_before : block.a]), "".join(words_after[begin_after : block.b])))
        begin_before, begin_after = block.a + block.size, block.b + block.size
        hunks.append(("".join(words_before[block.a : begin_before]), "".join(words_after[block.b : begin_after])))
    return [hunk for hunk in hunks if any(hunk)]


def mark_differences(before: str, after: str) -> tuple[tuple[TextPiece, ...], tuple[TextPiece, ...]]:
    """Return the word diff of two answers; nothing is marked where they have too little in common to be compared."""
    left, right = diff_words(before, after)
    total = sum(len(piece.text) for piece in (*left, *right))
    if sum(len(piece.text) for piece in (*left, *right) if piece.differs) > MAX_DIFFERENT_SHARE * total:
        return (TextPiece(text=before, differs=False),), (TextPiece(text=after, differs=False),)
    return left, right


def _join(words: Sequence[str], differs: list[bool]) -> tuple[TextPiece, ...]:
    """Join neighbouring words; a blank between two words that differ is marked too, which reads more calmly."""
    marked = list(differs)
    for i in range(1, len(words) - 1):
        if words[i].isspace() and marked[i - 1] and marked[i + 1]:
            marked[i] = True
    return tuple(
        TextPiece(text="".join(word for word, _ in group), differs=is_different)
        for is_different, group in groupby(zip(words, marked, strict=True), key=lambda pair: pair[1])
    )
