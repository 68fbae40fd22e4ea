"""The prompt's diff, with the words marked that differ within changed lines."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from promptci.lazy_dataclass import dataclass
from promptci.present import word_diff
from promptci.present.escape import shorten
from promptci.present.word_diff import TextPiece
from promptci.report.html.page_budget import MAX_LINE_CHARS
from promptci.report.model.report import DiffLineView

MAX_BLOCKS = 200
"""Changed blocks whose words are compared; in further blocks only the lines are marked."""
MAX_BLOCK_CHARS = 20_000
"""Characters of a block whose words are compared."""
MIN_COMMON_SHARE = 0.3
"""Share of a block's text that both sides must have in common; below it, marked words are noise."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkedLine:
    """One line of the diff, in pieces."""

    kind: str
    pieces: tuple[TextPiece, ...]


def mark_changed_words(lines: Sequence[DiffLineView]) -> list[MarkedLine]:
    """Return the lines, with the words marked that differ from the other side of the same block."""
    return list(_marked_lines(lines))


def _marked_lines(lines: Sequence[DiffLineView]) -> Iterator[MarkedLine]:
    blocks = 0
    for changed, group in groupby(lines, key=lambda line: line.kind in ("added", "removed")):
        texts = [(line.kind, shorten(line.text, MAX_LINE_CHARS)) for line in group]
        blocks += changed
        pieces = _pieces_by_kind(texts) if changed and blocks <= MAX_BLOCKS else {}
        for kind, text in texts:
            marked = pieces.get(kind)
            yield MarkedLine(kind=kind, pieces=next(marked) if marked else (TextPiece(text=text, differs=False),))


def _pieces_by_kind(texts: Sequence[tuple[str, str]]) -> dict[str, Iterator[tuple[TextPiece, ...]]]:
    """Return the pieces of each line by kind; nothing if only one side exists, or the sides have little in common."""
    before, after = ("\n".join(text for kind, text in texts if kind == side) for side in ("removed", "added"))
    sides = [kind for kind in ("removed", "added") if any(kind == of_line for of_line, _ in texts)]
    if len(sides) < 2 or len(before) + len(after) > MAX_BLOCK_CHARS:
        return {}
    left, right = word_diff.diff_words(before, after)
    common = sum(len(piece.text.strip()) for piece in left if not piece.differs)
    if common < MIN_COMMON_SHARE * min(len(before), len(after)):
        return {}
    return {"removed": _by_line(left), "added": _by_line(right)}


def _by_line(pieces: Sequence[TextPiece]) -> Iterator[tuple[TextPiece, ...]]:
    """Split the pieces of a side at its line breaks."""
    line: list[TextPiece] = []
    for piece in pieces:
        first, *rest = piece.text.split("\n")
        line.append(TextPiece(text=first, differs=piece.differs))
        for text in rest:
            yield tuple(piece for piece in line if piece.text)
            line = [TextPiece(text=text, differs=piece.differs)]
    yield tuple(piece for piece in line if piece.text)
