import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.providers.base import COMPLETION_CODEC, Completion, Usage

texts = st.text(max_size=40)
tokens = st.integers(0, 2**40)
usages = st.builds(Usage, input_tokens=tokens, output_tokens=tokens, cached_input_tokens=tokens)
completions = st.builds(
    Completion,
    text=texts,
    usage=st.none() | usages,
    latency_ms=st.none() | st.floats(0, 1e7),
    model=st.none() | texts,
    fingerprint=st.none() | texts,
    finish_reason=st.none() | texts,
    refusal=st.none() | texts,
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
    max_leaves=8,
)


@given(completion=completions)
def test_what_is_written_is_read_back_equal(completion: Completion) -> None:
    assert COMPLETION_CODEC.from_json(json.loads(json.dumps(COMPLETION_CODEC.to_json(completion)))) == completion


@given(completion=completions)
def test_the_unknown_is_left_out_and_not_written_as_something(completion: Completion) -> None:
    assert None not in COMPLETION_CODEC.to_json(completion).values()


@given(value=json_values)
def test_no_value_breaks_the_reader(value: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        COMPLETION_CODEC.from_json(value)


KEYS = ["text", "usage", "latency_ms", "model", "fingerprint", "finish_reason", "refusal"]


@given(key=st.sampled_from(KEYS), value=json_values)
def test_no_field_breaks_the_reader(key: str, value: Any) -> None:
    try:
        completion = COMPLETION_CODEC.from_json({"text": "x", key: value})
    except ValueError:
        return
    assert isinstance(completion.text, str)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "should be an object"),
        ({}, "`text` is missing"),
        ({"text": 5}, "`text`: input should be a valid string"),
        ({"text": "", "typo": 1}, "unknown key `typo`"),
        ({"text": "", "usage": {"input_tokens": 1}}, "`usage.output_tokens` is missing"),
        (
            {"text": "", "usage": {"input_tokens": True, "output_tokens": 1}},
            "`usage.input_tokens`: input should be a valid integer",
        ),
        ({"text": "", "usage": 5}, "`usage`"),
        ({"text": "", "latency_ms": -1}, "`latency_ms`"),
        ({"text": "", "latency_ms": float("nan")}, "`latency_ms`"),
    ],
)
def test_what_is_wrong_is_named(value: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        COMPLETION_CODEC.from_json(value)
