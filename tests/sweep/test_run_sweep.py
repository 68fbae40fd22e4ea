"""The Nth call fails, for every N and every way of failing: what must hold whatever happens."""

import itertools
import json
from pathlib import Path

import pytest
from fakes.openai_server import OpenAIServer, Reply, completion, error, reply
from fakes.virtual_clock import VirtualClock
from fakes.wire_faults import needs_timeout

from promptci.config.run_limits import RunLimits
from promptci.providers.base import Request
from promptci.providers.cache import AnswerCache
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.options import ProviderOptions
from promptci.redact import Redactor
from promptci.runs import journal
from promptci.runs.budget import Budget
from promptci.runs.execute import RunContext, ask_questions
from promptci.runs.journal import Journal
from promptci.runs.model import Question
from promptci.runs.prompt_plan import Arm

CANARY = "sk-CANARY-0123456789abcdefghij"
OK = json.dumps(completion(f"your key is {CANARY}")).encode()
JSON = {"Content-Type": "application/json"}
PASSES = {
    "429": error(429, CANARY),
    "429 with a pause": error(429, Retry_After="5"),
    "500": error(500, CANARY),
    "503": error(503),
    "reset": Reply(body=OK, headers=JSON, sent=9, end="reset"),
    "hang up": Reply(silent=True, end="close"),
    "chunks cut": Reply(body=OK, headers=JSON, sent=9, chunked=True, end="close"),
    "hang": Reply(silent=True, end="hang"),
    "page": Reply(body=b"<html>", headers={"Content-Type": "text/html"}),
    "choices null": reply({"choices": None}),
}
STAYS = {
    "400": (error(400, CANARY), "bad-request", False),
    "too long": (error(400, "x", code="context_length_exceeded"), "context-length", False),
    "401": (error(401, CANARY), "auth", True),
    "404": (error(404, CANARY), "not-found", True),
    "no credit": (error(429, CANARY, code="insufficient_quota"), "quota", True),
}
CALLS = range(6)


def questions() -> list[Question]:
    arms = itertools.product(range(3), (Arm.BASE, Arm.HEAD))
    return [
        Question(
            prompt="p",
            arm=arm,
            case_id=str(case_id),
            replicate=0,
            request=Request(model="m", messages=({"role": "user", "content": f"{arm} {case_id}"},)),
        )
        for case_id, arm in arms
    ]


def everything_written(folder: Path) -> str:
    return "".join(path.read_text() for path in folder.rglob("*.jsonl"))


async def run(server: OpenAIServer, folder: Path, *, timeout_s: float = 60.0) -> list[str]:
    """Ask all, check what always holds, and give what came of each question."""
    redactor = Redactor([CANARY])
    options = ProviderOptions(base_url=server.base_url, timeout_s=timeout_s)
    provider = OpenAIProvider(options, key=CANARY, redactor=redactor, clock=VirtualClock().clock)
    cache = AnswerCache(folder / "cache", namespace="n", secret=CANARY)
    with Journal.open(folder / "journal.jsonl", redactor=redactor) as book:
        run_context = RunContext(budget=Budget(), cache=cache, journal=book)
        rows = await ask_questions(questions(), provider, limits=RunLimits(concurrency=1), run_context=run_context)
    await provider.aclose()
    cache.close()

    assert [row.key for row in rows] == [q.key for q in questions()]
    _, kept = journal.load_journal(folder / "journal.jsonl")
    assert [(row.key, row.error) for row in kept] == [(row.key, row.error) for row in rows]
    assert "CANARY" not in everything_written(folder)
    return ["answered" if row.error is None else row.error.kind for row in rows]


PASSING = [(kind, at) for kind in PASSES for at in CALLS if (kind, at) != ("page", 0)]
"""A web page in place of the first answer is no failure that passes: the address is wrong (test_openai_chat.py)."""


@pytest.mark.long
@pytest.mark.parametrize(("kind", "at"), PASSING)
async def test_a_failure_that_passes_costs_one_more_call_and_no_answer(kind: str, at: int, tmp_path: Path) -> None:
    with OpenAIServer(lambda _: f"your key is {CANARY}", faults={at: PASSES[kind]}) as server:
        timeout_s = 0.5 if needs_timeout(PASSES[kind]) else 60.0
        assert await run(server, tmp_path, timeout_s=timeout_s) == ["answered"] * 6

    assert len(server.calls) == 7


@pytest.mark.long
@pytest.mark.parametrize("at", CALLS)
@pytest.mark.parametrize("kind", STAYS)
async def test_a_failure_that_stays_costs_its_answer_or_where_hopeless_the_rest(
    kind: str, at: int, tmp_path: Path
) -> None:
    wire, name, fatal = STAYS[kind]
    with OpenAIServer(lambda _: "fine", faults={at: wire}) as server:
        outcomes = await run(server, tmp_path)

    after = [name] * (5 - at) if fatal else ["answered"] * (5 - at)
    assert outcomes == ["answered"] * at + [name] + after
    assert len(server.calls) == (at + 1 if fatal else 6)
