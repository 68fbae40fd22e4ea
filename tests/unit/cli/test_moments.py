"""A time that cannot be read is answered by examples of times, not by the codes of their formats."""

import click
import pytest

from promptci.cli.options import Moment


def test_a_mistyped_time_is_answered_by_examples() -> None:
    with pytest.raises(click.BadParameter) as error:
        Moment("%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%d").convert("yesterday", None, None)
    assert error.value.message == "`yesterday` is not a time; write it like 2026-03-02T10:00:00Z or 2026-03-02."
