"""The cases of a JSON file, one by one, from a text that is not in memory as a whole."""

import json
from collections.abc import Iterator
from typing import IO

from promptci.files import lines
from promptci.files.json_stream import JsonText
from promptci.files.lines import JsonError
from promptci.goldens.formats.containers import COMMENTS, LIST_KEYS

_KEYS = ", ".join(f"`{key}`" for key in LIST_KEYS)


def iterate_cases(stream: IO[str]) -> Iterator[tuple[int, str]]:
    """Yield line and text of each case of a list, or of a map with that list.

    Raises
    ------
    JsonError
        Where the text is not valid, or holds more than a list of cases.
    """
    text = JsonText(stream)
    if not text.peek():
        return
    if text.peek() == "[":
        yield from text.take_list()
    elif text.peek() == "{":
        yield from _iterate_map(text)
    else:
        raise _not_a_list()
    if text.peek():
        raise JsonError("not valid JSON: there is text after its end", "Fix the JSON.")


def _iterate_map(text: JsonText) -> Iterator[tuple[int, str]]:
    """Yield the elements of the only list in a map whose other keys are comments."""
    has_list = False
    text.take("{")
    while text.peek() != "}":
        key = json.loads(text.take_value())
        text.take(":")
        if key in LIST_KEYS and not has_list and text.peek() == "[":
            has_list = True
            yield from text.take_list()
        elif key in COMMENTS:
            lines.parse_json(text.take_value())
        else:
            raise _not_a_list()
        if text.peek() != "}":
            text.take(",")
    text.take("}")
    if not has_list:
        raise _not_a_list()


def _not_a_list() -> JsonError:
    message = f"golden cases in JSON must be a list, or a map with only that list under {_KEYS}"
    return JsonError(message, 'Write [{"vars": {…}, "expected": "…"}].')
