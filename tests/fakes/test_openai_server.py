"""The fake is trusted by many tests, so it is tested itself: with plain sockets, not with the code that uses it."""

import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fakes.openai_server import Call, OpenAIServer, Reply, bag_of_words, completion, error, reply

BODY = {"model": "m", "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "hello"}]}


def post(server: OpenAIServer, body: Any = BODY, path: str = "/v1/chat/completions") -> tuple[int, Any, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", "X-Test": "yes"})
        response = connection.getresponse()
        return response.status, json.loads(response.read()), dict(response.getheaders())
    finally:
        connection.close()


def test_it_answers_in_the_form_of_the_api_and_remembers_the_call() -> None:
    with OpenAIServer(lambda call: f"echo {call.last_user_message}") as server:
        status, body, _ = post(server)

    assert (status, body["choices"][0]["message"]["content"], body["model"]) == (200, "echo hello", "m")
    assert body["usage"]["completion_tokens"] == 2
    assert [(c.number, c.method, c.headers["x-test"], c.body) for c in server.calls] == [(0, "POST", "yes", BODY)]


def test_a_fault_hits_the_call_of_its_number_only() -> None:
    with OpenAIServer(faults={1: error(429, "slow down", code="rate_limit", Retry_After="7")}) as server:
        answers = [post(server) for _ in range(3)]

    assert [status for status, _, _ in answers] == [200, 429, 200]
    assert answers[1][1]["error"] == {"message": "slow down", "type": "fake_error", "code": "rate_limit"}
    assert answers[1][2]["Retry-After"] == "7"


def test_a_path_it_does_not_know_is_not_answered_as_if_it_did() -> None:
    with OpenAIServer() as server:
        status, body, _ = post(server, path="/v1/completions")

    assert status == 404
    assert "does not know" in body["error"]["message"]


def test_embeddings_are_nearer_the_more_words_two_texts_share() -> None:
    with OpenAIServer() as server:
        status, body, _ = post(server, {"model": "e", "input": "Ann sent it. Ann!"}, "/v1/embeddings")
        empty, _, _ = post(server, {"model": "e", "input": ""}, "/v1/embeddings")

    (vector,) = [row["embedding"] for row in body["data"]]
    assert (status, empty, body["model"], sum(vector), max(vector)) == (200, 400, "e", 4, 2)
    assert vector == bag_of_words("ann it sent ann") != bag_of_words("ann it sent bob")


def test_several_requests_go_over_one_connection() -> None:
    with OpenAIServer() as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for _ in range(3):
            connection.request("POST", "/v1/chat/completions", json.dumps(BODY))
            assert connection.getresponse().read()
        connection.close()

    assert len(server.calls) == 3


def test_latency_is_waited_for_and_calls_overlap() -> None:
    with OpenAIServer(latency_s=0.1) as server, ThreadPoolExecutor(8) as threads:
        started = time.monotonic()
        list(threads.map(lambda _: post(server), range(8)))
        took = time.monotonic() - started

    assert took >= 0.1
    assert server.most_at_once > 1
    assert server.at_once == 0


def raw(server: OpenAIServer, timeout_s: float = 60) -> bytes:
    """Return all the bytes that come until the connection ends; raises what the socket raises."""
    with socket.create_connection(("127.0.0.1", server.port), timeout_s) as connection:
        body = json.dumps(BODY).encode()
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        received = b""
        while block := connection.recv(4096):
            received += block
        return received


def test_a_body_cut_short_keeps_its_claim_of_length() -> None:
    with OpenAIServer(lambda _: Reply(body=b"0123456789", sent=4, claimed_length=10, end="close")) as server:
        received = raw(server)

    assert b"Content-Length: 10" in received
    assert received.endswith(b"\r\n\r\n0123")


def test_chunks_cut_short_lack_the_last_one() -> None:
    with OpenAIServer(lambda _: Reply(body=b"0123456789", sent=4, chunked=True, end="close")) as server:
        received = raw(server)

    assert received.endswith(b"4\r\n0123\r\n")


def test_whole_chunks_end_as_they_should() -> None:
    with OpenAIServer(lambda _: Reply(body=b"0123", chunked=True, end="close")) as server:
        assert raw(server).endswith(b"4\r\n0123\r\n0\r\n\r\n")


def test_a_reset_is_a_reset_and_not_an_end() -> None:
    with (
        OpenAIServer(lambda _: Reply(body=b"0123", sent=2, end="reset")) as server,
        pytest.raises(ConnectionResetError),
    ):
        raw(server)


def test_silence_sends_no_status_line() -> None:
    with OpenAIServer(lambda _: Reply(silent=True, end="close")) as server:
        assert raw(server) == b""


def test_a_drip_takes_its_time() -> None:
    with OpenAIServer(lambda _: Reply(body=b"01234", drip_s=0.05, end="close")) as server:
        started = time.monotonic()
        received = raw(server)

    assert received.endswith(b"01234")
    assert time.monotonic() - started >= 0.2


def test_leaving_stops_it_though_a_call_hangs() -> None:
    started = time.monotonic()
    with OpenAIServer(lambda _: Reply(end="hang")) as server, pytest.raises(TimeoutError):
        raw(server, 0.3)

    assert time.monotonic() - started < 60
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=1)


def test_an_answer_function_may_reply_anything() -> None:
    def answer(call: Call) -> Reply:
        return reply({"number": call.number, **completion(None, refusal="no")}, status=201, X_Seen="1")

    with OpenAIServer(answer) as server:
        status, body, headers = post(server)

    assert (status, body["number"], headers["X-Seen"]) == (201, 0, "1")
    assert body["choices"][0]["message"] == {"role": "assistant", "content": None, "refusal": "no"}
