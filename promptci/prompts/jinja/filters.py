"""Filters, tests and methods of Jinja templates, each bounded by the size of what it is given."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    import jinja2.filters as jinja_filters
    import jinja2.utils as jinja_utils
else:
    jinja_filters = lazy_import("jinja2.filters")
    jinja_utils = lazy_import("jinja2.utils")

MAX_CHARS = 2**24
MAX_ITEMS = 100_000
MAX_INDENT = 200


class TemplateError(Exception):
    """A template cannot be filled in; the text says why."""


def _text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)


def _length(value: Any) -> int:
    return len(value)


def _replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    text, old_text, new_text = _text(value), _text(old), _text(new)
    times = text.count(old_text) if old_text else len(text) + 1
    if len(text) + times * len(new_text) > MAX_CHARS:
        raise TemplateError(f"`replace` makes a text of more than {MAX_CHARS:,} characters")
    return text.replace(old_text, new_text, count)


def _join(value: Any, separator: str = "", attribute: str | None = None) -> str:
    items = value if attribute is None else _map(value, attribute)
    texts = [_text(item) for item in items]
    if sum(map(len, texts)) + len(texts) * len(separator) > MAX_CHARS:
        raise TemplateError(f"`join` makes a text of more than {MAX_CHARS:,} characters")
    return separator.join(texts)


def _map(value: Any, attribute: str) -> list[Any]:
    return [look_up(item, attribute) for item in value]


def _sort(value: Any, reverse: bool = False, case_sensitive: bool = False, attribute: str | None = None) -> list[Any]:
    def key(item: Any) -> Any:
        part = item if attribute is None else look_up(item, attribute)
        return part.lower() if isinstance(part, str) and not case_sensitive else part

    return sorted(value, key=key, reverse=reverse)


def _unique(value: Any) -> list[Any]:
    by_key: dict[str, Any] = {}
    for item in value:
        key = item.lower() if isinstance(item, str) else json.dumps(item, sort_keys=True, default=str)
        by_key.setdefault(key, item)
    return list(by_key.values())


def _indent(value: Any, width: int = 4, first: bool = False, blank: bool = False) -> str:
    if not (isinstance(width, int) and 0 <= width <= MAX_INDENT):
        raise TemplateError(f"`indent` takes 0 to {MAX_INDENT} blanks")
    text = _text(value)
    if len(text) + width * (text.count("\n") + 1) > MAX_CHARS:
        raise TemplateError(f"`indent` makes a text of more than {MAX_CHARS:,} characters")
    return jinja_filters.do_indent(text, width, first, blank)


def _items(value: Any) -> list[tuple[Any, Any]]:
    if not isinstance(value, Mapping):
        raise TemplateError("`items` takes a map")
    return list(value.items())


def _int(value: Any, default: int = 0) -> int:
    return jinja_filters.do_int(value, default)


def _float(value: Any, default: float = 0.0) -> float:
    return jinja_filters.do_float(value, default)


def _sum(value: Any) -> float:
    return (
        float(sum(value)) if any(isinstance(item, float) for item in value) else int(sum(value))
    )  # without a start, so that no lists are joined


def _remainder(value: Any, divisor: Any) -> float:
    if not (isinstance(value, int | float) and isinstance(divisor, int | float)):
        raise TemplateError("a number is tested, and there is something else")  # `%` of a text would format it
    return float(value % divisor)


def _round(value: Any, precision: int = 0, method: str = "common") -> float:
    if not (isinstance(precision, int) and abs(precision) <= 20):
        raise TemplateError("`round` takes up to 20 digits")
    return float(jinja_filters.do_round(value, precision, method))  # type: ignore[arg-type]


def look_up(value: Any, name: str | int) -> Any:
    """Return an attribute by a name such as `order.id`; raises LookupError where there is none."""
    for part in str(name).split("."):
        is_index = part.isdecimal() and len(part) < 10 and isinstance(value, list | tuple)
        value = value[int(part)] if is_index else value[part] if isinstance(value, Mapping) else _missing(part)
    return value


def _missing(name: str) -> Any:
    raise LookupError(name)


FILTERS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "capitalize": lambda value: _text(value).capitalize(),
    "count": _length,
    "dictsort": lambda value: sorted(_items(value), key=lambda item: str(item[0]).lower()),
    "first": lambda value: next(iter(value)),
    "float": _float,
    "indent": _indent,
    "int": _int,
    "items": _items,
    "join": _join,
    "last": lambda value: list(value)[-1],
    "length": _length,
    "list": list,
    "lower": lambda value: _text(value).lower(),
    "map": _map,
    "replace": _replace,
    "reverse": lambda value: value[::-1] if isinstance(value, str) else list(value)[::-1],
    "round": _round,
    "safe": lambda value: value,
    "sort": _sort,
    "string": _text,
    "sum": _sum,
    "title": lambda value: jinja_filters.do_title(_text(value)),
    "tojson": lambda value: str(jinja_utils.htmlsafe_json_dumps(value, sort_keys=True)),
    "trim": lambda value, chars=None: _text(value).strip(chars),
    "unique": _unique,
    "upper": lambda value: _text(value).upper(),
    "wordcount": lambda value: len(_text(value).split()),
    # Evaluated where they stand, because they take what has no value:
    "d": _missing,
    "default": _missing,
}
"""Filters by name: the value and the arguments in, the result out."""

TESTS: dict[str, Callable[..., bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "divisibleby": lambda value, number: _remainder(value, number) == 0,
    "eq": lambda value, other: value == other,
    "equalto": lambda value, other: value == other,
    "even": lambda value: _remainder(value, 2) == 0,
    "false": lambda value: value is False,
    "ge": lambda value, other: value >= other,
    "gt": lambda value, other: value > other,
    "in": lambda value, other: value in other,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda value: isinstance(value, Iterable),
    "le": lambda value, other: value <= other,
    "lower": lambda value: str(value).islower(),
    "lt": lambda value, other: value < other,
    "mapping": lambda value: isinstance(value, Mapping),
    "ne": lambda value, other: value != other,
    "none": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float),
    "odd": lambda value: _remainder(value, 2) == 1,
    "sequence": lambda value: isinstance(value, list | tuple | str | Mapping),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "upper": lambda value: str(value).isupper(),
    # Evaluated where they stand, because they take what has no value:
    "defined": _missing,
    "undefined": _missing,
}
"""Tests by name: the value and the arguments in, whether it holds out."""

METHODS: dict[str, Callable[..., Any]] = {
    "capitalize": lambda value: _as_text(value).capitalize(),
    "endswith": lambda value, end: _as_text(value).endswith(end),
    "get": lambda value, key, default=None: _as_map(value).get(key, default),
    "items": lambda value: list(_as_map(value).items()),
    "join": lambda value, items: _join(items, _as_text(value)),
    "keys": lambda value: list(_as_map(value).keys()),
    "lower": lambda value: _as_text(value).lower(),
    "lstrip": lambda value, chars=None: _as_text(value).lstrip(chars),
    "replace": lambda value, old, new: _replace(_as_text(value), old, new),
    "rstrip": lambda value, chars=None: _as_text(value).rstrip(chars),
    "split": lambda value, separator=None: _as_text(value).split(separator),
    "splitlines": lambda value: _as_text(value).splitlines(),
    "startswith": lambda value, start: _as_text(value).startswith(start),
    "strip": lambda value, chars=None: _as_text(value).strip(chars),
    "title": lambda value: _as_text(value).title(),
    "upper": lambda value: _as_text(value).upper(),
    "values": lambda value: list(_as_map(value).values()),
}
"""Methods of texts and maps: the value and the arguments in, the result out."""


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TemplateError("a method of texts is called on something else")


def _as_map(value: Any) -> Mapping[Any, Any]:
    if isinstance(value, Mapping):
        return value
    raise TemplateError("a method of maps is called on something else")
