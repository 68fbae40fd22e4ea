"""The client against a real server on loopback: what each misbehaviour becomes, and that none becomes a crash."""

import gzip
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from fakes.asking import CANARY, JSON, OK, ask, ask_one, body, failure, message, request
from fakes.openai_server import Call, OpenAIServer, Reply, completion, error, reply
from fakes.virtual_clock import VirtualClock
from support.daily import first_daily

from promptci.providers.base import CallError, Completion, Request, Usage
from promptci.providers.http.transport import MAX_BODY_BYTES


async def test_the_request_is_sent_as_it_is_and_the_answer_read_with_its_circumstances() -> None:
    asked = Request(
        model="fake-1",
        messages=({"role": "user", "content": "Grüße 🙂"},),
        parameters={"temperature": 0.5, "max_tokens": 9, "stream": True},
        response_format={"type": "json_object"},
    )
    with OpenAIServer(lambda _: "two words", latency_s=0.05) as server:
        (result,) = await ask(server.base_url, asked)

    assert isinstance(result, Completion)
    assert result.latency_ms is not None
    assert 50 <= result.latency_ms < 2000
    assert result == Completion(
        text="two words",
        usage=Usage(input_tokens=10, output_tokens=2),
        latency_ms=result.latency_ms,
        model="fake-1",
        fingerprint="fp_fake",
        finish_reason="stop",
    )
    (call,) = server.calls
    assert call.body == {key: value for key, value in asked.body.items() if key != "stream"}
    assert call.headers["authorization"] == f"Bearer {CANARY}"


async def test_without_a_key_no_authorization_is_sent() -> None:
    with OpenAIServer() as server:
        await ask_one(server.base_url, key=None)

    assert "authorization" not in server.calls[0].headers


@pytest.mark.parametrize("status", [401, 403])
async def test_an_endpoint_that_refuses_a_call_without_a_key_is_not_said_to_refuse_one(status: int) -> None:
    with OpenAIServer(lambda _: error(status, "who are you?")) as server:
        failed = await failure(server.base_url, key=None)

    assert failed.kind == "no-key"
    assert failed.message.endswith(
        "OPENAI_API_KEY is not set, and the endpoint requires a key: export OPENAI_API_KEY=…"
    )


async def test_what_the_environment_says_of_openai_accounts_goes_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-1")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj-1")
    with OpenAIServer() as server:
        await ask_one(server.base_url)

    assert not {"openai-organization", "openai-project"} & server.calls[0].headers.keys()


RESULTS: dict[str, tuple[Reply, dict[str, Any]]] = {
    "refusal": (message(content=None, refusal="I will not"), {"text": "", "refusal": "I will not"}),
    "content filter": (message("content_filter", content=None), {"text": "", "finish_reason": "content_filter"}),
    "filtered at the door": (error(400, "filtered", code="content_filter"), {"finish_reason": "content_filter"}),
    "moderated at the door": (error(403, "no", code="content_policy_violation"), {"finish_reason": "content_filter"}),
    "cut at max_tokens": (message("length", content="half a sen"), {"text": "half a sen", "finish_reason": "length"}),
    "thought until max_tokens": (message("length", content=None), {"text": "", "finish_reason": "length"}),
    "empty text": (message(content=""), {"text": ""}),
    "list of parts": (
        message(content=[{"type": "text", "text": "a"}, {"type": "thinking"}, {"type": "text", "text": "b"}]),
        {"text": "ab"},
    ),
    "half a surrogate pair": (message(content="a\ud83d b"), {"text": "a\ufffd b"}),
    "other model": (body(model="fake-1-2026"), {"model": "fake-1-2026"}),
    "no usage": (body(usage=None), {"usage": None}),
    "absurd usage": (body(usage={"prompt_tokens": -1, "completion_tokens": "many"}), {"usage": None}),
    "usage cached": (
        body(usage={"prompt_tokens": 9, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 4}}),
        {"usage": Usage(input_tokens=9, output_tokens=1, cached_input_tokens=4)},
    ),
    "no content type": (Reply(body=OK, headers={}), {"text": "fine"}),
    "in chunks": (Reply(body=OK, headers=JSON, chunked=True), {"text": "fine"}),
    "odd types everywhere": (body(model=5, system_fingerprint=[], usage=[]), {"model": None, "fingerprint": None}),
}


@pytest.mark.parametrize(("wire", "expected"), RESULTS.values(), ids=RESULTS)
async def test_what_the_model_did_is_a_result(wire: Reply, expected: Mapping[str, Any]) -> None:
    with OpenAIServer(lambda _: wire) as server:
        result = await ask_one(server.base_url)

    assert {key: getattr(result, key) for key in expected} == expected
    assert len(server.calls) == 1


