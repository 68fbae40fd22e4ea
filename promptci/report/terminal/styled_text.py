"""Lines of a terminal: pieces with a style, indented and wrapped. Pure."""

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Literal

from promptci.lazy_dataclass import dataclass

Style = Literal["plain", "strong", "muted", "good", "warn", "bad", "removed", "added", "removed-words", "added-words"]
MIN_WIDTH = 20
"""A text is never wrapped narrower, however deep it is indented."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StyledPiece:
    """A stretch of a line."""

    text: str
    style: Style = "plain"


@dataclass(frozen=True, kw_only=True, slots=True)
class StyledLine:
    """One line; when it is too long for the terminal, it goes on below, `hang` columns further in than it began."""

    pieces: tuple[StyledPiece, ...]
    indent: int = 0
    hang: int = 0

    @property
    def text(self) -> str:
        """The line without styles."""
        return (" " * self.indent + "".join(piece.text for piece in self.pieces)).rstrip()


def map_pieces(whole: StyledLine, redact: Callable[[str], str], make_safe: Callable[[str], str]) -> StyledLine:
    """Return the line with safe pieces; a line with a secret, which may lie across pieces, becomes one plain piece."""
    text = "".join(piece.text for piece in whole.pieces)
    clean = redact(text)
    pieces = whole.pieces if clean == text else (StyledPiece(text=clean),)
    return replace(whole, pieces=tuple(replace(piece, text=make_safe(piece.text)) for piece in pieces))


def line(text: str, style: Style = "plain", *, indent: int = 0, hang: int = 0) -> StyledLine:
    """Return a line of one piece."""
    return StyledLine(pieces=(StyledPiece(text=text, style=style),), indent=indent, hang=hang)


def wrap(whole: StyledLine, width: int | None) -> Iterator[StyledLine]:
    """Yield the line cut into lines of at most `width` columns, between words where that is possible."""
    if width is None or measure(whole.text) <= width:
        yield whole
        return
    room = max(width - whole.indent, MIN_WIDTH)
    current: list[StyledPiece] = []
    used, indent = 0, whole.indent
    for piece in chain.from_iterable(_split_words(piece, max(room - whole.hang, MIN_WIDTH)) for piece in whole.pieces):
        size = measure(piece.text)
        if current and used + measure(piece.text.rstrip()) > room:
            yield StyledLine(pieces=tuple(current), indent=indent)
            current, used, indent = [], 0, whole.indent + whole.hang
            room = max(width - indent, MIN_WIDTH)
            if piece.text.isspace():
                continue
        current.append(piece)
        used += size
    if current:
        yield StyledLine(pieces=tuple(current), indent=indent)


def _split_words(piece: StyledPiece, limit: int) -> Iterator[StyledPiece]:
    """Yield a piece's words, each with the blanks behind it; a word wider than `limit` columns is cut."""
    word, used = "", 0
    for i, char in enumerate(piece.text):
        size = measure(char)
        starts_word = i > 0 and piece.text[i - 1].isspace() and not char.isspace()
        if word and (starts_word or used + size > limit or size == 2):
            yield replace(piece, text=word)
            word, used = "", 0
        word += char
        used += size
    if word:
        yield replace(piece, text=word)


def measure(text: str) -> int:
    """Return how many columns a text takes: two for each wide character of East Asia, none for a combining one."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def pad(text: str, width: int, *, right: bool = False) -> str:
    """Return the text filled up with blanks to so many columns."""
    blanks = " " * (width - measure(text))
    return blanks + text if right else text + blanks


def table(rows: Sequence[Sequence[str]], *, indent: int) -> Iterator[StyledLine]:
    """Yield a table: the first row is its head, the first column is flush left, the last is not padded."""
    widths = [max(measure(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        cells = [pad(cell, widths[i], right=i > 0) for i, cell in enumerate(row[:-1])]
        yield line("  ".join([*cells, row[-1]]).rstrip(), "muted" if number == 0 else "plain", indent=indent)


def render_plain(lines: Iterable[StyledLine]) -> Iterator[str]:
    """Yield texts for a file or a log: lines of any length, differing words between signs as `git diff` has them."""
    return render(lines, None, mark_words)


def mark_words(text: str, style: Style) -> str:
    """Return a piece without colour: a word that differs between signs."""
    before, after = {"removed-words": ("[-", "-]"), "added-words": ("{+", "+}")}.get(style, ("", ""))
    return f"{before}{text}{after}"


def render(lines: Iterable[StyledLine], width: int | None, paint: Callable[[str, Style], str]) -> Iterator[str]:
    """Yield texts to print: each line wrapped to `width` columns (None: as long as it is), its pieces painted."""
    for whole in lines:
        for part in wrap(whole, width):
            painted = "".join(paint(piece.text, piece.style) for piece in part.pieces)
            yield (" " * part.indent + painted).rstrip()
