"""An endpoint with files and batches on loopback: it takes orders, works at its own pace, and counts what it bills."""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from fakes.openai_server import completion

Line = Mapping[str, Any]


@dataclass
class Batch:
    """One order."""

    name: str
    input_file: str
    lines: list[dict[str, Any]]
    metadata: dict[str, str]
    looks: int = 0
    status: str = "in_progress"
    files: dict[str, str] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    age_s: float = 0.0
    made_at: int = field(default_factory=lambda: int(time.time()))


class BatchApi:
    """Serves between `__enter__` and `__exit__`."""

    def __init__(self, answer: Callable[[Line], str | dict[str, Any]], *, looks: int = 1) -> None:
        self.answer = answer
        """A text, or the line to write for a question, without its `custom_id`."""
        self.looks = looks
        """How often a batch is looked at until it is over."""
        self.ending = "completed"
        self.without = False
        """True: it has no Batch API."""
        self.lose_create = False
        """True: the answer to the next order is lost on the way."""
        self.spoil: Callable[[bytes], bytes] = bytes
        """What happens to an output file on its way."""
        self.batches: dict[str, Batch] = {}
        self.uploads: dict[str, bytes] = {}
        self.billed: list[str] = []
        self.direct: list[dict[str, Any]] = []
        """Bodies of the calls at full price."""
        self.seen: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        """Of every request, names in lower case."""
        self.chat_path = "/v1/chat/completions"
        """What a batch must call the path of its requests."""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def base_url(self) -> str:
        """What goes into `provider.base_url`."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        """Start."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def reply(self, method: str, path: str, content_type: str, raw: bytes) -> tuple[int, Any]:
        """Answer one request."""
        self.seen.append((method, path))
        if path.startswith("/openai/"):  # Azure's dated addresses: files and batches belong to no deployment
            address, _, query = path.partition("?")
            date, _, parameters = query.partition("&")
            if not re.fullmatch(r"api-version=\d{4}-\d{2}-\d{2}", date):
                return 404, {"error": {"message": "no api-version"}}
            path = address.replace("/openai/", "/v1/", 1) + (f"?{parameters}" if parameters else "")
        if path == "/v1/chat/completions":
            body = json.loads(raw)
            self.direct.append(body)
            text = self.answer({"body": body})
            return 200, completion(text if isinstance(text, str) else "?", model=body["model"])
        if self.without:
            return 404, {"error": {"message": "no such thing"}}
        if (method, path) == ("POST", "/v1/files"):
            return 200, _described(self._uploaded(content_type, raw), "batch")
        if (method, path) == ("POST", "/v1/batches"):
            return 200, self._created(json.loads(raw))
        if path.startswith("/v1/batches?"):
            return 200, {
                "object": "list",
                "has_more": False,
                "data": [self._shown(batch) for batch in reversed(self.batches.values())],
            }
        if result := re.fullmatch(r"/v1/batches/([\w-]+)", path):
            return 200, self._looked_at(self.batches[result[1]])
        if result := re.fullmatch(r"/v1/files/([\w-]+)-(output|error)(/content)?", path):
            files = self.batches[result[1]].files
            if result[2] not in files:
                return 404, {"error": {"message": "no such file"}}
            if method == "DELETE":
                del files[result[2]]
                return 200, {"id": path.rpartition("/")[2], "object": "file", "deleted": True}
            return 200, self.spoil(files[result[2]].encode()) if result[3] else _described(path.rpartition("/")[2])
        return 404, {"error": {"message": f"this fake does not know {method} {path}"}}

    def _uploaded(self, content_type: str, raw: bytes) -> str:
        boundary = content_type.partition("boundary=")[2].strip('"').encode()
        parts = [part.partition(b"\r\n\r\n") for part in raw.split(b"--" + boundary)]
        fields = {re.findall(rb'name="(\w+)"', head)[0]: body[:-2] for head, _, body in parts if b'name="' in head}
        assert fields[b"purpose"] == b"batch"
        name = f"file-{len(self.uploads)}"
        self.uploads[name] = fields[b"file"]
        return name

    def _created(self, requested: dict[str, Any]) -> dict[str, Any]:
        assert requested["endpoint"] == self.chat_path
        assert requested["completion_window"] == "24h"
        lines = [json.loads(line) for line in self.uploads[requested["input_file_id"]].splitlines()]
        assert {line["url"] for line in lines} == {self.chat_path}
        assert len({line["body"]["model"] for line in lines}) == 1
        assert len({line["custom_id"] for line in lines}) == len(lines)
        name = f"batch-{len(self.batches)}"
        self.batches[name] = Batch(
            name=name, input_file=requested["input_file_id"], lines=lines, metadata=requested["metadata"]
        )
        return self._shown(self.batches[name])

    def _looked_at(self, batch: Batch) -> dict[str, Any]:
        batch.looks += 1
        if batch.looks >= self.looks and batch.status == "in_progress":
            self._finish(batch)
        return self._shown(batch)

    def _finish(self, batch: Batch) -> None:
        batch.status = self.ending
        done = {"completed": len(batch.lines), "expired": len(batch.lines) // 2}.get(self.ending, 0)
        for line in batch.lines[:done]:
            message = self.answer(line)
            answered = (
                {
                    "response": {"status_code": 200, "body": completion(message, model=line["body"]["model"])},
                    "error": None,
                }
                if isinstance(message, str)
                else message
            )
            kind = "output" if isinstance(message, str) else "error"
            row = json.dumps({"custom_id": line["custom_id"], **answered}) + "\n"
            batch.files[kind] = batch.files.get(kind, "") + row
            batch.made.add(kind)
            if isinstance(message, str):
                self.billed.append(line["custom_id"])

    def _shown(self, batch: Batch) -> dict[str, Any]:
        errors = {"data": [{"message": "the file is not right", "line": 1}]} if batch.status == "failed" else None
        return {
            "id": batch.name,
            "object": "batch",
            "endpoint": self.chat_path,
            "input_file_id": batch.input_file,
            "completion_window": "24h",
            "status": batch.status,
            "metadata": batch.metadata,
            "created_at": batch.made_at - int(batch.age_s),
            "errors": errors,
            "request_counts": {"total": len(batch.lines), "completed": 0, "failed": 0},
            **{f"{kind}_file_id": f"{batch.name}-{kind}" for kind in batch.made},
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                fake.headers.append({name.lower(): text for name, text in self.headers.items()})
                status, value = fake.reply(self.command, self.path, self.headers.get("Content-Type") or "", raw)
                if self.path == "/v1/batches" and fake.lose_create:
                    fake.lose_create = False
                    self.close_connection = True
                    return
                content = value if isinstance(value, bytes) else json.dumps(value).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_DELETE = handle_any  # noqa: N815 - the names http.server calls

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's name
                """Keep quiet."""

        return Handler


def _described(name: str, purpose: str = "batch_output") -> dict[str, Any]:
    """Return what the API says of a file."""
    described = {"id": name, "object": "file", "bytes": 1, "created_at": 0, "filename": f"{name}.jsonl"}
    return {**described, "purpose": purpose, "status": "processed"}
