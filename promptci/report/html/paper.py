"""What of a case's texts is printed: the stretches around a difference, with a note in place of what is left out."""

from collections.abc import Iterable, Iterator, Sequence

from promptci.lazy_dataclass import dataclass
from promptci.present.word_diff import TextPiece
from promptci.report.text.cases import answer_excerpt
from promptci.report.text.cases.answer_excerpt import Stretch

MAX_CASES = 8
"""Cases of a group that are printed; report.css hides the ninth and all others."""
MAX_ANSWER_CELLS, MAX_TEXT_CELLS = 6 * answer_excerpt.LINE_CELLS, 8 * answer_excerpt.LINE_CELLS
"""Cells of an answer, and of an input or expectation, that are printed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PagePiece:
    """A part of a text on the page."""

    text: str
    differs: bool = False
    on_paper: bool = True
    """Whether it is printed."""
    note: str = ""
    """What is printed in its place, the first time that something is left out."""


def cut_text(text: str) -> tuple[PagePiece, ...]:
    """Return an input or expectation, of which the beginning is printed."""
    stretches = answer_excerpt.cut_text(text, (), MAX_TEXT_CELLS, on_paper=True)
    return tuple(_split([TextPiece(text=text, differs=False)], stretches))


def cut_answers(
    before: Sequence[TextPiece], after: Sequence[TextPiece]
) -> tuple[tuple[PagePiece, ...], tuple[PagePiece, ...]]:
    """Return both answers, of which what differs is printed; two that fit are printed whole."""
    texts = ["".join(piece.text for piece in pieces) for pieces in (before, after)]
    parts = [list(answer_excerpt.cut_text(text, (), MAX_ANSWER_CELLS, on_paper=True)) for text in texts]
    if any(len(whole) > 1 for whole in parts) and all(texts) and texts[0] != texts[1]:
        gaps = answer_excerpt.find_gaps(*texts)
        parts = [
            list(answer_excerpt.cut_text(text, of_text, MAX_ANSWER_CELLS, on_paper=True))
            for text, of_text in zip(texts, gaps, strict=True)
        ]
    return tuple(_split(before, parts[0])), tuple(_split(after, parts[1]))


def _split(pieces: Sequence[TextPiece], stretches: Iterable[Stretch]) -> Iterator[PagePiece]:
    """Split the pieces of a text where a stretch begins or ends."""
    begins: list[tuple[int, int, TextPiece]] = []
    position = 0
    for piece in pieces:
        begins.append((position, position + len(piece.text), piece))
        position += len(piece.text)
    for stretch in stretches:
        note = stretch.note
        for begin, end, piece in begins:
            first, last = max(begin, stretch.begin), min(end, stretch.end)
            if first < last:
                shown = piece.text[first - begin : last - begin]
                yield PagePiece(text=shown, differs=piece.differs, on_paper=not stretch.note, note=note)
                note = ""
