"""Which words of two texts differ: Myers' algorithm over words, bounded in time whatever the texts are."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

MOST_EDITS = 300
"""Texts that differ in more words are marked as different between their common ends; time grows with the square."""

_WORDS = re.compile(r"\w+|\n|[^\S\n]+|[^\w\s]")
"""A line break stands by itself, so that a line that is the same is found whatever its indentation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A stretch of one text."""

    text: str
    differs: bool


def pieces(before: str, after: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Cut both texts into stretches that they share and stretches that they do not.

    The stretches of a side, put together, are the text of that side.
    """
    left, right = _WORDS.findall(before), _WORDS.findall(after)
    shared_left, shared_right = _shared(left, right)
    return _joined(left, shared_left), _joined(right, shared_right)


def _shared(left: Sequence[str], right: Sequence[str]) -> tuple[set[int], set[int]]:
    """Give the positions of the words that both texts have in common, on either side."""
    start = 0
    while start < min(len(left), len(right)) and left[start] == right[start]:
        start += 1
    end = 0
    while end < min(len(left), len(right)) - start and left[-1 - end] == right[-1 - end]:
        end += 1
    middle = _matches(left[start : len(left) - end], right[start : len(right) - end])
    ends = [*((i, i) for i in range(start)), *((len(left) - i, len(right) - i) for i in range(1, end + 1))]
    pairs = [*ends, *((start + i, start + j) for i, j in middle)]
    return {i for i, _ in pairs}, {j for _, j in pairs}


def _matches(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """Give the pairs of positions that a shortest edit script keeps; none where it would be too long.

    Source: Myers, Algorithmica 1 (1986): the greedy algorithm, with the furthest points of every round kept.
    """
    n, m = len(left), len(right)
    furthest = {1: 0}
    rounds: list[dict[int, int]] = []
    for edits in range(min(n + m, MOST_EDITS) + 1):
        rounds.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (
                diagonal != edits and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
            )
            x = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
            while x < n and x - diagonal < m and left[x] == right[x - diagonal]:
                x += 1
            furthest[diagonal] = x
            if x >= n and x - diagonal >= m:
                return _walked_back(rounds, n, m)
    return []


def _walked_back(rounds: Sequence[dict[int, int]], x: int, y: int) -> list[tuple[int, int]]:
    """Follow the rounds from the end to the start and collect the diagonals, which are the words in common."""
    kept = []
    for edits in range(len(rounds) - 1, -1, -1):
        furthest, diagonal = rounds[edits], x - y
        down = diagonal == -edits or (
            diagonal != edits and furthest.get(diagonal - 1, -1) < furthest.get(diagonal + 1, -1)
        )
        previous = diagonal + 1 if down else diagonal - 1
        from_x = furthest[previous] if edits else 0
        from_y = from_x - previous if edits else 0
        while x > from_x and y > from_y:
            x, y = x - 1, y - 1
            kept.append((x, y))
        x, y = from_x, from_y
    return kept


def _joined(words: Sequence[str], shared: set[int]) -> tuple[Piece, ...]:
    """Put words that are alike together; a blank between two words that differ differs too, for a quieter picture."""
    differs = [i not in shared for i in range(len(words))]
    for i in range(1, len(words) - 1):
        if words[i].isspace() and differs[i - 1] and differs[i + 1]:
            differs[i] = True
    return tuple(
        Piece(text="".join(word for word, _ in group), differs=different)
        for different, group in groupby(zip(words, differs, strict=True), key=lambda pair: pair[1])
    )
