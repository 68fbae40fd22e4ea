"""Bytes to text, and JSON lines to values: strictly, with every bad line named and nothing guessed."""

import codecs
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

from promptci.errors import InputError, Problem

MAX_DEPTH = 50
"""Lists and maps within each other; deeper data is a bomb, not a case."""
MAX_PROBLEMS = 100
"""Bad lines of one file that are named; a file that is no JSONL at all has one on every line."""
MAX_EQUAL_PROBLEMS = 3
"""Lines that are named for one and the same problem."""

_GIT_LFS = b"version https://git-lfs"
_MARKS = {  # longest first: UTF-32's mark begins with UTF-16's
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
_SAVE = "Save it as UTF-8."
# The closing quote is optional so that an open string costs one pass, not one per quote.
_CONFLICT = re.compile(r"^(?:(?:<{7}|>{7}) |={7}$)", re.MULTILINE)
CONFLICT_ADVICE = "Resolve the merge conflict that is left in the file."
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


def decode_utf8(data: bytes, path: str) -> str:
    """Return the text of a file: UTF-8, with or without a byte order mark, its line endings made those of Unix.

    Raises
    ------
    InputError
        For another encoding, a NUL byte, or a Git LFS pointer in place of the file.
    """
    if data.startswith(_GIT_LFS):
        fix = "Keep the file in git itself: run `git lfs untrack` for it and add it again."
        raise _refusal(path, 1, "this is a Git LFS pointer, not the file's content", fix)
    for mark, name in _MARKS.items():
        if data.startswith(mark):
            raise _refusal(path, 1, f"the file is {name}", _SAVE)
    data = data.removeprefix(codecs.BOM_UTF8)
    if (at := data.find(b"\0")) >= 0:
        raise _refusal(path, _line_at(data, at), "the file holds a NUL byte: it is binary, or UTF-16", _SAVE)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        byte = f"0x{data[error.start]:02X}"
        message = f"the file is not UTF-8: byte {byte} (perhaps it is Latin-1 or Windows-1252)"
        raise _refusal(path, _line_at(data, error.start), message, _SAVE) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


class JsonError(ValueError):
    """A text is not the JSON that every tool reads alike."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def parse_json(text: str, max_number: float = math.inf) -> Any:
    """Return the value of one JSON text.

    Refused, besides bad syntax, is all on which JSON readers differ: NaN and Infinity, a key given twice, a number
    over 64 bits, half a surrogate pair, and nesting deeper than `MAX_DEPTH`. So is a fraction whose absolute value is
    over `max_number`.

    Raises
    ------
    JsonError
        With what is wrong and what to do.
    """
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise JsonError(f"lists and maps are nested deeper than {MAX_DEPTH}", "Flatten the value.")
    try:
        value = _decoder(max_number).decode(text)
    except json.JSONDecodeError as error:
        raise JsonError(f"not valid JSON: {error.msg} at column {error.colno}", _advice(text)) from error
    if "\\u" in text:
        check_text(json.dumps(value, ensure_ascii=False))
    return value


def parse_jsonl(text: str, path: str) -> tuple[list[tuple[int, Any]], list[Problem]]:
    """Return the (line number, value) pairs of a JSONL text and a Problem for each line that cannot be read.

    Blank lines are skipped. At most `MAX_PROBLEMS` lines are named.
    """
    values: list[tuple[int, Any]] = []
    problems: list[Problem] = []
    unread = 0
    for number, line in _list_filled_lines(text):
        try:
            values.append((number, parse_json(line)))
        except JsonError as error:
            unread += 1
            if unread <= MAX_PROBLEMS:
                problems.append(Problem(path=path, line=number, message=error.message, hint=error.hint))
    if unread > MAX_PROBLEMS:
        fix = "Write one JSON object on each line."
        problems.append(Problem(path=path, message=f"{unread - MAX_PROBLEMS} more lines cannot be read", hint=fix))
    return values, problems


def check_text(text: str) -> str:
    """Return the text back; refuse half a surrogate pair, which no file and no request can carry."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        code = f"\\u{ord(text[error.start]):04x}"
        raise JsonError(f"`{code}` is half of a surrogate pair", "Write the whole character.") from error
    return text


def check_number(number: float) -> float:
    """Return the number back; refuse one that is infinite or NaN, or a whole one over 64 bits."""
    if isinstance(number, int):
        if not -(2**63) <= number < 2**64:
            raise JsonError("a whole number is over 64 bits", "Write it as text, in quotes.")
    elif not math.isfinite(number):
        raise JsonError("a number is too large or is not a number", "Write a finite number, or text in quotes.")
    return number


def _integer(digits: str) -> float:
    if len(digits) > 20:  # also keeps Python from converting ten thousand digits
        raise JsonError("a whole number is over 64 bits", "Write it as text, in quotes.")
    return check_number(int(digits))


def _constant(name: str) -> Any:
    raise JsonError(f"{name} is not JSON", "Write a finite number, null, or text in quotes.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise JsonError(f"the key `{twice}` stands twice in one object", "Keep one of them.")
    return value


@cache
def _decoder(max_number: float) -> json.JSONDecoder:
    def parse_float(digits: str) -> float:
        number = check_number(float(digits))
        if abs(number) > max_number:
            raise JsonError(f"a number is over {max_number:g}", "Write a smaller number.")
        return number

    return json.JSONDecoder(
        object_pairs_hook=_unique, parse_int=_integer, parse_float=parse_float, parse_constant=_constant
    )


def _depth(text: str) -> int:
    deepest = depth = 0
    for token in _TOKENS.finditer(text):
        sign = token.group()
        if sign in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif sign in "]}":
            depth -= 1
    return deepest


def has_conflict(text: str) -> bool:
    """Return whether git's marks of an unresolved merge are left in a text."""
    return _CONFLICT.search(text) is not None


def _advice(text: str) -> str:
    stripped = text.strip()
    if has_conflict(stripped):
        return CONFLICT_ADVICE
    if stripped.endswith(("},", "],")):
        return "Remove the comma at the end of the line."
    if stripped in {"[", "{", "]", "}"}:
        return "Write each object on one line, without a list around them."
    if stripped.startswith("{'"):
        return "Write \" in place of '."
    return "Fix the JSON."


def _list_filled_lines(text: str) -> Iterator[tuple[int, str]]:
    # Only "\n" ends a line: splitlines() would cut at U+2028, which JSON allows within a string.
    return ((number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip())


def _line_at(data: bytes, offset: int) -> int:
    ends = data.count(b"\n", 0, offset)
    return 1 + (ends or data.count(b"\r", 0, offset))


def _refusal(path: str, line: int, message: str, fix: str) -> InputError:
    return InputError([Problem(path=path, line=line, message=message, hint=fix)])


def limit_problems(problems: list[Problem], path: str) -> list[Problem]:
    """Return a readable number of problems: a file in another format has one on every line.

    The same one on many lines stands there for the first few, the last of which counts the others.
    """
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.message, problem.hint), []).append(problem)
    problems = [problem for group in groups.values() for problem in _summarize_equal(group)]
    excess = len(problems) - MAX_PROBLEMS
    if excess <= 0:
        return problems
    summary = Problem(path=path, message=f"{excess} more problems in this file", hint="Fix the ones above first.")
    return [*sorted(problems, key=lambda p: p.line or 0)[:MAX_PROBLEMS], summary]


def _summarize_equal(group: list[Problem]) -> list[Problem]:
    first = group[:MAX_EQUAL_PROBLEMS]
    if others := len(group) - len(first):
        count = "1 more line has" if others == 1 else f"{others} more lines have"
        first[-1] = replace(first[-1], message=f"{first[-1].message} ({count} the same problem)")
    return first
