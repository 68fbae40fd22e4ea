"""Texts compressed for a page: each kept once, in blocks, of which a reader opens only those that are shown.

A block is JSON, `[texts, records]`, compressed for `DecompressionStream("deflate")` and in base64, so that no text can
be anything but data to the page. A record that uses a text for the first time holds `NEXT_TEXT`, which stands for the
next text of its block; a later use holds the text's number, counted over all blocks. A reader that goes through the
records in order finds every text, and what repeats from record to record compresses to almost nothing.
"""

import base64
import json
import zlib
from collections import OrderedDict
from dataclasses import field

from markupsafe import Markup

from promptci.lazy_dataclass import dataclass
from promptci.present.escape import visible

MAX_BLOCK_CHARS = 524_288
"""Characters after which a block is closed. Blocks of a quarter of it take a tenth more space and open no faster."""
MAX_INLINE_CHARS = 16
"""Texts up to this length are kept in the record: a number is hardly shorter."""
MAX_REMEMBERED_CHARS = 2**22
"""Characters of texts that are remembered to be named by their numbers: those used last. Others are packed again."""

NEXT_TEXT = -1
PackedText = str | int | None
"""A text, the number of one, or `NEXT_TEXT`."""


@dataclass(kw_only=True, slots=True)
class Packer:
    """Takes records until another block would not fit."""

    max_bytes: int
    """Bytes left for blocks."""
    blocks: list[Markup] = field(default_factory=list)
    starts: list[tuple[int, int]] = field(default_factory=list)
    """First record and first text of each block."""
    records: int = 0
    """Records in closed blocks."""
    _numbers: OrderedDict[str, int] = field(default_factory=OrderedDict)
    """Of remembered texts; the one used last stands last."""
    _remembered_chars: int = 0
    _texts: list[str] = field(default_factory=list)
    _open: list[object] = field(default_factory=list)
    _size: int = 0
    _first: int = 0
    _full: bool = False

    @property
    def full(self) -> bool:
        """Whether a block did not fit, so that no more records are taken."""
        return self._full

    def text(self, value: str | None) -> PackedText:
        """Take a text, once if it repeats; invisible characters become escapes."""
        if value is None:
            return None
        shown = value if value.isascii() and value.isprintable() else visible(value)
        if len(shown) <= MAX_INLINE_CHARS:
            return shown
        if (number := self._numbers.get(shown)) is not None:
            self._numbers.move_to_end(shown)
            return number
        self._remember(shown, self._first + len(self._texts))
        self._texts.append(shown)
        self._size += len(shown)
        return NEXT_TEXT

    def _remember(self, text: str, number: int) -> None:
        self._numbers[text] = number
        self._remembered_chars += len(text)
        while self._remembered_chars > MAX_REMEMBERED_CHARS:
            forgotten, _ = self._numbers.popitem(last=False)
            self._remembered_chars -= len(forgotten)

    def add(self, record: object) -> None:
        """Take a record whose texts were taken just before."""
        self._open.append(record)
        if self._size >= MAX_BLOCK_CHARS:
            self.close()

    def close(self) -> None:
        """Close the open block, as after the last record."""
        if not self._open or self._full:
            return
        packed = pack([self._texts, self._open])
        if len(packed) > self.max_bytes:
            self._full = True
            return
        self.max_bytes -= len(packed)
        self.blocks.append(packed)
        self.starts.append((self.records, self._first))
        self.records += len(self._open)
        self._first += len(self._texts)
        self._texts, self._open, self._size = [], [], 0


def pack(value: object) -> Markup:
    """Compress a value as JSON to base64, which means nothing to HTML. The same value gives the same text."""
    written = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(base64.b64encode(zlib.compress(written.encode(), 9)).decode())  # noqa: S704 - letters and digits


def unpack(packed: str) -> object:
    """Return the value that was packed."""
    return json.loads(zlib.decompress(base64.b64decode(packed)))
