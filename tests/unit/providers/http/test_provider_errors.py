"""Each row of tests/data/provider_errors.yml, through the real client against a real server."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from fakes.asking import request
from fakes.openai_server import OpenAIServer, Reply
from fakes.virtual_clock import VirtualClock

from promptci.providers.base import CallError, Completion, Request
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.options import ProviderOptions

ROWS: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parents[3] / "data" / "provider_errors.yml").read_text())


def wire(row: dict[str, Any]) -> Reply:
    body = row["body"] if isinstance(row["body"], str) else json.dumps(row["body"])
    headers = {"Content-Type": "application/json", **row.get("headers", {})}
    return Reply(status=row["status"], headers=headers, body=body.encode())


async def outcome(server: OpenAIServer, clock: VirtualClock, *, asked: Request | None = None) -> Completion | CallError:
    provider = OpenAIProvider(ProviderOptions(base_url=server.base_url), key="key-of-the-test", clock=clock.clock)
    try:
        return await provider.complete(asked or request(), replicate=0)
    except CallError as error:
        return error
    finally:
        await provider.aclose()


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
async def test_a_known_error_has_its_kind_its_consequence_and_its_words(row: dict[str, Any]) -> None:
    clock = VirtualClock()
    with OpenAIServer(lambda _: wire(row)) as server:
        result = await outcome(server, clock)

    if row["kind"] == "content_filter":
        assert isinstance(result, Completion)
        assert (result.text, result.finish_reason, len(server.calls)) == ("", "content_filter", 1)
        return
    if row["kind"] == "answer":
        assert isinstance(result, Completion)
        tokens = None if result.usage is None else [result.usage.input_tokens, result.usage.output_tokens]
        assert (result.text, tokens, len(server.calls)) == (row["text"], row.get("tokens"), 1)
        return
    assert isinstance(result, CallError)
    flags = (result.kind, result.fatal, result.caused_by_request, len(server.calls) > 1)
    assert flags == (row["kind"], row.get("fatal", False), row.get("wrong", False), row.get("retried", False))
    assert [text for text in row.get("says", []) if text not in result.message] == []
    assert [text for text in row.get("never", []) if text in result.message] == []
    if "after_s" in row:
        assert clock.slept[0] >= row["after_s"]


@pytest.mark.parametrize("row", [row for row in ROWS if row.get("retried")], ids=lambda row: row["name"])
async def test_an_error_that_passes_is_retried_until_the_answer(row: dict[str, Any]) -> None:
    with OpenAIServer(lambda _: "fine", faults={0: wire(row)}) as server:
        result = await outcome(server, VirtualClock())

    assert isinstance(result, Completion)
    assert result.text == "fine"


async def test_a_limit_that_refuses_every_call_for_over_a_minute_stops_the_run_with_the_reason() -> None:
    clock = VirtualClock()
    refusal = Reply(
        status=429, headers={"Content-Type": "application/json"}, body=b'{"error":{"message":"limit of tier"}}'
    )
    provider_calls = []
    with OpenAIServer(lambda _: refusal) as server:
        provider = OpenAIProvider(ProviderOptions(base_url=server.base_url), key=None, clock=clock.clock)
        for number in range(20):
            with pytest.raises(CallError) as caught:
                await provider.complete(request(str(number)), replicate=0)
            provider_calls.append(caught.value)
            if caught.value.fatal:
                break
        await provider.aclose()

    last = provider_calls[-1]
    assert (last.kind, last.fatal) == ("rate-limit", True)
    assert "limit of tier" in last.message
    assert "Every call was refused" in last.message
    assert clock.total < 150


async def test_a_request_that_no_model_takes_is_not_sent() -> None:
    with OpenAIServer() as server:
        result = await outcome(server, VirtualClock(), asked=request("x" * (9 * 2**20)))

    assert isinstance(result, CallError)
    assert (result.kind, result.caused_by_request) == ("context-length", True)
    assert "9 MiB" in result.message
    assert server.calls == []
