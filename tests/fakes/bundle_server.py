"""A server of bundles that can fail in every way a server can; it serves real requests on loopback."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar


class BundleServer:
    """Serves `body` with its ETag, unless told to fail."""

    def __init__(self) -> None:
        self.body = b""
        self.status = 200
        self.etag: str | None = None
        """None: the digest of the body."""
        self.cut = 0
        """Bytes of the body that are announced and not sent."""
        self.redirect: str | None = None
        self.gate = threading.Event()
        """Answers wait for it."""
        self.gate.set()
        self.requests: list[dict[str, str]] = []
        """Headers of each, in lower case."""
        self.statuses: list[int] = []
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/production.bundle.json"

    @contextmanager
    def serving(self) -> Iterator["BundleServer"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.gate.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a reader that has enough hangs up."""


class _Handler(BaseHTTPRequestHandler):
    owner: ClassVar[BundleServer]

    def do_GET(self) -> None:
        owner = self.owner
        owner.requests.append({name.lower(): value for name, value in self.headers.items()})
        owner.gate.wait(60)
        etag = owner.etag or f'"{hashlib.sha256(owner.body).hexdigest()[:16]}"'
        if owner.redirect is not None:
            self._head(302, Location=owner.redirect)
        elif owner.status == 200 and self.headers.get("If-None-Match") == etag:
            self._head(304, ETag=etag)
        else:
            length = str(len(owner.body))
            self._head(owner.status, **{"Content-Length": length, "ETag": etag})
            self.wfile.write(owner.body[: len(owner.body) - owner.cut])

    def _head(self, status: int, **headers: str) -> None:
        self.owner.statuses.append(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""
