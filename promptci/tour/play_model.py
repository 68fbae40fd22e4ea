"""The model of the play: recorded answers of the embedded model, and a rule for prompts that were never recorded."""

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from promptci.files import canonical

FIRST_MODEL, SECOND_MODEL = "SmolLM2-135M-Instruct-2026-03", "SmolLM2-135M-Instruct-2026-10"
"""As the responses name it, before and after its provider changes it."""
NOISE = 0.012
"""Share of answers that differ from one night to the next."""


def chance(*parts: object) -> float:
    """Return a number from 0 to 1 that is always the same for these parts."""
    drawn = sha256("|".join(str(part) for part in parts).encode()).digest()
    return int.from_bytes(drawn[:6], "big") / 2**48


class PlayModel:
    """An endpoint on loopback; what it answers depends on the request, the day, and which model is behind it."""

    def __init__(self, recorded: Iterable[str], expected: Mapping[str, str], error_rates: Mapping[str, float]) -> None:
        """Answer from a recording; other requests by `expected`, with an error rate for words of the system message."""
        self._recorded: dict[str, str] = {}
        for line in recorded:
            row = json.loads(line)
            if row["request"]["user"].endswith("Language:"):  # the embedded model is too small for that prompt
                continue
            self._recorded.setdefault(row["key"], row["completion"]["text"])
        self._expected, self._error_rates = expected, error_rates
        self._asked: Counter[str] = Counter()
        self.day = ""
        """The night in which some answers differ; empty: a check, in which none does."""
        self.is_new = False
        """Whether the provider has changed the model behind the alias."""
        handler = type("PlayHandler", (_Handler,), {"model": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def address(self) -> str:
        """Base of the endpoint."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @contextmanager
    def open_night(self, now: datetime) -> Iterator[None]:
        """Let some answers differ from those of other nights."""
        self.day = f"{now:%Y-%m-%d}"
        yield
        self.day = ""

    def answer(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the completion of a request."""
        key = canonical.digest({name: value for name, value in body.items() if name != "stream"})
        self._asked[key] += 1
        text = self._text(key, body)
        is_moved = self.is_new and "2026-03" not in str(body["model"])
        words = sum(len(str(message["content"]).split()) for message in body["messages"])
        return {
            "id": f"chatcmpl-{key[:12]}",
            "object": "chat.completion",
            "model": SECOND_MODEL if is_moved else FIRST_MODEL,
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": round(words * 1.4), "completion_tokens": max(1, len(text) // 4)},
        }

    def _text(self, key: str, body: Mapping[str, Any]) -> str:
        asked = next((message["content"] for message in reversed(body["messages"]) if message["role"] == "user"), "")
        case = next((case for case in self._expected if case in asked), None)
        if case is None:
            return "English"
        right, wrong = self._expected[case], "none" if self._expected[case] != "none" else "HB-10000"
        if self.is_new and "2026-03" not in str(body["model"]) and chance("moved", case) < 0.16:
            return wrong
        if self.day and chance("noise", case, self.day, self._asked[key]) < NOISE:
            return wrong
        if key in self._recorded:
            return self._recorded[key]
        rate = next(
            (rate for words, rate in self._error_rates.items() if words in body["messages"][0]["content"]), 0.05
        )
        return wrong if chance("hard", case) < rate else right


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # a client opens many connections at once; refused ones are tried again after seconds


class _Handler(BaseHTTPRequestHandler):
    model: PlayModel
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        data = json.dumps(self.model.answer(body)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it
        """Write no access log."""
