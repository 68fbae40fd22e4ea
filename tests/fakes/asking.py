"""Ask a real client questions, for the tests that let a server misbehave."""

import json
from typing import Any

from fakes.openai_server import Reply, completion, reply
from fakes.virtual_clock import VirtualClock

from promptci.providers.base import CallError, Completion, Request
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.options import ProviderOptions

CANARY = "sk-CANARY-0123456789abcdefghij"
OK = json.dumps(completion("fine")).encode()
JSON = {"Content-Type": "application/json"}


def request(text: str = "hello", **parameters: Any) -> Request:
    """Return a question of two messages."""
    messages = ({"role": "system", "content": "be brief"}, {"role": "user", "content": text})
    return Request(model="fake-1", messages=messages, parameters=parameters)


async def ask(
    base_url: str,
    *requests: Request,
    clock: VirtualClock | None = None,
    key: str | None = CANARY,
    timeout_s: float = 5.0,
) -> list[Completion | CallError]:
    """Ask one after the other and give what came of each."""
    provider_options = ProviderOptions(base_url=base_url, timeout_s=timeout_s)
    provider = OpenAIProvider(provider_options, key=key, clock=(clock or VirtualClock()).clock)
    results: list[Completion | CallError] = []
    try:
        for each in requests or (request(),):
            try:
                results.append(await provider.complete(each, replicate=0))
            except CallError as failed:
                results.append(failed)
    finally:
        await provider.aclose()
    return results


async def ask_one(base_url: str, **options: Any) -> Completion:
    """Ask one question that is answered."""
    (result,) = await ask(base_url, **options)
    assert isinstance(result, Completion), result
    return result


async def failure(base_url: str, **options: Any) -> CallError:
    """Ask one question that fails."""
    (result,) = await ask(base_url, **options)
    assert isinstance(result, CallError), result
    return result


def body(**changes: Any) -> Reply:
    """Return an answer that differs from a good one in some fields."""
    return reply({**completion("fine"), **changes})


def message(finish: str = "stop", **fields: Any) -> Reply:
    """Return an answer whose message holds these fields only."""
    return body(choices=[{"index": 0, "finish_reason": finish, "message": {"role": "assistant", **fields}}])
