"""The application of example-repo/app answers customers with the version that the bundle has for them, and logs it."""

import http.client
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import processes
from support.processes import LONGEST_S

from promptci.prompts.load import load_prompts
from promptci.registry.bundle_document import BundleDocument, BundleEntry, bundle_version
from promptci.usecases.setup import demo

EXAMPLE = Path(__file__).parents[2] / "example-repo"
PROMPT = "order-extractor"
QUESTION = {"customer": "c-1", "message": "Where is my order HB-48213? It was due on Tuesday."}


def build_bundle(serial: int = 1) -> str:
    paths = [f"prompts/{PROMPT}.prompt.yml"]
    prompts, problems = load_prompts(lambda path: (EXAMPLE / path).read_bytes(), dict.fromkeys(paths, ()))
    assert not problems
    version = bundle_version("v1.0.0", prompts[paths[0]])
    bundle_entry = BundleEntry(stable=version, canary=None, share=0, salt="x")
    return BundleDocument(
        environment="production",
        serial=serial,
        made="2026-03-01T14:00:00Z",
        commit="0" * 40,
        prompts={PROMPT: bundle_entry},
    ).dump()


class Service:
    """The running application."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.log = folder / "requests.jsonl"
        (folder / "bundle.json").write_text(build_bundle())
        command = [sys.executable, str(EXAMPLE / "app" / "server.py"), "--bundle", str(folder / "bundle.json")]
        options = ["--log", str(self.log), "--port", "0", "--refresh", "0.1", *words]
        self.process = processes.start([*command, *options], stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        address = self.process.stdout.readline().strip().removeprefix("http://")
        self.connection = http.client.HTTPConnection(address, timeout=LONGEST_S)

    def send(self, path: str, content: Any, method: str = "POST") -> tuple[int, dict[str, Any]]:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.connection.request(method, path, data)
        response = self.connection.getresponse()
        return response.status, json.loads(response.read())

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> int:
        self.connection.close()
        self.process.terminate()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(timeout=LONGEST_S)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    started = Service(tmp_path)
    yield started
    assert started.stop() == 0


def test_a_customer_is_answered_and_the_desk_s_mark_is_logged(service: Service) -> None:
    status, answer = service.send("/messages", QUESTION)
    assert (status, answer["order"], answer["version"], answer["arm"]) == (200, "HB-48213", "v1.0.0", "stable")
    assert service.send("/marks", {"request": answer["request"], "correct": True}) == (200, {"marked": True})
    request, mark = service.lines
    assert request["promptci.request"] == mark["promptci.request"] == answer["request"]
    assert (request["gen_ai.response.model"], mark["gen_ai.evaluation.score.value"]) == (
        "SmolLM2-135M-Instruct-Q4_1",
        1,
    )
    assert service.send("/health", b"", "GET") == (200, {"prompts": "fresh", "serial": 1, "lost_lines": 0})


def test_a_model_that_does_not_answer_is_an_error_of_the_request_and_in_the_log(service: Service) -> None:
    status, answer = service.send("/messages", {"customer": "c-1", "message": "Nobody has recorded this."})
    assert (status, "the model did not answer" in answer["error"]) == (502, True)
    assert [line["error.type"] for line in service.lines] == ["ModelError"]
    assert service.send("/messages", QUESTION)[0] == 200


UNUSABLE: list[tuple[str, object, int]] = [
    ("/messages", b"{", 400),
    ("/messages", b"[" * 50_000, 400),
    ("/messages", [], 400),
    ("/messages", {"customer": "c-1"}, 400),
    ("/messages", {"customer": "", "message": "x"}, 400),
    ("/messages", {"customer": "c", "message": "x" * 2001}, 400),
    ("/marks", {"request": "x", "correct": 1}, 400),
    ("/elsewhere", {}, 404),
]


def test_what_cannot_be_used_is_refused_and_the_service_goes_on(service: Service) -> None:
    statuses = [service.send(path, content)[0] for path, content, _ in UNUSABLE]
    assert statuses == [status for _, _, status in UNUSABLE]
    assert service.send("/messages", QUESTION)[0] == 200


def test_a_body_that_is_too_large_is_not_read(service: Service) -> None:
    service.connection.putrequest("POST", "/messages")
    service.connection.putheader("Content-Length", "100000000")
    service.connection.endheaders()
    assert service.connection.getresponse().status == 400


def test_a_start_without_a_bundle_says_so_in_a_sentence(tmp_path: Path) -> None:
    words = ["--bundle", str(tmp_path / "none.json"), "--log", str(tmp_path / "log")]
    command = [sys.executable, str(EXAMPLE / "app" / "server.py"), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_S)
    assert (done.returncode, "The service cannot start: no bundle from" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


def test_what_python_compiled_is_not_in_the_demo_s_repository(tmp_path: Path) -> None:
    """Its commits have the same names everywhere."""
    compiled = EXAMPLE / "app" / "__pycache__"
    compiled.mkdir(exist_ok=True)
    (compiled / "left-by-a-test.pyc").write_bytes(b"")
    try:
        demo.create_demo_repository(tmp_path / "shop")
    finally:
        (compiled / "left-by-a-test.pyc").unlink()
    assert sorted(path.name for path in (tmp_path / "shop" / "app").iterdir()) == ["models.py", "server.py"]
