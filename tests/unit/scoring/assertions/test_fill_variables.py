"""Variables that are filled into an assertion's value."""

import gc
import weakref
from typing import Any

from promptci.goldens.model import Case
from promptci.scoring.assertions.base import fill_variables


class Text(str):  # noqa: SLOT000 - slots would leave no room for a weak reference
    """A text of which a test can see whether it is still in memory."""


def make_case(**variables: Any) -> Case:
    return Case(id="c1", vars=variables, expected="GH-1", path="goldens/g.jsonl", line=1)


def test_every_text_within_a_value_is_filled_in() -> None:
    case = make_case(city="Köln", text="x")
    value = {"a": ["{{city}}", 3], "b": {"c": "{{expected}} in {{city}}"}}
    assert fill_variables(value, case) == {"a": ["Köln", 3], "b": {"c": "GH-1 in Köln"}}


def test_the_variables_of_a_case_are_not_kept_until_garbage_is_collected() -> None:
    text = Text("long " * 100)
    alive = weakref.ref(text)
    gc.disable()
    try:
        assert fill_variables(["{{expected}}"], make_case(text=text)) == ["GH-1"]
        del text
        assert alive() is None
    finally:
        gc.enable()
