"""The prompt's diff with the words marked that differ within changed lines; bounded, whatever the lines are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from promptci.present import word_diff
from promptci.present.escape import shorten
from promptci.present.word_diff import Piece
from promptci.report.html.page_budget import LINE_LENGTH
from promptci.report.model.report import DiffLineView

MOST_BLOCKS = 200
"""Changed places whose words are compared; in further ones the lines alone are marked."""
MOST_CHARACTERS = 20_000
"""Of one changed place."""
ALIKE = 0.3
"""Share of a place's text that both sides must have in common; below it, marked words are noise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the diff, in stretches."""

    kind: str
    pieces: tuple[Piece, ...]


def marked(lines: Sequence[DiffLineView]) -> list[Line]:
    """Give the lines with the words marked that differ from the other side of the same place."""
    return list(_marked(lines))


def _marked(lines: Sequence[DiffLineView]) -> Iterator[Line]:
    blocks = 0
    for changed, group in groupby(lines, key=lambda line: line.kind in ("added", "removed")):
        texts = [(line.kind, shorten(line.text, LINE_LENGTH)) for line in group]
        blocks += changed
        pieces = _words(texts) if changed and blocks <= MOST_BLOCKS else {}
        for kind, text in texts:
            of_side = pieces.get(kind)
            yield Line(kind=kind, pieces=next(of_side) if of_side else (Piece(text=text, differs=False),))


def _words(texts: Sequence[tuple[str, str]]) -> dict[str, Iterator[tuple[Piece, ...]]]:
    """Give the stretches of each line by the line's kind; nothing where only one side is there, or little is alike."""
    before, now = ("\n".join(text for kind, text in texts if kind == wanted) for wanted in ("removed", "added"))
    sides = [kind for kind in ("removed", "added") if any(kind == one for one, _ in texts)]
    if len(sides) < 2 or len(before) + len(now) > MOST_CHARACTERS:
        return {}
    left, right = word_diff.pieces(before, now)
    common = sum(len(piece.text.strip()) for piece in left if not piece.differs)
    if common < ALIKE * min(len(before), len(now)):
        return {}
    return {"removed": _by_line(left), "added": _by_line(right)}


def _by_line(pieces: Sequence[Piece]) -> Iterator[tuple[Piece, ...]]:
    """Cut the stretches of a whole side at its line breaks."""
    line: list[Piece] = []
    for piece in pieces:
        first, *rest = piece.text.split("\n")
        line.append(Piece(text=first, differs=piece.differs))
        for text in rest:
            yield tuple(one for one in line if one.text)
            line = [Piece(text=text, differs=piece.differs)]
    yield tuple(one for one in line if one.text)
