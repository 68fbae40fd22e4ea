"""Answers of reasoning models: what is stripped, and what is said where nothing but reasoning came."""

from typing import Any

import pytest
from fakes.asking import message, request
from fakes.openai_server import OpenAIServer, Reply
from fakes.virtual_clock import VirtualClock

from promptci.providers.base import CallError, Completion
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.options import ProviderOptions


async def complete(wire: Reply, **options: Any) -> tuple[Completion | CallError, int]:
    with OpenAIServer(lambda _: wire) as server:
        provider = OpenAIProvider(
            ProviderOptions(base_url=server.base_url, **options), key=None, clock=VirtualClock().clock
        )
        try:
            return await provider.complete(request(), replicate=0), len(server.calls)
        except CallError as error:
            return error, len(server.calls)
        finally:
            await provider.aclose()


@pytest.mark.parametrize(
    ("content", "answer"),
    [
        ("<think>\nhm\n</think>\n\n42", "42"),
        ("  <think></think>42", "42"),
        ("<thinking>a</thinking> 42", "42"),
        ("so it is 42?\n</think>\n42", "42"),  # the template wrote the opening tag
        ("42 <think>no block at the start</think>", "42 <think>no block at the start</think>"),
        ("plain", "plain"),
    ],
)
async def test_a_leading_block_of_reasoning_is_no_part_of_the_answer(content: str, answer: str) -> None:
    result, _ = await complete(message(content=content))

    assert isinstance(result, Completion)
    assert result.text == answer


async def test_reasoning_is_kept_where_the_configuration_says_so() -> None:
    result, _ = await complete(message(content="<think>hm</think>42"), strip_reasoning=False)

    assert isinstance(result, Completion)
    assert result.text == "<think>hm</think>42"


@pytest.mark.parametrize(
    "wire",
    [
        message(content=None, reasoning_content="hm"),
        message(content="", reasoning="hm"),
        message("length", content=None, reasoning_content="hm"),
        message("length", content="<think>and so on and"),
        message(content="<think>hm</think>\n"),
    ],
)
async def test_a_model_that_only_reasoned_gave_a_wrong_answer_and_is_asked_once(wire: Reply) -> None:
    result, calls = await complete(wire)

    assert isinstance(result, CallError)
    assert (result.caused_by_request, result.fatal, calls) == (True, False, 1)
    assert "only reasoned" in result.message
    assert "max_tokens" in result.message
