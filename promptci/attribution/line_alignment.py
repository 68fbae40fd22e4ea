"""Align the lines of a changed block, so that each that was changed, removed or added is known by itself."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    from rapidfuzz import distance
else:
    distance = lazy_import("rapidfuzz.distance")

MIN_LIKENESS = 0.4
"""Least likeness, from 0 to 1, of two lines that stand for one another."""
UNLIKE = 0.001
"""Worth of a pair of unlike lines: they are paired only where nothing better is lost by it."""
MAX_PAIRS = 40_000
"""A larger block is one edit: comparing all its lines would take longer than it helps."""

LinePair = tuple[str | None, str | None]
"""A line of each version; None: this version has no such line."""


def align_lines(before: Sequence[str], after: Sequence[str]) -> Iterator[LinePair] | None:
    """Return the pairs of a changed block in order; None for a block that is too large to compare.

    The alignment with the greatest likeness is taken. What is left between two pairs of like lines is paired in order,
    as a rewritten line stands for the one in its place.
    """
    if len(before) * len(after) > MAX_PAIRS:
        return None
    worth = [[_measure_worth(old, new) for new in after] for old in before]
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for row in reversed(range(len(before))):
        for column in reversed(range(len(after))):
            paired = worth[row][column] + best[row + 1][column + 1]
            best[row][column] = max(paired, best[row + 1][column], best[row][column + 1])
    return _walk(before, after, worth, best)


def _walk(
    before: Sequence[str], after: Sequence[str], worth: Sequence[Sequence[float]], best: Sequence[Sequence[float]]
) -> Iterator[LinePair]:
    """Yield the pairs of the best alignment."""
    row = column = 0
    while row < len(before) and column < len(after):
        if best[row][column] == worth[row][column] + best[row + 1][column + 1]:
            yield before[row], after[column]
            row, column = row + 1, column + 1
        elif best[row][column] == best[row + 1][column]:
            yield before[row], None
            row += 1
        else:
            yield None, after[column]
            column += 1
    yield from ((line, None) for line in before[row:])
    yield from ((None, line) for line in after[column:])


def _measure_worth(old: str, new: str) -> float:
    old, new = old.strip(), new.strip()
    if not old or not new:
        return float(old == new)
    likeness = distance.Indel.normalized_similarity(old, new)
    return likeness if likeness >= MIN_LIKENESS else UNLIKE
