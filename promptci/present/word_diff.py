"""Word diff of two texts: the words of each that are not part of their longest common subsequence."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from rapidfuzz.distance import LCSseq

_WORDS = re.compile(r"\w+|\n|[^\S\n]+|[^\w\s]")
"""A line break is a word of its own, so that equal lines match whatever their indentation."""


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
    for block in LCSseq.opcodes(words_before, words_after).as_matching_blocks():
        differs_before[block.a : block.a + block.size] = [False] * block.size
        differs_after[block.b : block.b + block.size] = [False] * block.size
    return _join(words_before, differs_before), _join(words_after, differs_after)


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
