"""Embeddings: a request of its own kind, the vector as an answer's text, over a real server that may misbehave."""

import contextlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from fakes.asking import ask
from fakes.openai_server import OpenAIServer, Reply, bag_of_words, embedding, error, reply
from hypothesis import given
from hypothesis import strategies as st

from promptci.providers import base
from promptci.providers.base import CallError, Completion, Request, Usage
from promptci.providers.http import response_parser
from promptci.providers.http.retry import AttemptFailed

WALL = 1_700_000_000.0
VECTORS = st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["data", "embedding", "usage", "error", "code", "model"]), inner, max_size=4)
    ),
    max_leaves=12,
)


async def embed(base_url: str, text: str = "where is my parcel") -> Completion | CallError:
    (result,) = await ask(base_url, base.make_embedding_request("embed-1", text))
    return result


def serving(wire: Reply) -> OpenAIServer:
    return OpenAIServer(embed=lambda _: wire)


async def test_the_vector_of_a_text_is_the_answer_s_text() -> None:
    with OpenAIServer() as server:
        result = await embed(server.base_url)

    assert isinstance(result, Completion)
    assert json.loads(result.text) == bag_of_words("where is my parcel")
    assert " " not in result.text
    assert (result.model, result.usage) == ("embed-1", Usage(input_tokens=4, output_tokens=0))
    assert result.latency_ms is not None
    (call,) = server.calls
    assert call.path == "/v1/embeddings"
    assert call.body == {"model": "embed-1", "input": "where is my parcel", "encoding_format": "float"}


def test_the_key_of_a_chat_request_is_what_recordings_hold() -> None:
    chat = Request(model="m", messages=({"role": "user", "content": "hi"},), parameters={"temperature": 0})

    assert chat.key == "58d05abd45d38510e9776daf5b6f499657eac7ced020e225a8f5bf6017212c9d"


@given(
    model=st.text(max_size=3),
    text=st.text(max_size=3),
    parameters=st.dictionaries(st.sampled_from(["input", "model", "n"]), st.text(max_size=3), max_size=3),
)
def test_an_embedding_never_shares_a_key_with_a_chat(model: str, text: str, parameters: Mapping[str, str]) -> None:
    vector = base.make_embedding_request(model, text)
    for messages in (vector.messages, ()):
        assert vector.key != Request(model=model, messages=messages, parameters=parameters).key
    assert (
        vector.key == base.make_embedding_request(model, text).key != base.make_embedding_request(model, f"{text}x").key
    )


@given(VECTORS)
def test_a_vector_keeps_its_numbers_to_seven_digits(vector: list[float]) -> None:
    completion = response_parser.parse_embedding(embedding(vector), latency_ms=None, wall=WALL)
    read = json.loads(completion.text)

    assert read == pytest.approx(vector, rel=1e-6)
    assert all(len(Decimal(repr(number)).normalize().as_tuple().digits) <= 7 for number in read)
    again = response_parser.parse_embedding(embedding(read), latency_ms=None, wall=WALL)
    assert again.text == completion.text


@given(raw=JSON_VALUES | st.fixed_dictionaries({"data": JSON_VALUES}) | st.text())
def test_whatever_an_endpoint_sends_is_a_vector_or_a_failed_attempt(raw: Any) -> None:
    with contextlib.suppress(AttemptFailed):
        completion = response_parser.parse_embedding(raw, latency_ms=1.0, wall=WALL)
        vector = json.loads(completion.text)
        assert vector
        assert all(math.isfinite(number) for number in vector)


def data(*rows: Any) -> Reply:
    return reply({**embedding([1.0]), "data": list(rows)})


