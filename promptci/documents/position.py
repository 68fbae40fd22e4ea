"""Where in a JSON text a value stands, for messages about it."""

import json
import re
from collections.abc import Sequence

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\n\r]*")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """Return the line, counted from 1, of the value that `path` leads to in a valid JSON text.

    Where the path ends early, as for a missing key, it is the line of the last value that exists. None if nothing on
    the path exists.
    """
    at = _BLANKS.match(text).end() if path else None  # type: ignore[union-attr]  # matches every text
    reached = None
    for step in path:
        at = None if at is None else _find(text, at, step)
        if at is None:
            break
        reached = at
    return None if reached is None else text.count("\n", 0, reached) + 1


def _find(text: str, at: int, step: str | int) -> int | None:
    """Return where the member `step` of the container at `at` begins; None if there is none."""
    opening = text[at : at + 1]
    if opening not in ("{", "[") or (opening == "{") != isinstance(step, str):
        return None
    at, index = _skip_blanks(text, at + 1), 0
    while text[at : at + 1] not in ("}", "]", ""):
        member: str | int = index
        if opening == "{":
            member, at = _DECODER.raw_decode(text, at)
            at = _skip_blanks(text, _skip_blanks(text, at) + 1)  # the colon
        if member == step:
            return at
        at = _skip_blanks(text, _DECODER.raw_decode(text, at)[1])
        if text[at : at + 1] == ",":
            at = _skip_blanks(text, at + 1)
        index += 1
    return None


def _skip_blanks(text: str, at: int) -> int:
    blanks = _BLANKS.match(text, at)
    return at if blanks is None else blanks.end()
