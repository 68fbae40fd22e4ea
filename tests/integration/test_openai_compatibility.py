"""The `openai` package as the judge of "OpenAI-compatible": what our fake serves, and what our client sends."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from fakes.asking import CANARY
from fakes.asking import body as changed_completion
from fakes.asking import message as message_reply
from fakes.batch_api import BatchApi
from fakes.openai_server import Call, OpenAIServer, Reply, completion, embedding, error, reply
from support.daily import some_daily

from promptci.providers.base import Request, make_embedding_request
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.options import ProviderOptions

MESSAGES = ({"role": "system", "content": "be brief: é \u2028 🎉"}, {"role": "user", "content": "hello"})
TOOL = {
    "type": "function",
    "function": {"name": "find", "parameters": {"type": "object", "properties": {"id": {"type": "string"}}}},
}
SCHEMA_FORMAT = {
    "type": "json_schema",
    "json_schema": {"name": "order", "strict": True, "schema": {"type": "object", "additionalProperties": False}},
}
PARAMETERS: dict[str, dict[str, Any]] = {
    "none": {},
    "temperature": {"temperature": 0},
    "fraction": {"temperature": 0.7, "top_p": 0.9},
    "max_tokens": {"max_tokens": 50},
    "max_completion_tokens": {"max_completion_tokens": 50},
    "stop text": {"stop": "END"},
    "stop list": {"stop": ["END", "\n\n"]},
    "seed": {"seed": 7},
    "reasoning_effort": {"reasoning_effort": "low"},
    "verbosity": {"verbosity": "low"},
    "penalties": {"frequency_penalty": 0.5, "presence_penalty": -0.5},
    "logprobs": {"logprobs": True, "top_logprobs": 3},
    "logit_bias": {"logit_bias": {"50256": -100}},
    "n": {"n": 1},
    "tools": {"tools": [TOOL], "tool_choice": "auto", "parallel_tool_calls": False},
    "forced tool": {"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "find"}}},
    "json_object": {"response_format": {"type": "json_object"}},
    "json_schema": {"response_format": SCHEMA_FORMAT},
    "metadata": {"metadata": {"team": "search"}, "store": False},
    "user": {"user": "someone", "service_tier": "default"},
    "null": {"temperature": None},
}


def package() -> Any:
    """Import the package where a test asks for it: it takes a second, and each worker collects this file."""
    import openai

    return openai


def sdk(server: OpenAIServer) -> Any:
    return package().OpenAI(base_url=server.base_url, api_key=CANARY, max_retries=0, timeout=60)


async def calls_of_both(server: OpenAIServer, request: Request, resource: str, body: Mapping[str, Any]) -> list[Call]:
    """Send the same request by our client and by the package; return both as they arrived."""
    provider = OpenAIProvider(ProviderOptions(base_url=server.base_url), key=CANARY)
    await provider.complete(request, replicate=0)
    await provider.aclose()
    with sdk(server) as client:
        create: Any = client.chat.completions.create if resource == "chat" else client.embeddings.create
        create(**body)
    return server.calls


@pytest.mark.parametrize("parameters", some_daily(PARAMETERS.values(), 10), ids=PARAMETERS.keys())
async def test_a_chat_request_is_the_one_that_the_package_sends(parameters: dict[str, Any]) -> None:
    response_format = parameters.get("response_format")
    others = {name: value for name, value in parameters.items() if name != "response_format"}
    request = Request(model="gpt-4o", messages=MESSAGES, parameters=others, response_format=response_format)
    with OpenAIServer() as server:
        ours, theirs = await calls_of_both(
            server, request, "chat", {"model": "gpt-4o", "messages": list(MESSAGES), **parameters}
        )

    assert (ours.method, ours.path) == (theirs.method, theirs.path) == ("POST", "/v1/chat/completions")
    assert ours.body == theirs.body
    # Equal in type, too: 1 is not 1.0 and not true.
    assert json.dumps(ours.body, sort_keys=True) == json.dumps(theirs.body, sort_keys=True)
    for name in ("authorization", "content-type", "accept", "host"):
        assert ours.headers[name] == theirs.headers[name], name


async def test_an_embedding_request_is_the_one_that_the_package_sends() -> None:
    request = make_embedding_request("text-embedding-3-small", "hello")
    body = {"model": "text-embedding-3-small", "input": "hello", "encoding_format": "float"}
    with OpenAIServer() as server:
        ours, theirs = await calls_of_both(server, request, "embeddings", body)

    assert (ours.method, ours.path, ours.body) == (theirs.method, theirs.path, theirs.body)


TOOL_CALL = {"id": "call-1", "type": "function", "function": {"name": "find", "arguments": "{}"}}
SERVED: dict[str, Reply] = {
    "text": reply(completion("fine")),
    "nothing": reply(completion(None)),
    "tool calls": message_reply("tool_calls", content=None, tool_calls=[TOOL_CALL]),
    "refusal": message_reply(content=None, refusal="I cannot help with that."),
    "filtered": message_reply("content_filter", content=None),
    "cut off": message_reply("length", content="fin"),
    "no fingerprint": changed_completion(system_fingerprint=None),
}


@pytest.mark.parametrize("served", SERVED.values(), ids=SERVED.keys())
def test_what_the_fake_serves_is_a_completion_to_the_package(served: Reply) -> None:
    parsed = package().types.chat.ChatCompletion.model_validate(json.loads(served.body), strict=True)
    with OpenAIServer(lambda _: served) as server, sdk(server) as client:
        received = client.chat.completions.create(model="fake-1", messages=[{"role": "user", "content": "hello"}])

    assert received == parsed
    assert received.model_extra == {}
    assert received.choices[0].message.model_extra == {}


def test_what_the_fake_serves_is_an_embedding_to_the_package() -> None:
    parsed = package().types.CreateEmbeddingResponse.model_validate(embedding([0.25, 0.5]), strict=True)
    assert parsed.data[0].embedding == [0.25, 0.5]
    with OpenAIServer() as server, sdk(server) as client:
        received = client.embeddings.create(model="fake-embedding", input="hello", encoding_format="float")

    assert sum(received.data[0].embedding) == 1.0


def test_what_the_fake_serves_are_files_and_batches_to_the_package() -> None:
    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {"model": "fake-1"}}
    content = json.dumps(line).encode()
    with BatchApi(lambda _: "fine") as api, package().OpenAI(base_url=api.base_url, api_key=CANARY) as client:
        file = client.files.create(file=("a.jsonl", content, "application/jsonl"), purpose="batch")
        ordered = client.batches.create(
            input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h", metadata={"by": "test"}
        )
        batch = client.batches.retrieve(ordered.id)
        output = client.files.retrieve(batch.output_file_id or "")
        answers = client.files.content(output.id).text
        deleted = client.files.delete(output.id)
        listed = client.batches.list(limit=1).data

    for described in (file, output, ordered, batch, deleted, *listed):
        type(described).model_validate(described.model_dump(), strict=True)
        assert described.model_extra == {}
    assert (ordered.status, batch.status, deleted.deleted, listed) == ("in_progress", "completed", True, [batch])
    package().types.chat.ChatCompletion.model_validate(json.loads(answers)["response"]["body"], strict=True)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (403, "PermissionDeniedError"),
        (404, "NotFoundError"),
        (409, "ConflictError"),
        (422, "UnprocessableEntityError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
        (503, "InternalServerError"),
    ],
)
def test_an_error_of_the_fake_is_the_package_s_exception(status: int, name: str) -> None:
    expected = getattr(package(), name)
    failed = error(status, "this went wrong", code="some_code", Retry_After="3")
    with OpenAIServer(lambda _: failed) as server, sdk(server) as client, pytest.raises(expected) as caught:
        client.chat.completions.create(model="fake-1", messages=[{"role": "user", "content": "hello"}])

    assert type(caught.value) is expected
    assert (caught.value.code, caught.value.type) == ("some_code", "fake_error")
    assert "this went wrong" in caught.value.message
    assert caught.value.response.headers["retry-after"] == "3"


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        (Reply(silent=True, end="close"), "APIConnectionError"),
        (Reply(silent=True, end="reset"), "APIConnectionError"),
        (Reply(silent=True, end="hang"), "APITimeoutError"),
    ],
    ids=["close", "reset", "hang"],
)
def test_a_broken_connection_is_the_package_s_exception(wire: Reply, name: str) -> None:
    with OpenAIServer(lambda _: wire) as server, sdk(server) as client, pytest.raises(getattr(package(), name)):
        client.with_options(timeout=0.3).chat.completions.create(
            model="fake-1", messages=[{"role": "user", "content": "hello"}]
        )