MALFORMED: dict[str, Reply] = {
    "a chat completion": reply({"choices": [{"message": {"content": "hi"}}]}),
    "a list": reply([1.0, 2.0]),
    "half of JSON": Reply(body=b'{"data":[{"embedding":[1.0,'),
    "no data": reply({"model": "m"}),
    "no text's vector": data(),
    "two texts' vectors": data({"embedding": [1.0]}, {"embedding": [2.0]}),
    "a row that is none": data([1.0]),
    "a row without vector": data({"index": 0}),
    "base64": data({"embedding": "AACAPwAAAEA="}),
    "empty": data({"embedding": []}),
    "a text among the numbers": data({"embedding": [1.0, "2"]}),
    "null among the numbers": data({"embedding": [None]}),
    "true among the numbers": data({"embedding": [True]}),
    "vectors of tokens": data({"embedding": [[1.0, 2.0]]}),
    "NaN": data({"embedding": [1.0, math.nan]}),
    "infinity": data({"embedding": [math.inf]}),
    "beyond every float": data({"embedding": [10**400]}),
    "beyond every float, written short": Reply(body=b'{"data":[{"embedding":[1e999]}]}'),
}


@pytest.mark.parametrize("wire", MALFORMED.values(), ids=MALFORMED)
async def test_an_answer_that_is_no_vector_is_malformed_after_three_attempts(wire: Reply) -> None:
    with serving(wire) as server:
        failed = await embed(server.base_url)

    assert isinstance(failed, CallError)
    assert (failed.kind, failed.fatal, len(server.calls)) == ("malformed", False, 3)


FAILED: dict[str, tuple[Reply, str, bool, str]] = {
    "no such route": (error(404, "not found"), "not-found", True, "ends where /embeddings follows"),
    "wrong key": (error(401), "auth", True, "provider.api_key_env"),
    "filtered": (error(400, "filtered", code="content_filter"), "bad-request", False, "filtered"),
    "too long": (error(400, "maximum context length is 8192 tokens"), "context-length", False, "too long"),
    "error within 200": (reply({"error": {"code": 400, "message": "bad input"}}), "bad-request", False, "bad input"),
    "no such model": (reply({"error": {"code": 400, "message": "no such model"}}), "not-found", True, "may use it"),
}


@pytest.mark.parametrize(("wire", "kind", "fatal", "words"), FAILED.values(), ids=FAILED)
async def test_what_will_not_pass_is_asked_once_and_explained(wire: Reply, kind: str, fatal: bool, words: str) -> None:
    with serving(wire) as server:
        failed = await embed(server.base_url)

    assert isinstance(failed, CallError)
    assert (failed.kind, failed.fatal, len(server.calls)) == (kind, fatal, 1)
    assert words in failed.message


@pytest.mark.parametrize("wire", [error(429), error(503), Reply(silent=True, end="reset"), MALFORMED["NaN"]])
async def test_what_passes_is_asked_again(wire: Reply) -> None:
    with OpenAIServer(faults={0: wire}) as server:
        result = await embed(server.base_url)

    assert isinstance(result, Completion)
    assert len(server.calls) == 2


@pytest.mark.parametrize(
    ("usage", "counted"),
    [
        ({"prompt_tokens": 5, "total_tokens": 5}, Usage(input_tokens=5, output_tokens=0)),
        ({"prompt_tokens": 5, "completion_tokens": 0}, Usage(input_tokens=5, output_tokens=0)),
        ({"total_tokens": 5}, None),
        (None, None),
        ([5], None),
    ],
)
async def test_tokens_are_counted_or_unknown(usage: Any, counted: Usage | None) -> None:
    with serving(reply({**embedding([1.0]), "usage": usage})) as server:
        result = await embed(server.base_url)

    assert isinstance(result, Completion)
    assert result.usage == counted


async def test_chats_and_embeddings_go_to_their_own_routes() -> None:
    with OpenAIServer(lambda call: f"to {call.last_user_message}") as server:
        chat = Request(model="embed-1", messages=({"role": "user", "content": "x"},))
        results = await ask(server.base_url, chat, base.make_embedding_request("embed-1", "x"), chat)

    assert [result.text for result in results if isinstance(result, Completion)] == [
        "to x",
        json.dumps(bag_of_words("x"), separators=(",", ":")),
        "to x",
    ]
