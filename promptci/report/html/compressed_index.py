"""Texts packed for a page: each kept once, in compressed blocks, of which a reader opens those few that are shown.

A block is JSON, `[texts, records]`, compressed the way `DecompressionStream("deflate")` reads, in base64, so that no
text can be anything but data to the page. Where a record uses a text for the first time, it says so (`NEXT`), and the
text is the next one of its block; where it uses one again, it gives its number, counted over all blocks. Who reads the
records in their order finds every text, and what repeats from record to record compresses to almost nothing.
"""

import base64
import json
import zlib
from dataclasses import dataclass, field

from markupsafe import Markup

from promptci.present.escape import visible

BLOCK = 524_288
"""Characters after which a block is closed. Blocks of a quarter would take a tenth more room, and open no sooner to
the eye."""
SHORT = 16
"""Texts up to this length stand where they are used: a number would hardly be shorter."""

NEXT = -1
Text = str | int | None
"""A text, or the number of one, or `NEXT`."""


@dataclass(kw_only=True, slots=True)
class Packer:
    """Takes records until there is no room for another block."""

    room: int
    """Characters that the blocks may take."""
    blocks: list[Markup] = field(default_factory=list)
    starts: list[tuple[int, int]] = field(default_factory=list)
    """Of each block: the number of its first record and of its first text."""
    records: int = 0
    """Those in closed blocks."""
    _numbers: dict[str, int] = field(default_factory=dict)
    _texts: list[str] = field(default_factory=list)
    _open: list[object] = field(default_factory=list)
    _size: int = 0
    _first: int = 0
    _full: bool = False

    @property
    def full(self) -> bool:
        """Whether a block was refused; nothing is taken any more."""
        return self._full

    def text(self, value: str | None) -> Text:
        """Take a text; equal ones are kept once. What a reader could not see is spelled out."""
        if value is None:
            return None
        shown = value if value.isascii() and value.isprintable() else visible(value)
        if len(shown) <= SHORT:
            return shown
        number = self._numbers.setdefault(shown, len(self._numbers))
        if number < self._first + len(self._texts):
            return number
        self._texts.append(shown)
        self._size += len(shown)
        return NEXT

    def add(self, record: object) -> None:
        """Take a record whose texts were taken just before."""
        self._open.append(record)
        if self._size >= BLOCK:
            self.close()

    def close(self) -> None:
        """Close the open block, as after the last record."""
        if not self._open or self._full:
            return
        packed = pack([self._texts, self._open])
        if len(packed) > self.room:
            self._full = True
            return
        self.room -= len(packed)
        self.blocks.append(packed)
        self.starts.append((self.records, self._first))
        self.records += len(self._open)
        self._first += len(self._texts)
        self._texts, self._open, self._size = [], [], 0


def pack(value: object) -> Markup:
    """Give a value as compressed JSON in letters that mean nothing to HTML. The same value gives the same letters."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(base64.b64encode(zlib.compress(written.encode(), 9)).decode())  # noqa: S704 - letters and digits


def unpack(packed: str) -> object:
    """Give back what was packed."""
    return json.loads(zlib.decompress(base64.b64decode(packed)))
