"""One-line JavaScript and regular expressions of promptfoo in promptci's terms. No code is run."""

import re
from typing import Any

_FIELD = re.compile(
    r"\s*JSON\.parse\(output\)((?:\.[A-Za-z_]\w*|\[\d+\])+)\s*(?P<operator>[!=]==?)\s*"
    r"(?P<value>'[^'\\]*'|\"[^\"\\]*\"|-?\d+(?:\.\d+)?|true|false)\s*;?\s*"
)
_LENGTH = re.compile(r"\s*output\.length\s*(?P<operator><=?|>=?|===?)\s*(?P<number>\d{1,9})\s*;?\s*")
_INCLUDES = re.compile(
    r"\s*(?P<no>!?)output(?P<lower>\.toLowerCase\(\))?\.(?P<name>includes|startsWith)"
    r"\((?P<text>'[^'\\]*'|\"[^\"\\]*\")\)\s*;?\s*"
)
_EQUAL = re.compile(r"\s*output(?P<trim>\.trim\(\))?\s*(?P<operator>[!=]==)\s*(?P<text>'[^'\\]*'|\"[^\"\\]*\")\s*;?\s*")
_LITERALS: dict[str, Any] = {"true": True, "false": False}
_REGEX_PARTS = re.compile(
    r"\\(?P<escape>.)|(?P<open>\[\^?)|(?P<close>\])|(?P<group>\(\?[^:=!<]|\(\?<[^=!A-Za-z_])|(?P<other>.)", re.DOTALL
)
_WORD = "A-Za-z0-9_"
_ESCAPES = {
    "d": "[0-9]", "D": "[^0-9]", "w": f"[{_WORD}]", "W": f"[^{_WORD}]",
    "b": f"(?:(?<![{_WORD}])(?=[{_WORD}])|(?<=[{_WORD}])(?![{_WORD}]))",
}  # fmt: skip
_CLASS_ESCAPES = {"d": "0-9", "w": _WORD}
_SAME_ESCAPES = frozenset("nrtfvsS0\\/^$.*+?()[]{}|-\"'`,:;!@#%&=<>~_ ")
"""Characters that mean the same after a backslash."""


class UntranslatableError(ValueError):
    """Code that has no counterpart here."""


def translate_javascript(text: str) -> dict[str, Any]:
    """Return what a line of JavaScript checks, where it compares a field, a length or a part of the text."""
    if match := _LENGTH.fullmatch(text):
        number, operator = int(match["number"]), match["operator"]
        bound = number + {"<": -1, ">": 1}.get(operator, 0)
        if bound < 0:
            raise UntranslatableError("javascript")
        keys = ("min", "max") if operator.startswith("=") else ("max",) if operator.startswith("<") else ("min",)
        return {"type": "length", **dict.fromkeys(keys, bound), "unit": "utf16"}
    if (match := _INCLUDES.fullmatch(text)) and len(match["text"]) > 2:
        return _translate_search(match)
    if match := _EQUAL.fullmatch(text):
        prefix = "not-" if match["operator"].startswith("!") else ""
        trim = "response" if match["trim"] else False
        return {"type": f"{prefix}equals", "value": match["text"][1:-1], "trim": trim}
    if match := _FIELD.fullmatch(text):
        return _translate_field(match)
    raise UntranslatableError("javascript")


def _translate_search(match: re.Match[str]) -> dict[str, Any]:
    value, prefix = match["text"][1:-1], "not-" if match["no"] else ""
    if match["lower"] and value != value.lower():
        raise UntranslatableError("javascript")  # it never holds
    if match["name"] == "startsWith":
        ignored = {"ignore_case": True} if match["lower"] else {}
        return {"type": f"{prefix}starts-with", "value": value, "trim": False, **ignored}
    if match["lower"]:
        return {"type": f"{prefix}icontains", "value": value}
    return {"type": f"{prefix}contains", "value": value, **({"ignore_case": False} if prefix else {})}


def _translate_field(match: re.Match[str]) -> dict[str, Any]:
    written = match["value"]
    value = written[1:-1] if written[0] in "'\"" else _LITERALS.get(written)
    if value is None:
        value = float(written) if "." in written else int(written)
    if not match["operator"].startswith("!"):
        return {"type": "json-path", "path": f"${match[1]}", "value": value}
    if len(re.findall(r"[.\[]", match[1])) > 1:
        raise UntranslatableError("javascript")  # it fails where the way to the field ends early
    # An answer that is no JSON, or null, makes promptfoo's line fail, whichever way it compares.
    field = {"type": "not-json-path", "path": f"${match[1]}", "value": value}
    return {"type": "assert-set", "assert": [{"type": "json-schema", "value": {"not": {"type": "null"}}}, field]}


def translate_regex(pattern: str) -> str:
    """Return a pattern of JavaScript in the syntax of Python's `regex` package; raise UntranslatableError."""
    translated: list[str] = []
    is_class = False
    for part in _REGEX_PARTS.finditer(pattern):
        if part["group"]:
            raise UntranslatableError(f"the group `{part['group']}` of a regular expression")
        if part["escape"]:
            translated.append(_translate_escape(part["escape"], is_class=is_class))
        elif part["open"] and not is_class:
            is_class = True
            translated.append(part["open"])
        elif part["close"] and is_class:
            is_class = False
            translated.append("]")
        else:
            written = part[0]
            plain = {"$": r"\Z", ".": r"[^\n\r\u2028\u2029]"}.get(written, written)
            translated.append("".join(f"\\{mark}" if mark == "[" else mark for mark in written) if is_class else plain)
    if re.search(r"\[\^?\](?!.*\])|[*+?}]\+", "".join(translated)) or is_class:
        raise UntranslatableError("a regular expression that Python reads otherwise")
    return "".join(translated)


def _translate_escape(letter: str, *, is_class: bool) -> str:
    if is_class and letter in _CLASS_ESCAPES:
        return _CLASS_ESCAPES[letter]
    if not is_class and letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter in _SAME_ESCAPES or (letter.isdigit() and not is_class):
        return f"\\{letter}" if letter != "/" else "/"
    if letter in "ux":
        return f"\\{letter}"
    raise UntranslatableError(f"`\\{letter}` of a regular expression")
