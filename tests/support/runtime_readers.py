"""The runtime in Python and in JavaScript behind one face, so that one test holds both to the same promises."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from fakes import tools
from support.processes import LONGEST_S

from promptci import runtime

DATA = Path(__file__).parents[1] / "data" / "runtime_vectors.json"
VECTORS: dict[str, Any] = json.loads(DATA.read_text(encoding="utf-8"))
ORDER = "order-extractor"


class Refused(Exception):  # noqa: N818 - what a reader did
    """What the runtime raised: the name of the class, and the message."""


class Reader(Protocol):
    """A runtime under test."""

    def load(self, url: str, **options: Any) -> None: ...
    def choose(self, prompt: str, key: str | None) -> dict[str, Any]: ...
    def messages(self, variables: dict[str, Any]) -> list[dict[str, str]]: ...
    def record(self, **facts: Any) -> str: ...
    def late(self, request: str, **facts: Any) -> None: ...
    def settle(self) -> None:
        """Wait for the fetch in the background."""

    def state(self) -> dict[str, Any]: ...


class PythonReader:
    """promptci/runtime.py, in this process."""

    def __init__(self) -> None:
        self.troubles: list[str] = []

    def load(self, url: str, **options: Any) -> None:
        if "builtin" in options:
            options["builtin"] = options["builtin"].encode()
        try:
            self.bundle = runtime.Bundle(url, on_trouble=self.troubles.append, **options)
        except runtime.BundleError as error:
            raise Refused("BundleError", str(error)) from error

    def choose(self, prompt: str, key: str | None) -> dict[str, Any]:
        try:
            self.use = self.bundle.choose(prompt, key)
        except runtime.PromptError as error:
            raise Refused("PromptError", str(error)) from error
        names = ("name", "arm", "version", "fingerprint", "model", "parameters")
        return {name: getattr(self.use, name) for name in names}

    def messages(self, variables: dict[str, Any]) -> list[dict[str, str]]:
        try:
            return self.use.messages(variables)
        except runtime.PromptError as error:
            raise Refused("PromptError", str(error)) from error

    def record(self, **facts: Any) -> str:
        return self.use.record(**facts)

    def late(self, request: str, **facts: Any) -> None:
        self.bundle.late(request, **facts)

    def settle(self) -> None:
        self.bundle._thread.join()

    def state(self) -> dict[str, Any]:
        content = self.bundle.content
        result = {"digest": content.digest, "serial": content.serial, "environment": content.environment}
        dropped = self.bundle.requests.dropped
        return {"state": self.bundle.state, "troubles": self.troubles, "dropped": dropped, **result}


class NodeReader:
    """javascript/promptci-runtime.mjs, in a process that forgets what an earlier test did in it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert self._ask("begin", environ=dict(os.environ)) == "ready"

    def _ask(self, command: str, **rest: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command, **rest}) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise Refused(answer["error"], answer["message"])
        return answer["value"]

    def load(self, url: str, **options: Any) -> None:
        self._ask(
            "load",
            url=url,
            options={
                name: value if isinstance(value, float | int | dict | list) else str(value)
                for name, value in options.items()
            },
        )

    def choose(self, prompt: str, key: str | None) -> dict[str, Any]:
        result: dict[str, Any] = self._ask("choose", prompt=prompt, key=key)
        return result

    def messages(self, variables: dict[str, Any]) -> list[dict[str, str]]:
        result: list[dict[str, str]] = self._ask("messages", variables=variables)
        return result

    def record(self, **facts: Any) -> str:
        named = {"latency_ms": "latencyMs", "cost_usd": "costUsd"}
        return str(self._ask("record", facts={named.get(name, name): value for name, value in facts.items()}))

    def late(self, request: str, **facts: Any) -> None:
        self._ask("late", request=request, facts=facts)

    def settle(self) -> None:
        self._ask("settle")

    def state(self) -> dict[str, Any]:
        result: dict[str, Any] = self._ask("state")
        return result


@contextmanager
def started_node() -> Iterator["subprocess.Popen[str]"]:
    """Yield the process of the readers in JavaScript; skip the test, or fail it where npm is required, without Node."""
    node = shutil.which("node")
    if node is None:
        tools.missing("npm", "node is not installed")
    script = Path(__file__).with_name("runtime_reader.mjs")
    with subprocess.Popen(
        [str(node), str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=LONGEST_S)


def bundle(serial: int = 41, **changes: Any) -> str:
    """The bundle of the vectors, with another serial."""
    return json.dumps({**VECTORS["bundle"], "serial": serial, **changes})
