"""Variables of the first cases stay in memory, those of the others are read from disk, and nobody can tell which."""

import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.goldens.large.stored_variables import StoredVariables, VariableStore

VARIABLES = st.dictionaries(
    st.text(), st.none() | st.text() | st.integers() | st.lists(st.text(), max_size=2), max_size=4
)


@given(st.lists(VARIABLES, max_size=5))
def test_variables_are_read_as_they_were_written(written: list[dict[str, Any]]) -> None:
    store = VariableStore(0)
    stored = [store.add(variables) for variables in written]
    for variables, mapping in reversed(list(zip(written, stored, strict=True))):
        assert mapping == variables
        assert list(mapping) == list(variables)
        assert len(mapping) == len(variables)
        assert repr(mapping) == repr(variables)


def test_more_is_written_after_something_was_read() -> None:
    store = VariableStore(0)
    first = store.add({"text": "one"})
    assert first["text"] == "one"
    second = store.add({"text": "two"})
    assert (second["text"], first["text"]) == ("two", "one")


def test_a_variable_that_is_not_there_is_a_missing_key() -> None:
    stored = VariableStore(0).add({"text": "one"})
    assert stored.get("other") is None
    with pytest.raises(KeyError, match="other"):
        stored["other"]


def test_half_a_surrogate_pair_is_kept() -> None:
    assert VariableStore(0).add({"text": "\ud83d"})["text"] == "\ud83d"


def test_the_file_lives_as_long_as_a_mapping_reads_it() -> None:
    stored = VariableStore(0).add({"text": "one"})
    assert stored == {"text": "one"}


def test_another_process_gets_a_dictionary() -> None:
    stored = VariableStore(0).add({"text": "one"})
    copy = pickle.loads(pickle.dumps(stored))  # noqa: S301 - our own bytes
    assert isinstance(stored, StoredVariables)
    assert (type(copy), copy) == (dict, {"text": "one"})


def test_variables_stay_in_memory_while_there_is_room_and_are_read_from_disk_afterwards() -> None:
    store = VariableStore(100)
    variables = [{"text": f"{number}{'ü' * 20}", "more": [1, None, {"a": "é"}]} for number in range(4)]
    stored = [store.add(each) for each in variables]
    assert [isinstance(each, StoredVariables) for each in stored] == [False, True, True, True]
    assert [dict(each) for each in reversed(stored)] == variables[::-1]
    assert [(len(each), "text" in each, "input" in each) for each in stored] == [(2, True, False)] * 4
