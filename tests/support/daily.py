"""Parameters of a test of which a few are tried daily, and the rest with the tests that take long."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def first_daily(values: Iterable[Any], count: int = 1) -> list[Any]:
    """Return the values, all after the first `count` with the mark `long`; a tuple is several arguments."""
    return [_parameter(value, daily=index < count) for index, value in enumerate(values)]


def some_daily(values: Collection[Any], count: int) -> list[Any]:
    """Return the values, all but `count` of them with the mark `long`: the first, and others at even distances."""
    size = len(values)
    return [
        _parameter(value, daily=index * count // size != (index - 1) * count // size)
        for index, value in enumerate(values)
    ]


def _parameter(value: Any, *, daily: bool) -> Any:
    arguments = value if isinstance(value, tuple) else (value,)
    return pytest.param(*arguments, marks=() if daily else pytest.mark.long)
