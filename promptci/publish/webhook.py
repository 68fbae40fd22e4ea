"""Post a message to a chat's incoming webhook: over HTTPS, to its host alone, and without ever showing its address."""

import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from promptci.config.alert_options import WebhookShape
from promptci.errors import PromptciError
from promptci.lazy_import import lazy_import

if TYPE_CHECKING:
    from urllib import request
else:
    request = lazy_import("urllib.request")

TIMEOUT_S = 15
MAX_TEXT_CHARS = 3_000
SUCCESS = range(200, 300)
_SLACK = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
"""What Slack takes for a mention, a channel or a link."""


class WebhookError(PromptciError):
    """The message was not delivered; the text never contains the address."""


def build_message(shape: WebhookShape, title: str, lines: list[str]) -> dict[str, Any]:
    """Return the body that a chat takes; what others wrote can neither mention anybody nor format anything."""
    if shape == "slack":
        text = "\n".join([title, *lines])[:MAX_TEXT_CHARS].translate(_SLACK)
        block = {"type": "section", "text": {"type": "plain_text", "text": text[:MAX_TEXT_CHARS], "emoji": False}}
        return {"text": title.translate(_SLACK), "blocks": [block]}
    texts = [_card_text(line[:MAX_TEXT_CHARS], bold=place == 0) for place, line in enumerate([title, *lines])]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": texts,
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _card_text(text: str, *, bold: bool) -> dict[str, Any]:
    """Return a text that Teams shows as it is: unlike a TextBlock, a TextRun knows no Markdown."""
    run = {"type": "TextRun", "text": text, "weight": "Bolder" if bold else "Default"}
    return {"type": "RichTextBlock", "inlines": [run]}


def post_message(url: str, body: dict[str, Any], context: ssl.SSLContext | None = None) -> None:
    """Post a message; `context` holds the certificates that are trusted, by default the machine's.

    Raises
    ------
    WebhookError
        If the address is not one of HTTPS, or the message was not taken. A redirect is not followed.
    """
    _check_address(url)
    opener = request.build_opener(_build_refusing_handler(), request.HTTPSHandler(context=context))
    headers = {"Content-Type": "application/json", "User-Agent": "promptci"}
    sent = request.Request(url, json.dumps(body).encode(), headers, method="POST")
    try:
        with opener.open(sent, timeout=TIMEOUT_S) as response:
            status = response.status
    except HTTPError as error:
        status = error.code
        error.close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise WebhookError(f"The webhook cannot be reached: {type(reason).__name__}") from None
    if status not in SUCCESS:
        raise WebhookError(f"The webhook answered {status}", "Check that its address is still valid.")


def _check_address(url: str) -> None:
    try:
        parts = urlsplit(url)
        is_https = parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_https = False
    if not is_https or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise WebhookError("The webhook's address is not an https:// address", "Correct the secret.")


def _build_refusing_handler() -> Any:
    class RefuseRedirects(request.HTTPRedirectHandler):
        """Takes a redirect for an error: the message goes to the host of the secret and to no other."""

        def redirect_request(self, *_: Any, **__: Any) -> None:
            """Follow nothing."""

    return RefuseRedirects()
