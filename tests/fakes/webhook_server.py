"""A chat's incoming webhook over HTTPS on loopback: keeps what it was sent, and can refuse or redirect."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from support.certificates import create_certificate


class WebhookServer:
    """Takes every message, unless told to answer another status."""

    def __init__(self, folder: Path, *, secure: bool = True) -> None:
        self.status = 200
        self.redirect: str | None = None
        self.messages: list[Any] = []
        self.paths: list[str] = []
        self.pem = folder / "webhook.pem"
        handler = type("Handler", (_Handler,), {"owner": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        context = create_certificate(self.pem)
        if secure:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if secure else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}/services/T000/B000/secret-token"

    @property
    def trusting(self) -> ssl.SSLContext:
        """Return a client's context that trusts this server."""
        return ssl.create_default_context(cafile=str(self.pem))

    @contextmanager
    def serving(self) -> Iterator["WebhookServer"]:
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: a client that does not trust the certificate hangs up."""


class _Handler(BaseHTTPRequestHandler):
    owner: ClassVar[WebhookServer]

    def do_POST(self) -> None:
        owner = self.owner
        owner.paths.append(self.path)
        owner.messages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(302 if owner.redirect else owner.status)
        if owner.redirect:
            self.send_header("Location", owner.redirect)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.owner.paths.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Stay silent."""
