"""Fill variables into a template: `{{name}}` and `{{a.b}}`, without logic and in a single pass.

A value that itself holds `{{other}}` stays as it is, where GitHub's own runner may or may not expand it.
"""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

VARIABLE = re.compile(r"\{\{\s*(\w[\w-]*(?:\.[\w-]+)*)\s*\}\}")
_TEMPLATE_SYNTAX = re.compile(r"\{\{[^{}]*\}\}|\{%.{0,300}?%\}|\{\#.{0,300}?\#\}|\{\{(?!\{)[^{}\n]{0,40}\}?", re.DOTALL)
"""What engines such as Jinja and Handlebars would fill in, and a variable whose braces are not closed."""
_MAX_INDEX_DIGITS = 9
MAX_MESSAGE_CHARS = 2**24
"""Of one filled-in message: more than any model reads, and little enough memory."""


class MissingVariable(Exception):  # noqa: N818 - it names what is missing, not a fault
    """A template uses a variable that has no value."""

    def __init__(self, name: str) -> None:
        """Keep the name as the template writes it."""
        super().__init__(name)
        self.name = name


class MessageTooLong(Exception):  # noqa: N818 - it says what is wrong with the message, as MissingVariable does
    """A message is longer than `MAX_MESSAGE_CHARS` once its variables are filled in."""


def render(template: str, variables: Mapping[str, Any], *, max_chars: float = math.inf) -> str:
    """Fill in the variables.

    Raises
    ------
    MissingVariable
        For the first variable without a value.
    MessageTooLong
        Before a text longer than `max_chars` is put together.
    """
    length = len(template)

    def fill(match: re.Match[str]) -> str:
        nonlocal length
        value = format_value(look_up_variable(match[1], variables))
        length += len(value)
        if length > max_chars:
            raise MessageTooLong
        return value

    return VARIABLE.sub(fill, template)


def find_variables(template: str) -> set[str]:
    """Return the names that a template uses."""
    return set(VARIABLE.findall(template))


def find_unfilled_braces(template: str) -> list[str]:
    """Return the template syntax that is no variable, such as `{{ a | b }}` and `{% if a %}`: it is sent unchanged."""
    return [text.strip() for text in _TEMPLATE_SYNTAX.findall(template) if not VARIABLE.fullmatch(text)]


def look_up_variable(name: str, variables: Mapping[str, Any]) -> Any:
    """Return the value of `name`: the variable of exactly that name, else `a.b` by steps into maps and lists."""
    if name in variables:
        return variables[name]
    value: Any = variables
    for part in name.split("."):
        if isinstance(value, Mapping) and part in value:
            value = value[part]
        elif isinstance(value, list) and _is_index(part) and int(part) < len(value):
            value = value[int(part)]
        else:
            raise MissingVariable(name)
    return value


def _is_index(part: str) -> bool:
    return part.isdecimal() and len(part) <= _MAX_INDEX_DIGITS


def format_value(value: Any) -> str:
    """Return a value as text: text unchanged, everything else as JSON (so `true`, not `True`)."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
