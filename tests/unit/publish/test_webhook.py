"""A message goes to the webhook's host alone, over HTTPS, and no error ever shows the address."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.webhook_server import WebhookServer
from hypothesis import given
from hypothesis import strategies as st

from promptci.publish.webhook import MAX_TEXT_CHARS, WebhookError, build_message, post_message


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[WebhookServer]:
    with WebhookServer(tmp_path).serving() as running:
        yield running


def test_a_message_is_delivered(chat: WebhookServer) -> None:
    post_message(chat.url, {"text": "hello"}, chat.trusting)
    assert chat.messages == [{"text": "hello"}]


def test_a_redirect_is_not_followed(chat: WebhookServer) -> None:
    chat.redirect = chat.url.replace("services", "elsewhere")
    with pytest.raises(WebhookError, match="answered 302"):
        post_message(chat.url, {"text": "hello"}, chat.trusting)
    assert len(chat.paths) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 410, 500])
def test_a_refusal_is_an_error_without_the_address(chat: WebhookServer, status: int) -> None:
    chat.status = status
    with pytest.raises(WebhookError) as caught:
        post_message(chat.url, {"text": "hello"}, chat.trusting)
    assert str(status) in str(caught.value)
    assert "secret-token" not in f"{caught.value}{caught.value.__cause__}"
    assert len(chat.messages) == 1


def test_a_certificate_that_is_not_trusted_is_an_error(chat: WebhookServer) -> None:
    with pytest.raises(WebhookError, match="SSLCertVerificationError"):
        post_message(chat.url, {"text": "hello"})
    assert chat.messages == []


def test_a_host_that_is_not_there_is_an_error_without_the_address() -> None:
    with pytest.raises(WebhookError) as caught:
        post_message("https://127.0.0.1:1/secret-token", {})
    assert "secret-token" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com/secret-token",
        "http://hooks.example.com/secret-token",
        "file:///etc/passwd?secret-token",
        "https:///secret-token",
        "https://hooks.example.com:99999/secret-token",
        "https://hooks.example.com/secret-token\r\nHost: evil",
        "ftp://hooks.example.com/secret-token",
    ],
)
def test_another_scheme_or_no_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(WebhookError) as caught:
        post_message(url, {})
    assert "https://" in str(caught.value)
    assert "secret-token" not in str(caught.value)


def test_slack_mentions_nobody() -> None:
    message = build_message("slack", "1 opened <!channel>", ["quality of <@U123> & others"])
    assert message["text"] == "1 opened &lt;!channel&gt;"
    assert message["blocks"] == [
        {
            "type": "section",
            "text": {
                "type": "plain_text",
                "text": "1 opened &lt;!channel&gt;\nquality of &lt;@U123&gt; &amp; others",
                "emoji": False,
            },
        }
    ]


def test_teams_gets_a_card_without_markdown() -> None:
    message = build_message("teams", "1 opened", ["**bold** [x](https://evil.example)"])
    (attachment,) = message["attachments"]
    assert message["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    runs = [run for block in attachment["content"]["body"] for run in block["inlines"]]
    assert [run["text"] for run in runs] == ["1 opened", "**bold** [x](https://evil.example)"]
    assert {run["type"] for run in runs} == {"TextRun"}


@given(st.text(max_size=50), st.lists(st.text(max_size=4000), max_size=4))
def test_a_slack_message_has_a_bounded_length_and_no_markup(title: str, lines: list[str]) -> None:
    (block,) = build_message("slack", title, lines)["blocks"]
    assert len(block["text"]["text"]) <= MAX_TEXT_CHARS
    assert not set("<>") & set(block["text"]["text"])