NEVER_AGAIN: dict[str, tuple[Reply, str, bool, str]] = {
    "wrong key": (error(401, f"Incorrect API key provided: {CANARY}"), "auth", True, "provider.api_key_env"),
    "forbidden": (error(403, "no access"), "auth", True, "no access"),
    "unknown model": (error(404, "The model does not exist"), "not-found", True, "Check the prompt's `model`"),
    "no credit": (error(429, "You exceeded", code="insufficient_quota"), "quota", True, "top it up"),
    "payment required": (error(402, "balance"), "quota", True, "top it up"),
    "too long": (error(400, "x", code="context_length_exceeded"), "context-length", False, "too long for the model"),
    "too long in words": (error(400, "maximum context length is 8"), "context-length", False, "too long"),
    "too large": (error(413, "big"), "context-length", False, "too long"),
    "bad parameter": (error(400, "temperature is too hot"), "bad-request", False, "temperature is too hot"),
    "unprocessable": (error(422, "nope"), "bad-request", False, "nope"),
    "redirect": (
        Reply(status=307, headers={"Location": "https://elsewhere.example/"}),
        "bad-request",
        True,
        "final",
    ),
    "an hour's pause": (error(429, "later", Retry_After="3600"), "rate-limit", True, "pause of 3600 s"),
    "a day's pause, as date": (
        error(429, "x", Retry_After=format_datetime(datetime.fromtimestamp(1_700_086_400, UTC), usegmt=True)),
        "rate-limit",
        True,
        "pause of 86400 s",
    ),
    "told not to retry": (error(500, "fatal", X_Should_Retry="false"), "server", False, "HTTP 500: fatal"),
    "tool call": (message(content=None, tool_calls=[{"id": "1"}]), "malformed", False, "called a tool in a way"),
    "compressed unasked": (
        Reply(body=gzip.compress(b"0" * 10_000_000), headers={**JSON, "Content-Encoding": "gzip"}),
        "malformed",
        False,
        "compressed",
    ),
    "error of a number within 200": (reply({"error": {"code": 401, "message": "who?"}}), "auth", True, "HTTP 401"),
    "error of quota within 200": (reply({"error": {"code": "insufficient_quota"}}), "quota", True, "credit"),
    "error of input within 200": (
        reply({"error": {"type": "invalid_request_error", "message": "bad"}}),
        "bad-request",
        False,
        "bad",
    ),
}


@pytest.mark.parametrize(("wire", "kind", "fatal", "words"), NEVER_AGAIN.values(), ids=NEVER_AGAIN)
async def test_what_will_not_pass_is_asked_once_and_explained(wire: Reply, kind: str, fatal: bool, words: str) -> None:
    clock = VirtualClock()
    with OpenAIServer(lambda _: wire) as server:
        failed = await failure(server.base_url, clock=clock)

    assert (failed.kind, failed.fatal) == (kind, fatal)
    assert words in failed.message
    assert len(server.calls) == 1
    assert clock.slept == []


GARBLED: dict[str, Reply] = {
    "empty": Reply(body=b"", headers=JSON),
    "half of JSON": Reply(body=OK[:50], headers=JSON),
    "not UTF-8": Reply(body=b'"\xff\xfe"', headers=JSON),
    "nested without end": Reply(body=b"[" * 200_000, headers=JSON),
    "nested without end, as text": Reply(body=b"[" * 200_000, headers={"Content-Type": "text/plain"}),
    "a list": reply([completion("fine")]),
    "null": reply(None),
    "a number": reply(7),
    "choices null": body(choices=None),
    "choices empty": body(choices=[]),
    "choices an object": body(choices={"0": {}}),
    "choice null": body(choices=[None]),
    "message null": body(choices=[{"message": None}]),
    "message a text": body(choices=[{"message": "fine"}]),
    "content null": message(content=None),
    "content a number": message(content=7),
    "content parts without text": message(content=[{"type": "image"}, None, {"text": 5}]),
    "content missing": message(),
    "larger than allowed": Reply(body=b" " * (MAX_BODY_BYTES + 1), headers=JSON),
}


@pytest.mark.parametrize("wire", GARBLED.values(), ids=GARBLED)
async def test_an_answer_that_is_none_is_malformed_after_three_attempts(wire: Reply) -> None:
    with OpenAIServer(lambda _: wire) as server:
        failed = await failure(server.base_url)

    assert (failed.kind, failed.fatal) == ("malformed", False)
    assert len(server.calls) == 3


