"""The shop's service: finds the order number in a customer's message, with the prompt that the bundle has for them.

    python app/server.py --bundle dist/production.bundle.json --log logs/requests.jsonl

    POST /messages {"customer": "c-17", "message": "Where is HB-48213?"}  ->  {"request": …, "order": …, "version": …}
    POST /marks    {"request": …, "correct": true}     what the desk found out later
    GET  /health                                       where the prompts come from

Standard library and promptci.runtime only; models.py stands for the model.
"""

import argparse
import json
import logging
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from models import ModelClient, ModelError, open_model
from promptci.errors import PromptciError
from promptci.runtime import Bundle, BundleError

PROMPT = "order-extractor"
MAX_BODY_BYTES = 64 * 1024
MAX_MESSAGE_CHARS = 2000
ROOT = Path(__file__).resolve().parents[1]


class BadRequest(Exception):
    """The caller sent what cannot be used."""


class Desk:
    """Answers customers, and remembers what the desk said of the answers."""

    def __init__(self, prompts: Bundle, model: ModelClient) -> None:
        self._prompts, self._model = prompts, model

    def find_order(self, customer: str, message: str) -> dict:
        """Return the order number of a message, by the version of the prompt that this customer gets."""
        use = self._prompts.choose(PROMPT, key=customer)
        try:
            answer = self._model.ask(use.model, use.messages(message=message), use.parameters)
        except ModelError as error:
            use.record(error=error)
            raise
        request = use.record(answer=answer.response, latency_ms=answer.latency_ms)
        return {"request": request, "order": answer.text, "version": use.version, "arm": use.arm}

    def mark(self, request: str, *, correct: bool) -> None:
        """Log whether the order number was the right one."""
        self._prompts.late(request, quality=int(correct))

    def health(self) -> dict:
        """Return where the prompts come from, which bundle it is, and how many lines of the log were lost."""
        self._prompts.choose(PROMPT)  # an application without customers refreshes its prompts too
        bundle = self._prompts.content
        return {"prompts": self._prompts.state, "serial": bundle.serial, "lost_lines": self._prompts.requests.dropped}


class Handler(BaseHTTPRequestHandler):
    """Turns HTTP into calls of the desk."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30
    desk: Desk

    def do_GET(self) -> None:
        """Answer /health."""
        if self.path == "/health":
            self._send(200, self.desk.health())
        else:
            self._send(404, {"error": "there is no such page"})

    def do_POST(self) -> None:
        """Answer /messages and /marks."""
        try:
            body = self._read_body()
            if self.path == "/messages":
                customer, message = _text(body, "customer", 200), _text(body, "message", MAX_MESSAGE_CHARS)
                self._send(200, self.desk.find_order(customer, message))
            elif self.path == "/marks":
                self.desk.mark(_text(body, "request", 100), correct=_flag(body, "correct"))
                self._send(200, {"marked": True})
            else:
                self._send(404, {"error": "there is no such page"})
        except BadRequest as error:
            self._send(400, {"error": str(error)})
        except ModelError as error:
            self._send(502, {"error": f"the model did not answer: {error}"})

    def _read_body(self) -> dict:
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = -1
        if not 0 <= length <= MAX_BODY_BYTES:
            self.close_connection = True  # the body was not read
            raise BadRequest(f"send Content-Length, at most {MAX_BODY_BYTES} bytes")
        try:
            body = json.loads(self.rfile.read(length))
        except (ValueError, RecursionError) as error:
            raise BadRequest("the body is not JSON") from error
        if not isinstance(body, dict):
            raise BadRequest("the body is not an object")
        return body

    def _send(self, status: int, content: dict) -> None:
        data = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, form: str, *values: object) -> None:
        """Leave the access log out: the request log has a line for each answer."""


def _text(body: dict, key: str, most: int) -> str:
    value = body.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise BadRequest(f"`{key}` is not a text of at most {most} characters")
    return value


def _flag(body: dict, key: str) -> bool:
    value = body.get(key)
    if not isinstance(value, bool):
        raise BadRequest(f"`{key}` is neither true nor false")
    return value


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", required=True, help="address or file of the bundle")
    parser.add_argument("--copy", help="file that keeps the last good bundle")
    parser.add_argument("--refresh", type=float, default=60.0, help="seconds after which it is fetched again")
    parser.add_argument("--log", required=True, help="request log to append to")
    parser.add_argument("--model", choices=("recorded", "embedded"), default="recorded")
    parser.add_argument("--answers", type=Path, default=ROOT / "answers" / "smollm2-135m.jsonl")
    parser.add_argument("--port", type=int, default=8000, help="0: any free one, which is printed")
    arguments = parser.parse_args()
    logging.basicConfig(format="%(levelname)s %(message)s")
    options = {"copy": arguments.copy, "refresh": arguments.refresh, "log": arguments.log}
    try:
        prompts = Bundle(arguments.bundle, needs=[PROMPT], **options)
        Handler.desk = Desk(prompts, open_model(arguments.model, arguments.answers))
        server = ThreadingHTTPServer(("127.0.0.1", arguments.port), Handler)
    except (BundleError, PromptciError, OSError) as error:
        sys.exit(f"The service cannot start: {error}")
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
