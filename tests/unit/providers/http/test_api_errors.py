import socket
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptci.providers.http.errors import api_errors, transport_errors
from promptci.providers.http.retry import RetryAdvice

WALL = 1_700_000_000.0


def caused_by(cause: BaseException) -> BaseException:
    outer = RuntimeError("outer")
    outer.__cause__ = cause
    return outer


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (TimeoutError(), "timeout", "no complete response arrived in time"),
        (socket.gaierror(), "connection", "cannot be resolved"),
        (ConnectionRefusedError(), "connection", "nothing listens"),
        (ssl.SSLError("wrong version"), "connection", "TLS handshake"),
        (ConnectionResetError(), "connection", "broke before the response"),
    ],
)
def test_a_broken_connection_is_explained_by_its_deepest_cause(cause: BaseException, kind: str, words: str) -> None:
    failed = transport_errors.failure_from_transport(caused_by(caused_by(cause)), "models.example")

    assert failed.error.kind == kind
    assert words in failed.error.message
    assert (failed.advice, failed.error.fatal) == (RetryAdvice.LATER, False)


def test_causes_that_go_in_a_circle_end() -> None:
    first, second = RuntimeError(), RuntimeError()
    first.__cause__, second.__cause__ = second, first

    assert list(transport_errors.exception_chain(first)) == [first, second]


@given(
    status=st.integers(100, 599),
    body=st.none() | st.text() | st.dictionaries(st.text(), st.text()) | st.lists(st.integers()),
    header=st.text(),
)
def test_whatever_a_server_answers_is_one_short_line_of_a_known_kind(status: int, body: object, header: str) -> None:
    failed = api_errors.failure_from_status(status, {"retry-after": header}, body, WALL)

    assert failed.error.kind in {
        *("auth", "not-found", "rate-limit", "quota", "timeout", "server", "bad-request", "context-length"),
        *("blocked", "invalid-output"),
    }
    assert len(api_errors.shorten(failed.error.message)) <= 300
    assert "\n" not in failed.error.message


def test_a_long_word_of_the_endpoint_leaves_room_for_the_advice() -> None:
    failed = api_errors.failure_from_status(404, {}, {"error": {"message": "long " * 500}}, WALL)

    assert "Check the prompt's `model`" in api_errors.shorten(failed.error.message)


@given(text=st.text(), longest=st.integers(1, 300))
def test_cutting_keeps_short_texts_and_bounds_long_ones(text: str, longest: int) -> None:
    cut = api_errors.shorten(text, longest)

    assert len(cut) <= longest
    assert " ".join(text.split()) == cut or cut.endswith("…")