PASSING: dict[str, Reply] = {
    "429": error(429, "slow down"),
    "429 with a pause": error(429, "slow down", Retry_After="2"),
    "429 with a pause in ms": error(429, "slow down", Retry_After_Ms="20"),
    "429 with a negative pause": error(429, "slow down", Retry_After="-3"),
    "429 with nonsense": error(429, "slow down", Retry_After="nan"),
    "408": error(408),
    "409": error(409),
    "425": error(425),
    "500": error(500),
    "502 with a page": Reply(status=502, body=b"<html>Bad gateway</html>", headers={"Content-Type": "text/html"}),
    "503": error(503),
    "529": error(529),
    "rate limit within 200": reply({"error": {"code": "rate_limit_exceeded", "message": "slow"}}),
    "server error within 200": reply({"error": {"code": 502, "message": "upstream"}, "choices": None}),
    "server error within the choice": body(choices=[{"error": {"code": 502, "message": "upstream"}}]),
    "error of no known kind within 200": reply({"error": "oops"}),
    "reset in the body": Reply(body=OK, headers=JSON, sent=9, end="reset"),
    "chunks cut short": Reply(body=OK, headers=JSON, sent=9, chunked=True, end="close"),
    "length that lies": Reply(body=OK, headers=JSON, claimed_length=9999, end="close"),
    "hang up without a word": Reply(silent=True, end="close"),
    "reset without a word": Reply(silent=True, end="reset"),
    "not HTTP": Reply(status=200, headers={"Bad Header": "x", "X": "a" * 70_000}, body=OK),
    "choices empty": GARBLED["choices empty"],
}


@pytest.mark.parametrize("at", first_daily([1, 0, 4]))
@pytest.mark.parametrize("wire", PASSING.values(), ids=PASSING)
async def test_what_passes_is_asked_again_and_no_answer_is_lost_or_doubled(wire: Reply, at: int) -> None:
    clock = VirtualClock()
    with OpenAIServer(lambda call: f"to {call.last_user_message}", faults={at: wire}) as server:
        results = await ask(server.base_url, *(request(str(i)) for i in range(5)), clock=clock)

    assert [result.text if isinstance(result, Completion) else result for result in results] == [
        f"to {i}" for i in range(5)
    ]
    assert len(server.calls) == 6


@pytest.mark.parametrize("status", [408, 429, 500, 503])
@pytest.mark.parametrize(
    ("header", "written"), [("Retry_After", "17"), ("retry_after_ms", "17000"), ("x_ms_retry_after_ms", "17000")]
)
async def test_the_pause_of_the_header_is_waited_for(status: int, header: str, written: str) -> None:
    clock = VirtualClock()
    with OpenAIServer(faults={0: error(status, **{header: written})}) as server:
        await ask_one(server.base_url, clock=clock)

    assert 17 <= clock.total < 19


async def test_a_broken_server_that_wants_a_longer_pause_than_a_call_has_is_not_waited_for() -> None:
    clock = VirtualClock()
    with OpenAIServer(faults={0: error(503, "maintenance", Retry_After="3600")}) as server:
        failed, answered = await ask(server.base_url, request("one"), request("two"), clock=clock)

    assert isinstance(failed, CallError)
    assert (failed.kind, failed.fatal) == ("server", False)
    assert "maintenance" in failed.message
    assert "a pause of 3600 s" in failed.message
    assert isinstance(answered, Completion)
    assert clock.total < 1


async def test_the_same_500_three_times_is_given_up() -> None:
    with OpenAIServer(lambda _: error(500, "deterministic")) as server:
        failed = await failure(server.base_url)

    assert failed.kind == "server"
    assert "deterministic (3 attempts" in failed.message
    assert len(server.calls) == 3


async def test_an_overloaded_endpoint_that_says_so_in_the_same_words_is_tried_to_the_end() -> None:
    def answer(call: Call) -> Reply | str:
        return "at last" if call.number == 5 else error((529, 503)[call.number % 2], "overloaded")

    with OpenAIServer(answer) as server:
        result = await ask_one(server.base_url)

    assert result.text == "at last"


async def test_latency_is_that_of_the_attempt_that_was_answered() -> None:
    slow = error(500)
    slow = Reply(status=500, body=slow.body, headers=slow.headers, delay_s=0.5)
    with OpenAIServer(faults={0: slow}) as server:
        result = await ask_one(server.base_url)

    assert result.latency_ms is not None
    assert result.latency_ms < 400


@pytest.mark.parametrize("media_type", ["text/html", "application/json"])
async def test_a_web_page_in_place_of_an_answer_is_said_to_be_one_and_not_asked_for_again(media_type: str) -> None:
    page = b"\n<!DOCTYPE html><html><title>Welcome</title></html>"
    with OpenAIServer(lambda _: Reply(status=200, body=page, headers={"Content-Type": media_type})) as server:
        failed = await failure(server.base_url)
    assert 'a web page titled "Welcome" came in place of an answer' in failed.message
    assert "/v1" in failed.message
    assert (failed.kind, failed.fatal, len(server.calls)) == ("malformed", True, 1)


async def test_a_web_page_between_answers_passes() -> None:
    page = Reply(body=b"<!doctype html><title>Log in</title>", headers={"Content-Type": "text/html"})
    with OpenAIServer(lambda call: f"to {call.last_user_message}", faults={1: page}) as server:
        results = await ask(server.base_url, *(request(str(i)) for i in range(3)))
    assert [each.text for each in results if isinstance(each, Completion)] == ["to 0", "to 1", "to 2"]
    assert len(server.calls) == 4
