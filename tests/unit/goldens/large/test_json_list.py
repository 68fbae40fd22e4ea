"""Cases of a JSON file that is read as a stream: the same files are understood as where it is read whole."""

import io
import json
from typing import Any

import pytest

from promptci.files.lines import JsonError
from promptci.goldens.formats.containers import COMMENTS, LIST_KEYS
from promptci.goldens.large.json_list import iterate_cases

CASES = [{"input": "a"}, {"input": "b"}]


def read(text: str) -> list[Any]:
    return [json.loads(element) for _, element in iterate_cases(io.StringIO(text))]


def test_a_list_is_read_case_by_case() -> None:
    assert read(json.dumps(CASES)) == CASES


@pytest.mark.parametrize("key", LIST_KEYS)
def test_a_map_with_the_list_and_comments_is_read(key: str) -> None:
    comments = {comment: {"any": ["value"]} for comment in sorted(COMMENTS)}
    assert read(json.dumps({**comments, key: CASES})) == CASES
    assert read(json.dumps({key: CASES, **comments})) == CASES


def test_an_empty_file_has_no_cases() -> None:
    assert read(" \n") == []


@pytest.mark.parametrize(
    "value",
    [5, "cases", {}, {"name": "only"}, {"cases": {}}, {"cases": CASES, "other": 1}, {"cases": CASES, "tests": CASES}],
)
def test_what_says_more_than_a_list_of_cases_is_refused(value: Any) -> None:
    with pytest.raises(JsonError, match="must be a list, or a map with only that list"):
        read(json.dumps(value))


@pytest.mark.parametrize("text", ["[] []", '{"cases": []} 1'])
def test_text_after_the_end_is_refused(text: str) -> None:
    with pytest.raises(JsonError, match="text after its end"):
        read(text)
