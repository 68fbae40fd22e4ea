"""What the bytes of a log file show before they are parsed: its lines, and the numbers on which readers differ."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from promptci.lazy_dataclass import dataclass
from promptci.requestlog.columns import Array
from promptci.requestlog.python_reader import MAX_LINE_BYTES

CHUNK_BYTES = 2**18
"""Small enough for the processor's cache: every byte is looked at many times."""
NUMBER_BYTES = 64
"""Of the piece before, so that a number at its end is seen whole."""
_LOWER_NO_DIGITS = bytes.maketrans(b"123456789+", b"0" * 10).lower()
"""Translates capitals to small letters, and every digit, and the sign of an exponent, to 0."""
_ODD_NUMBERS = (b"inf", b"nan", b"0" * 19, b"0e000")
"""Parts, so translated, of the numbers that `parse_json` refuses and DuckDB takes: infinite, or whole and over 64 bits.

They are refused also in an attribute that nobody reads.
"""
_PART_BYTES = max(map(len, _ODD_NUMBERS))
_BEFORE_NUMBER = tuple(bytes([sign]) for sign in b":,[- \t")
_NUMBER_START = re.compile(rb"[:,\[]\s*-?\Z")
_FOUR_DIGITS = 0x01010101
"""Four elements of `_digits` as one number."""


@dataclass(frozen=True, slots=True)
class ByteScan:
    """What the bytes of a file show."""

    lines: int
    """That are finished, blank ones too."""
    has_tail: bool
    """Whether a line is there that is still being written."""
    suspects: frozenset[int]
    """Lines, counted from 1, that may hold a number which DuckDB reads and `parse_json` refuses."""


def scan_file(path: Path) -> ByteScan | None:
    """Count lines; None where DuckDB would not find the same lines and texts, or where a line is too long."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    buffer, finder = bytearray(CHUNK_BYTES), _SuspectFinder()
    lines, tail = 0, bytearray()
    suspects: set[int] = set()
    with path.open("rb", buffering=0) as file:
        while size := file.readinto(buffer):
            data = buffer if size == len(buffer) else buffer[:size]
            # DuckDB takes a carriage return for the end of a line, and leaves out a byte order mark.
            if b"\0" in data or b"\r" in data or (not lines and (tail + data[:3]).startswith(codecs.BOM_UTF8)):
                return None
            try:
                if decoder.getstate()[0] or not data.isascii():
                    decoder.decode(data)
            except UnicodeDecodeError:
                return None
            suspects.update(lines + number for number in finder.find_lines(tail[-NUMBER_BYTES:] + data))
            lines += int(np.count_nonzero(np.frombuffer(data, "u1") == ord("\n")))
            first, last = data.find(b"\n"), data.rfind(b"\n")
            if len(tail) + (first if first >= 0 else size) > MAX_LINE_BYTES:
                return None
            tail = data[last + 1 :] if last >= 0 else tail + data
    return None if decoder.getstate()[0] else ByteScan(lines, bool(tail.strip()), frozenset(suspects))


class _SuspectFinder:
    """Finds `_ODD_NUMBERS` in pieces of a file by comparing arrays, in about a third of the time of `find`."""

    def __init__(self) -> None:
        # Arrays that are made anew for each piece cost more than what is computed in them.
        size = CHUNK_BYTES + NUMBER_BYTES
        self._lower, self._rest = np.empty(size, "u1"), np.empty(size, "u1")
        self._digits, self._n, self._letter, self._match = (np.empty(size, bool) for _ in range(4))

    def find_lines(self, data: bytearray) -> Iterator[int]:
        """Yield the lines of a piece, counted from 1, that may hold a number which `parse_json` refuses."""
        for part, places in self._find_parts(np.frombuffer(data, "u1")):
            for place in places.tolist():
                begin = max(0, place - NUMBER_BYTES)
                translated = data[begin : place + 2 * _PART_BYTES].translate(_LOWER_NO_DIGITS)
                at = translated.find(part, max(0, place - begin - 3))
                before = translated[:at].rstrip(b"0.") if at >= 0 else b""
                if before.endswith(_BEFORE_NUMBER) and _NUMBER_START.search(before):
                    yield 1 + data.count(b"\n", 0, place)

    def _find_parts(self, data: Array) -> Iterator[tuple[bytes, Array]]:
        """Yield each part with the places at which, or up to three bytes before which, it may begin."""
        size = len(data)
        digits, lower = self._digits[:size], self._lower[:size]
        np.less(np.subtract(data, ord("0"), out=self._rest[:size]), 10, out=digits)
        np.bitwise_or(data, 0x20, out=lower)
        infinite, not_a_number, whole, exponent = _ODD_NUMBERS
        yield whole, _find_long_runs(digits)
        yield exponent, self._find_exponents(data, digits, lower)
        n, letter = self._n[:size], self._letter[:size]
        np.equal(lower, ord("n"), out=n)
        yield not_a_number, self._find_word(n, np.equal(lower, ord("a"), out=letter), n)
        match = self._match[: max(0, size - 1)]
        np.logical_and(np.equal(lower, ord("i"), out=letter)[:-1], n[1:], out=match)
        # `in` is frequent, and looked at more closely where it is found.
        places = np.flatnonzero(match)
        places = places[places < size - 2]
        yield infinite, places[lower[places + 2] == ord("f")]

    def _find_exponents(self, data: Array, digits: Array, lower: Array) -> Array:
        size = max(0, len(data) - 4)
        match, letter = self._match[:size], self._letter[: len(data)]
        np.equal(lower, ord("e"), out=letter)
        np.logical_and(digits[:size], letter[1 : size + 1], out=match)
        np.logical_and(match, digits[3 : size + 3], out=match)
        np.logical_and(match, digits[4 : size + 4], out=match)
        places = np.flatnonzero(match)
        return np.asarray(places[digits[places + 2] | (data[places + 2] == ord("+"))])

    def _find_word(self, first: Array, middle: Array, last: Array) -> Array:
        """Return where three letters follow each other, by where each stands."""
        match = self._match[: max(0, len(first) - 2)]
        np.logical_and(first[:-2], middle[1:-1], out=match)
        return np.flatnonzero(np.logical_and(match, last[2:], out=match))


def _find_long_runs(digits: Array) -> Array:
    """Return where four whole words are digits, as they are in every run of 19."""
    words = digits[: len(digits) // 4 * 4].view("u4") == _FOUR_DIGITS
    pairs = words[:-1] & words[1:]
    return np.flatnonzero(pairs[:-2] & pairs[2:]) * 4
