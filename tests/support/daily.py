"""Parameters of a test of which a few are tried daily, and the rest with the tests that take long."""

from collections.abc import Iterable
from typing import Any

import pytest


def first_daily(values: Iterable[Any], count: int = 1) -> list[Any]:
    """Return the values, all after the first `count` with the mark `long`; a tuple is several arguments."""
    return [
        pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=[pytest.mark.long] * (index >= count))
        for index, value in enumerate(values)
    ]
