"""Walk through a JSON text that is not in memory as a whole."""

import json
import re
from collections.abc import Iterator
from typing import IO

from promptci.files.lines import JsonError

CHUNK_CHARS = 2**18
MAX_VALUE_CHARS = 2**24
MAX_KEY_CHARS = 1000
"""Text that is kept where a key is looked for, so that one that is cut by the end of a chunk is found."""
_BLANK = re.compile(r"\s*")


class JsonText:
    """A position in a JSON text, with the part of the text behind it that has been read."""

    def __init__(self, stream: IO[str]) -> None:
        """Begin at the stream's position."""
        self._stream = stream
        self._text = ""
        self._position = 0
        self._is_complete = False
        self._decoder = json.JSONDecoder()
        self.line = 1
        """Line of the position."""

    def take_list(self) -> Iterator[tuple[int, str]]:
        """Yield line and text of each element of the list at the position, and move behind it.

        Raises
        ------
        JsonError
            Where the text is not valid.
        """
        self.take("[")
        while self.peek() != "]":
            yield self.line, self.take_value()
            if self.peek() != "]":
                self.take(",")
                if self.peek() == "]":
                    raise JsonError("not valid JSON: a comma before the end of a list", "Remove the comma.")
        self.take("]")

    def take(self, sign: str) -> None:
        """Move behind a sign; JsonError where there is another."""
        if self.peek() != sign:
            raise JsonError(f"not valid JSON: `{sign}` is missing in line {self.line}", "Fix the JSON.")
        self._advance(self._position + 1)

    def peek(self) -> str:
        """Move to the next sign that is no blank, and return it; empty at the end."""
        while True:
            end = match.end() if (match := _BLANK.match(self._text, self._position)) else self._position
            self._advance(end)
            if end < len(self._text) or not self._read():
                return self._text[end : end + 1]

    def take_value(self) -> str:
        """Return the text of the value at the position, and move behind it."""
        self.peek()
        while True:
            try:
                _, end = self._decoder.raw_decode(self._text, self._position)
            except (ValueError, RecursionError) as error:
                rest = len(self._text) - self._position
                if rest > MAX_VALUE_CHARS or not self._read(max(CHUNK_CHARS, rest)):
                    message = f"not valid JSON: the value that begins in line {self.line} cannot be read"
                    raise JsonError(message, "Fix the JSON.") from error
            else:
                # A number may go on behind what has been read.
                if end < len(self._text) or not self._read():
                    text = self._text[self._position : end]
                    self._advance(end)
                    return text

    def take_until(self, key: str) -> Iterator[str]:
        """Yield the text up to the list of the next key of this name, with the key, and stop before the list.

        An unescaped quotation mark before a name begins a text, for no name can follow one that ends it.
        """
        pattern = re.compile(rf'(?<!\\)"{re.escape(key)}"\s*:\s*(?=\[)')
        while (match := pattern.search(self._text, self._position)) is None:
            end = max(self._position, len(self._text) - MAX_KEY_CHARS)
            # A backslash that belongs to the quotation mark behind it has to stay.
            yield self._text[self._position : end]
            self._advance(end)
            if not self._read():
                yield self._text[self._position :]
                self._advance(len(self._text))
                return
        yield self._text[self._position : match.end()]
        self._advance(match.end())

    def _advance(self, position: int) -> None:
        self.line += self._text.count("\n", self._position, position)
        self._position = position

    def _read(self, count: int = CHUNK_CHARS) -> bool:
        """Read on; return whether there was more."""
        if self._is_complete:
            return False
        piece = self._stream.read(count)
        self._is_complete = not piece
        self._text = self._text[self._position :] + piece
        self._position = 0
        return bool(piece)
