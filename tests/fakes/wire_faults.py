"""Every way in which an endpoint's answer goes wrong on the wire, by name."""

import json
from email.utils import formatdate

from fakes.openai_server import Reply, completion, error, reply

CANARY = "sk-CANARY-0123456789abcdefghij"
"""The key; what goes wrong quotes it, as endpoints do."""
JSON = {"Content-Type": "application/json"}
OK = json.dumps(completion(f"GH-1000 {CANARY}")).encode()
PAGE = f"<html>Sign in, {CANARY}</html>".encode()
WALL = 1_700_000_000.0
"""The virtual clock's first second."""


def needs_timeout(fault: Reply) -> bool:
    """Return whether only the client's own time limit ends a call that gets this reply."""
    return fault.end == "hang" or fault.drip_s is not None


def _limited(**headers: str) -> Reply:
    return error(429, f"slow down {CANARY}", **headers)


def _body(content: bytes, **options: str) -> Reply:
    return Reply(body=content, headers={**JSON, **options})


def faults(elsewhere: str) -> dict[str, Reply]:
    """Return every kind; `elsewhere` is where a redirection leads: another host."""
    return {
        "429": _limited(),
        "429 in seconds": _limited(Retry_After="7"),
        "429 in a part of a second": _limited(Retry_After="0.5"),
        "429 in milliseconds": _limited(retry_after_ms="250"),
        "429 at a date": _limited(Retry_After=formatdate(WALL + 5, usegmt=True)),
        "429 at a past date": _limited(Retry_After=formatdate(WALL - 500, usegmt=True)),
        "429 negative": _limited(Retry_After="-3"),
        "429 nan": _limited(Retry_After="nan"),
        "429 infinite": _limited(Retry_After="inf"),
        "429 an hour": _limited(Retry_After="3600"),
        "429 nonsense": _limited(Retry_After="soon"),
        "429 no credit": error(429, CANARY, code="insufficient_quota"),
        "400": error(400, CANARY),
        "401": error(401, CANARY),
        "403": error(403, CANARY),
        "404": error(404, CANARY),
        "413 too long": error(413, CANARY),
        "500": error(500, CANARY),
        "502 page": Reply(status=502, body=PAGE, headers={"Content-Type": "text/html"}),
        "503": error(503, CANARY),
        "529": error(529, CANARY),
        "204": Reply(status=204),
        "reset before": Reply(silent=True, end="reset"),
        "reset in the body": Reply(body=OK, headers=JSON, sent=9, end="reset"),
        "closed before": Reply(silent=True, end="close"),
        "closed in the body": Reply(body=OK, headers=JSON, sent=40, end="close"),
        "hang before": Reply(silent=True, end="hang"),
        "hang in the body": Reply(body=OK, headers=JSON, sent=40, end="hang"),
        "slow drip": Reply(body=OK, headers=JSON, drip_s=0.05, end="close"),
        "chunks cut": Reply(body=OK, headers=JSON, sent=40, chunked=True, end="close"),
        "length lie": Reply(body=OK, headers=JSON, claimed_length=10**12, end="close"),
        "compressed": Reply(body=OK, headers={**JSON, "Content-Encoding": "gzip"}),
        "truncated json": _body(OK[:60]),
        "junk": _body(b"\xff\xfe\x00{{{"),
        "deep json": _body(b"[" * 50_000),
        "empty": _body(b""),
        "a list": _body(b"[]"),
        "no choices": reply({**completion("x"), "choices": []}),
        "choices null": reply({**completion("x"), "choices": None}),
        "content null": reply(completion(None)),
        "error in 200": reply({"error": {"message": CANARY, "code": 500}}),
        "page in 200": Reply(body=PAGE, headers={"Content-Type": "text/html"}),
        "redirect": Reply(status=302, headers={"Location": elsewhere}),
        "redirect that keeps the method": Reply(status=307, headers={"Location": elsewhere}),
    }
