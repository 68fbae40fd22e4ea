"""The endpoint that is asked: OpenAI-compatible, answers after a fixed time, and costs as little as Python can.

    python benchmarks/endpoint.py --latency 0.05 --rate 0

It prints its base URL and serves until its input is closed, then prints how many calls it answered and refused and the
seconds of processor time that took. With `--rate` it allows so many calls a second, as a token bucket does, and refuses
the rest with HTTP 429.
"""

import argparse
import asyncio
import json
import os
import re
import resource
import sys
import time
from pathlib import Path
from typing import Any

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
LAST_NUMBER = re.compile(r"(\d+)\D*$")


def answer(body: bytes) -> bytes:
    """Answer with the last number that was said."""
    asked = json.loads(body)
    found = LAST_NUMBER.search(asked["messages"][-1]["content"])
    text = f"The number you gave is {found[1] if found else 'missing'}, which I have checked twice."
    value = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": asked["model"],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 60, "completion_tokens": 12, "total_tokens": 72},
    }
    return json.dumps(value).encode()


class Connection(asyncio.Protocol):
    """One keep-alive connection."""

    calls = 0
    refused = 0
    last_answer = 0.0
    """When the last answer was sent, in seconds since the epoch."""

    def __init__(self, latency_s: float, bucket: "Bucket | None") -> None:
        """Hold what every connection shares."""
        self._latency_s = latency_s
        self._bucket = bucket
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to answer."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each whole request."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            found = LENGTH.search(self._buffer, 0, end + 2)
            size = end + 4 + (int(found[1]) if found else 0)
            if len(self._buffer) < size:
                return
            body, self._buffer = self._buffer[end + 4 : size], self._buffer[size:]
            Connection.calls += 1
            if self._bucket is not None and not self._bucket.take(asyncio.get_running_loop().time()):
                Connection.refused += 1
                self._send(b"429 Too Many Requests", b'{"error":{"message":"slow down","code":"rate_limit_exceeded"}}')
            else:
                later = asyncio.get_running_loop().call_later
                later(self._latency_s, self._send, b"200 OK", answer(body))

    def _send(self, status: bytes, body: bytes) -> None:
        Connection.last_answer = time.time()
        if not self._transport.is_closing():
            head = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
            self._transport.write(head + body)


class Bucket:
    """Tokens that drip in at a rate; each call takes one."""

    def __init__(self, rate: float) -> None:
        """Start full: as many as drip in within a tenth of a second."""
        self._rate = rate
        self._most = self._tokens = max(1.0, rate / 10)
        self._at = 0.0

    def take(self, now: float) -> bool:
        """Take one, if there is one."""
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def write_last_answer(path: str) -> None:
    """Write when the last answer was sent, where a path is given."""
    if path:
        Path(path).write_text(str(Connection.last_answer))


async def serve(latency_s: float, rate: float) -> None:
    """Serve until the input is closed."""
    loop = asyncio.get_running_loop()
    bucket = Bucket(rate) if rate else None
    server = await loop.create_server(lambda: Connection(latency_s, bucket), "127.0.0.1", 0, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()
    write_last_answer(os.environ.get("BENCH_LAST_ANSWER", ""))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(Connection.calls, Connection.refused, used.ru_utime + used.ru_stime, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds before each answer")
    parser.add_argument("--rate", type=float, default=0.0, help="calls allowed a second; 0: all")
    given = parser.parse_args()
    asyncio.run(serve(given.latency, given.rate))
