import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.providers.base import Usage
from promptci.providers.http import response_parser
from promptci.providers.http.retry import AttemptFailed

WALL = 1_700_000_000.0
KEYS = ["choices", "message", "content", "error", "refusal", "usage", "finish_reason", "tool_calls", "text", "code"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.sampled_from(KEYS), children, max_size=4),
    max_leaves=12,
)
bodies = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({"message": json_values, "finish_reason": json_values}), min_size=1)},
    optional={"usage": json_values, "error": json_values, "model": json_values},
)


@given(raw=json_values | bodies | st.text())
def test_whatever_an_endpoint_sends_is_an_answer_or_a_failed_attempt(raw: Any) -> None:
    with contextlib.suppress(AttemptFailed):
        completion = response_parser.parse_completion(raw, latency_ms=1.0, wall=WALL)
        assert isinstance(completion.text, str)
        completion.text.encode()


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 3.0, "completion_tokens": 1}, Usage(input_tokens=3, output_tokens=1)),
        ({"prompt_tokens": 3.5, "completion_tokens": 1}, None),
        ({"prompt_tokens": True, "completion_tokens": 1}, None),
        ({"prompt_tokens": 2**60, "completion_tokens": 1}, None),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"prompt_tokens": 9, "completion_tokens": 0}, None),  # there is a text
        # Google: the tokens of reasoning are only in the total
        ({"prompt_tokens": 50, "completion_tokens": 5, "total_tokens": 955}, Usage(input_tokens=50, output_tokens=905)),
        ({"prompt_tokens": 50, "completion_tokens": 5, "total_tokens": 3}, Usage(input_tokens=50, output_tokens=5)),
        (
            {"prompt_tokens": 3, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 99}},
            Usage(input_tokens=3, output_tokens=1, cached_input_tokens=3),
        ),
    ],
)
def test_tokens_are_counted_or_unknown_and_never_guessed(usage: Any, expected: Usage | None) -> None:
    body = {"choices": [{"message": {"content": "x"}}], "usage": usage}

    assert response_parser.parse_completion(body, latency_ms=None, wall=WALL).usage == expected
