"""Cut two long answers to what differs between them; whatever is left out is counted. Pure."""

import unicodedata
from collections.abc import Iterator, Sequence

from promptci.lazy_dataclass import dataclass
from promptci.present import word_diff
from promptci.wording import count_equal_chars

MIN_CUT_CHARS = 300
"""Texts up to this length are shown whole."""
MAX_LEAD_CHARS, MAX_TRAIL_CHARS = 20, 40
"""Of a text that both answers share, what is shown before and behind a difference."""
MIN_GAP_CHARS = 60
"""A shorter text is not left out: the note in its place would be as long."""
MAX_COMPARED_CHARS = 4000
"""Characters that are compared by words, from the first difference on."""
MAX_NOTE_CHARS = 40
LINE_CELLS = 48
"""Width of an answer on paper, where it has half the sheet."""

Gap = tuple[int, int]
"""Begin and end of a text that both answers share."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A part of a text: shown, or left out with a note in its place."""

    begin: int
    end: int
    note: str = ""


def clip_around_differences(before: str, after: str, limit: int) -> tuple[str, str]:
    """Cut two long texts so that what differs is visible, and count what is left out."""
    if max(len(before), len(after)) <= min(limit, MIN_CUT_CHARS) or before == after:
        return before, after
    gaps = find_gaps(before, after)
    first, second = (
        "".join(part.note or text[part.begin : part.end] for part in cut_text(text, of_text, limit))
        for text, of_text in zip((before, after), gaps, strict=True)
    )
    return first, second


def find_gaps(before: str, after: str) -> tuple[list[Gap], list[Gap]]:
    """Return the stretches of each text that the other one shares, away from any difference."""
    gaps: tuple[list[Gap], list[Gap]] = [], []
    positions = [0, 0]
    hunks = [hunk for hunk in _align(before, after) if any(hunk)]
    for number, (left, right) in enumerate(hunks):
        begin = MAX_TRAIL_CHARS if number else 0
        end = len(left) - (MAX_LEAD_CHARS if number < len(hunks) - 1 else 0)
        for of_text, position in zip(gaps, positions, strict=True):
            if left == right and end - begin >= MIN_GAP_CHARS:
                of_text.append((position + begin, position + end))
        positions = [positions[0] + len(left), positions[1] + len(right)]
    return gaps


def _align(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Yield both texts piece by piece, in turn equal ones and those that differ."""
    start = count_equal_chars(before, after)
    yield before[:start], after[:start]
    left, right = before[start:], after[start:]
    compared = left[:MAX_COMPARED_CHARS], right[:MAX_COMPARED_CHARS]
    hunks = word_diff.align_words(*compared)
    different = sum(len(a) + len(b) for a, b in hunks if a != b)
    if different > word_diff.MAX_DIFFERENT_SHARE * sum(map(len, compared)):
        yield left, right
        return
    yield from hunks
    yield left[MAX_COMPARED_CHARS:], right[MAX_COMPARED_CHARS:]


def cut_text(text: str, gaps: Sequence[Gap], limit: int, *, on_paper: bool = False) -> Iterator[Stretch]:
    """Yield the whole text in parts, of which those that are shown take at most `limit` characters with the notes.

    On paper, `limit` counts the cells of lines: two for a wide character, and the rest of the line for a line break.
    """
    remaining, position = limit, 0
    for begin, end in [*gaps, (len(text), len(text))]:
        shown, remaining = _fit(text, position, begin, remaining, on_paper=on_paper)
        yield Stretch(begin=position, end=shown)
        if shown < begin:
            yield Stretch(begin=shown, end=len(text), note=f"… ({len(text) - shown:,} more characters)")
            return
        if end > begin:
            note = _describe_gap(begin, end, len(text))
            remaining -= len(note)
            if end < len(text) and remaining < MAX_NOTE_CHARS + MAX_LEAD_CHARS:  # what follows would not fit
                yield Stretch(begin=begin, end=len(text), note=f"… ({len(text) - begin:,} more characters)")
                return
            yield Stretch(begin=begin, end=end, note=note)
        position = end


def _fit(text: str, begin: int, end: int, remaining: int, *, on_paper: bool) -> tuple[int, int]:
    """Return how far the text fits, and what is left of the limit; where it does not, the note fits behind it."""
    last = begin  # with a note behind it
    reserved = MAX_NOTE_CHARS if end < len(text) else 0
    for position in range(begin, end):
        if remaining > MAX_NOTE_CHARS:
            last = position
        remaining -= _measure(text[position]) if on_paper else 1
        if remaining < reserved:
            return last, remaining
    return end, remaining


def _measure(char: str) -> int:
    if char == "\n":
        return LINE_CELLS // 2  # on average
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _describe_gap(begin: int, end: int, length: int) -> str:
    size = f"{end - begin:,}"
    if begin == 0:
        return f"(first {size} characters are equal) …"
    return f"… ({size} more characters, equal)" if end == length else f"… ({size} equal characters) …"
