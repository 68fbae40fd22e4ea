"""Lazy dataclasses: like the standard library's in all that can be seen of them, and compiled when first used."""

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from promptci import lazy_dataclass
from promptci.providers.base import Usage


def define(decorate: Callable[..., Any]) -> Any:
    @decorate(frozen=True, kw_only=True, slots=True)
    class Sample:
        name: str
        size: int = 3
        tags: list[str] = field(default_factory=list, hash=False)
        note: str = field(default="", repr=False, compare=False)
        doubled: int = field(init=False, compare=False)
        cached: str | None = field(default=None, init=False, repr=False, compare=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "doubled", 2 * self.size)

    return Sample


STANDARD, LAZY = define(dataclass), define(lazy_dataclass.dataclass)
values = st.fixed_dictionaries(
    {"name": st.text(max_size=3)},
    optional={
        "size": st.integers(0, 2),
        "tags": st.lists(st.text(max_size=2), max_size=2),
        "note": st.text(max_size=2),
    },
)


@given(values, values)
def test_it_is_what_the_standard_library_makes(first: dict[str, Any], second: dict[str, Any]) -> None:
    (standard, other_standard), (lazy, other) = ((cls(**first), cls(**second)) for cls in (STANDARD, LAZY))
    assert (lazy == other, lazy != other) == (standard == other_standard, standard != other_standard)
    assert hash(lazy) == hash(standard)
    assert repr(lazy) == repr(standard)
    assert dataclasses.asdict(lazy) == dataclasses.asdict(standard)
    assert dataclasses.asdict(dataclasses.replace(lazy, size=7)) == dataclasses.asdict(
        dataclasses.replace(standard, size=7)
    )
    assert copy.deepcopy(lazy) == lazy
    assert lazy != standard


def test_no_field_can_be_set_or_deleted_and_no_other_added() -> None:
    sample = LAZY(name="a")
    for name in ("name", "other"):
        with pytest.raises(FrozenInstanceError, match=name):
            setattr(sample, name, "b")
        with pytest.raises(FrozenInstanceError, match=name):
            delattr(sample, name)
    assert not hasattr(sample, "__dict__")


@pytest.mark.parametrize("arguments", [{}, {"name": "a", "other": 1}, {"name": "a", "doubled": 1}])
def test_wrong_arguments_are_refused_in_the_same_words(arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError) as standard:
        STANDARD(**arguments)
    with pytest.raises(TypeError) as lazy:
        LAZY(**arguments)
    assert str(lazy.value) == str(standard.value)


def test_arguments_may_have_places_and_a_subclass_its_own_fields() -> None:
    @lazy_dataclass.dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 0

    @lazy_dataclass.dataclass(frozen=True, slots=True)
    class Spot(Point):
        name: str = ""

    assert (Spot(1, 2, "a").name, Spot(1).y) == ("a", 0)
    assert Spot(1, 2) == Spot(1, y=2)
    assert Point(1, 2) != Spot(1, 2)


def test_a_class_keeps_the_methods_that_it_writes_itself() -> None:
    @lazy_dataclass.dataclass(frozen=True)
    class Own:  # noqa: PLW1641 - the decorator adds it
        value: int

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own)

    @lazy_dataclass.dataclass(frozen=True, eq=False)
    class Identity:
        value: int

    assert repr(Own(1)) == "own"
    assert Own(1) == Own(2)
    assert hash(Own(1)) == hash(Own(1)) != hash(Own(2))
    assert Identity(1) != Identity(1)
    assert len({Identity(1), Identity(1)}) == 2


def test_instances_can_be_pickled() -> None:
    usage = Usage(input_tokens=1, output_tokens=2)
    assert pickle.loads(pickle.dumps(usage)) == usage  # noqa: S301 - made here


def test_pydantic_validates_before_any_instance_was_made() -> None:
    fresh = define(lazy_dataclass.dataclass)
    adapter = TypeAdapter(fresh)
    assert adapter.validate_python({"name": "a"}) == fresh(name="a")
    assert adapter.validate_python({"name": "a"}).doubled == 6
    with pytest.raises(ValidationError):
        adapter.validate_python({"size": 1})


def test_a_method_is_compiled_when_it_is_first_called() -> None:
    fresh = define(lazy_dataclass.dataclass)
    before = fresh.__init__
    sample = fresh(name="a")
    assert fresh.__init__ is not before
    assert fresh.__init__.__qualname__ == f"{fresh.__qualname__}.__init__"
    before(sample, name="b")  # as a subclass may, which looked it up before
    assert sample.name == "b"


def test_what_is_not_frozen_is_the_standard_library_s() -> None:
    @lazy_dataclass.dataclass(slots=True)
    class Changing:
        value: int

    changing = Changing(1)
    changing.value = 2
    assert changing == Changing(2)
