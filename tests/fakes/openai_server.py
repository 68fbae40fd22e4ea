"""An OpenAI-compatible server on loopback that answers as told, and fails as told: real sockets, no patches.

Run as a program it prints its base URL and serves until it is stopped: `python openai_server.py --latency 0.05`.
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One request as it arrived."""

    number: int
    """Counted from 0."""
    method: str
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Any
    """Parsed JSON, or None where there is none."""

    @property
    def last_user_message(self) -> str:
        """What the user said last."""
        return next((m["content"] for m in reversed(self.body["messages"]) if m["role"] == "user"), "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What goes over the wire."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    body: bytes = b""
    delay_s: float = 0.0
    """Before the first byte."""
    drip_s: float | None = None
    """Seconds between two bytes of the body; None sends it at once."""
    sent: int | None = None
    """How many bytes of the body really leave; None: all."""
    end: str = "keep"
    """After the body: `keep` the connection, `close` it, `reset` it, or `hang`."""
    claimed_length: int | None = None
    """Content-Length to claim; None: the true one."""
    chunked: bool = False
    """Send in chunks; cut short where `sent` is given."""
    silent: bool = False
    """No status line at all: only the end."""


def completion(text: str | None, *, model: str = "fake-1", **message: Any) -> dict[str, Any]:
    """Return a body like the API's, with a usage of one token a word."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "system_fingerprint": "fp_fake",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **message}}
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": len((text or "").split()), "total_tokens": 0},
    }


def reply(value: Any, *, status: int = 200, **headers: str) -> Reply:
    """Return `value` as a JSON reply; `Retry_After="3"` becomes the header `Retry-After: 3`."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status=status, body=json.dumps(value).encode(), headers={"Content-Type": "application/json", **named})


def error(status: int, message: str = "failed", *, code: str | None = None, **headers: str) -> Reply:
    """Return an error as the API words it."""
    return reply({"error": {"message": message, "type": "fake_error", "code": code}}, status=status, **headers)


def bag_of_words(text: str, dimensions: int = 64) -> list[float]:
    """Return a vector that counts words: the more words two texts share, the nearer they are."""
    vector = [0.0] * dimensions
    for word in re.findall(r"\w+", text.lower()):
        vector[int(hashlib.sha256(word.encode()).hexdigest(), 16) % dimensions] += 1.0
    return vector


def embedding(vector: Any, *, model: str = "fake-embedding", tokens: int = 3) -> dict[str, Any]:
    """Return a body like the API's for one text."""
    return {
        "object": "list",
        "data": [{"object": "embedding", "index": 0, "embedding": vector}],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _embedded(call: Call) -> Reply:
    """Answer as the API does, which takes no empty text."""
    text = call.body["input"]
    if not text:
        return error(400, "'input' cannot be an empty string")
    return reply(embedding(bag_of_words(text), model=call.body["model"], tokens=len(text.split())))


class OpenAIServer:
    """Serves in a thread between `__enter__` and `__exit__`."""

    def __init__(
        self,
        answer: Callable[[Call], Reply | str] = lambda call: f"you said {call.last_user_message}",
        *,
        embed: Callable[[Call], Reply] = _embedded,
        faults: Mapping[int, Reply] | None = None,
        latency_s: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.calls: list[Call] = []
        self.at_once = 0
        """Calls being answered now."""
        self.most_at_once = 0
        self._answer = answer
        self._embed = embed
        self._faults = dict(faults or {})
        self._latency_s = latency_s
        self._tls = tls
        self._port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """Port it listens on."""
        return self._port

    @property
    def base_url(self) -> str:
        """What goes into `provider.base_url`."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> Self:
        """Start; returns when it listens."""
        self._thread.start()
        if not self._ready.wait(60):
            message = "the fake server did not start"
            raise RuntimeError(message)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, dropping what is still being answered."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0, ssl=self._tls, backlog=1024)
        self._port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._handle_request(reader, writer):
                    pass
        finally:
            writer.transport.abort() if self._stop.is_set() else writer.close()

    async def _handle_request(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; True where the connection stays open."""
        call = await self._read(reader)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            chosen = self._reply_to(call)
            await asyncio.sleep(self._latency_s + chosen.delay_s)
        finally:
            self.at_once -= 1
        if not chosen.silent:
            await _send(writer, chosen)
        if chosen.end == "hang":
            await self._stop.wait()
        if chosen.end == "reset":
            _reset(writer)
        return chosen.end == "keep"

    async def _read(self, reader: asyncio.StreamReader) -> Call:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.rstrip("\r\n").split("\r\n")
        method, path, _ = first.split(" ", 2)
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        call = Call(
            number=len(self.calls),
            method=method,
            path=path,
            headers=headers,
            body=json.loads(body) if body else None,
        )
        self.calls.append(call)
        return call

    def _reply_to(self, call: Call) -> Reply:
        if call.number in self._faults:
            return self._faults[call.number]
        if (call.method, call.path) == ("POST", "/v1/embeddings"):
            return self._embed(call)
        if (call.method, call.path) != ("POST", "/v1/chat/completions"):
            return error(404, f"this fake does not know {call.method} {call.path}")
        answer = self._answer(call)
        return answer if isinstance(answer, Reply) else reply(completion(answer, model=call.body["model"]))


async def _send(writer: asyncio.StreamWriter, chosen: Reply) -> None:
    headers = dict(chosen.headers)
    if chosen.chunked:
        headers["Transfer-Encoding"] = "chunked"
    else:
        headers["Content-Length"] = str(len(chosen.body) if chosen.claimed_length is None else chosen.claimed_length)
    lines = [f"HTTP/1.1 {chosen.status} Status", *(f"{name}: {value}" for name, value in headers.items())]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    pieces = list(_pieces(chosen))
    writer.write(head + (b"" if chosen.drip_s else b"".join(pieces)))
    await writer.drain()
    for piece in pieces if chosen.drip_s else ():
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(chosen.drip_s or 0.0)


def _pieces(chosen: Reply) -> Iterator[bytes]:
    body = chosen.body if chosen.sent is None else chosen.body[: chosen.sent]
    parts = [body[i : i + 1] for i in range(len(body))] if chosen.drip_s else [body]
    for part in parts:
        yield b"%x\r\n%s\r\n" % (len(part), part) if chosen.chunked else part
    if chosen.chunked and chosen.sent is None:
        yield b"0\r\n\r\n"


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN, as a crashed peer does."""
    raw = writer.get_extra_info("socket")
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    latency = parser.parse_args().latency
    with OpenAIServer(latency_s=latency) as server:
        print(server.base_url, flush=True)  # noqa: T201 - the caller reads the address here
        threading.Event().wait()


if __name__ == "__main__":
    _main()
