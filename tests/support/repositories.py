"""A repository with one prompt that copies an order number, and a server whose model behaves as the prompt says."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fakes.openai_server import Call, OpenAIServer, Reply
from fakes.repo import RepoBuilder

from promptci.app.progress import PlainProgress
from promptci.app.requests import CheckRequest, RunResult
from promptci.evaluation import check
from promptci.pipeline.environment import Environment
from promptci.report.model.report import PromptView, ReportView

PROMPT = "prompts/order.prompt.yml"
GOLDENS = "goldens/order.jsonl"
GOOD = "Copy the order number."
BAD = "Copy the order number and be chatty."
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def prompt(instruction: str, *, extra: str = "") -> str:
    return (
        "model: fake-1\nmodelParameters: {temperature: 0, maxTokens: 16}\nmessages:\n"
        f"  - role: system\n    content: {json.dumps(instruction)}\n"
        f"  - role: user\n    content: '{{{{input}}}}'\n{extra}"
    )


def goldens(count: int, **options: Any) -> str:
    rows = [
        {"id": f"c{i:03}", "vars": {"input": f"where is GH-{1000 + i}?"}, "expected": f"GH-{1000 + i}", **options}
        for i in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


def config(server: OpenAIServer | None = None, **sections: Any) -> str:
    base = {"base_url": server.base_url} if server is not None else {}
    provider = {**base, **sections.pop("provider", {})}
    # No latency limit: a busy machine must not decide a test.
    gate = {"max_p95_increase": None, **sections.pop("gate", {})}
    # A number is used from the first call: a pace that starts slowly would take seconds of every test.
    # One answer a case: tests of automatic repeats say so.
    run = {"concurrency": 8, "repeats": 1, **sections.pop("run", {})}
    return json.dumps({"version": 1, "provider": provider, "gate": gate, "run": run, **sections})


def model(call: Call) -> str:
    """Copies the number; half of the time it chats when told to."""
    number = re.search(r"GH-(\d+)", call.last_user_message)
    if number is None:
        return "I see no number."
    system = call.body["messages"][0]["content"]
    chatty = "chatty" in system and int(number[1]) % 2
    return f"Sure! Your number is {number[0]}" if chatty else number[0]


def serving(answer: Callable[[Call], Reply | str] = model, **options: Any) -> OpenAIServer:
    return OpenAIServer(answer, **options)


def shop(path: Path, files: Mapping[str, str | bytes], server: OpenAIServer | None = None) -> RepoBuilder:
    """A repository whose main branch has these files (and a configuration for the server), with a branch `pr`."""
    start = {"promptci.yml": config(server)} if server is not None else {}
    builder = RepoBuilder(path / "shop").write({**start, **files})
    builder.commit("base")
    return builder.branch("pr")


def make_environment(**environ: str) -> tuple[Environment, list[str]]:
    message: list[str] = []
    return Environment(
        environ=environ, progress=PlainProgress(message.append), print=message.append, now=lambda: NOW
    ), message


def checked(builder: RepoBuilder, *, environ: Mapping[str, str] | None = None, **request: Any) -> RunResult:
    out = request.pop("out", builder.path.parent / "out")
    return check.check(CheckRequest(root=builder.path, out=out, **request), make_environment(**(environ or {}))[0])


def view(outcome: RunResult) -> ReportView:
    assert outcome.view is not None
    return outcome.view


def only(outcome: RunResult) -> PromptView:
    (prompt_view,) = view(outcome).prompts
    return prompt_view
