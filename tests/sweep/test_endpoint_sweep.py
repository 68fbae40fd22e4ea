"""The endpoint fails the Nth call, for every N and every kind, once or from then on: whole checks, to their files.

What must hold whatever happens: it ends in time; verdict and exit code agree; `pass` only with every pair; what is in
the journal is not asked again; and the key is in no byte that is written. A request that the endpoint refuses (HTTP 400
or 413) is a wrong answer of its version; every other failure is a missing answer.
"""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.openai_server import Call, OpenAIServer, Reply
from fakes.repo import RepoBuilder
from fakes.virtual_clock import VirtualClock
from fakes.wire_faults import CANARY, WALL, faults, needs_timeout
from support.daily import some_daily
from support.repositories import GOLDENS, GOOD, PROMPT, config, goldens, make_environment, model, prompt, shop, view

from promptci.app.requests import CheckRequest, RunResult
from promptci.evaluation import check
from promptci.providers.http.openai_chat import OpenAIProvider
from promptci.providers.options import ProviderOptions
from promptci.redact import Redactor
from promptci.report.model.case import AnswerView
from promptci.runs import journal

CASES = 4
CALLS = 2 * CASES
KINDS = sorted(faults(""))
REFUSALS = {400, 413}
"""Statuses that say that the request itself is wrong."""
EXIT = {"pass": 0, "inconclusive": 0, "fail": 1, "error": 4}
LONGEST_S = 120.0
PATIENCE_S = 60.0
"""Longer than a good answer takes on any machine."""


class Failing:
    """Answers well but for the Nth call, or for all from the Nth on."""

    def __init__(self, fault: Reply | None, at: int, *, for_ever: bool) -> None:
        self.fault, self.at, self.for_ever = fault, at, for_ever

    def __call__(self, call: Call) -> Reply | str:
        hit = call.number >= self.at if self.for_ever else call.number == self.at
        return self.fault if hit and self.fault is not None else model(call)


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> RepoBuilder:
    files = {
        "promptci.yml": config(gate={"max_drop": 0.9}, run={"cache": None, "memory": None, "concurrency": 4}),
        PROMPT: prompt(GOOD),
        GOLDENS: goldens(CASES),
    }
    repo_builder = shop(tmp_path_factory.mktemp("sweep"), files)
    repo_builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
    return repo_builder


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


def ask(builder: RepoBuilder, server: OpenAIServer, out: Path, *, timeout_s: float = PATIENCE_S) -> RunResult:
    options = ProviderOptions(base_url=server.base_url, timeout_s=timeout_s)
    clock = VirtualClock(wall=WALL).clock
    provider = OpenAIProvider(options, key=CANARY, redactor=Redactor([CANARY]), clock=clock)
    return check.check(
        CheckRequest(root=builder.path, out=out, answers=provider), make_environment(OPENAI_API_KEY=CANARY)[0]
    )


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def swept(builder: RepoBuilder, fault: Reply, at: int, out: Path, *, for_ever: bool) -> RunResult:
    """Run a check against the failing endpoint, assert what always holds, and run on against a good one."""
    with OpenAIServer(Failing(fault, at, for_ever=for_ever)) as server:
        began = time.monotonic()
        outcome = ask(builder, server, out, timeout_s=0.5 if needs_timeout(fault) else PATIENCE_S)
        assert time.monotonic() - began < LONGEST_S
    assert outcome.view is not None
    (result,) = outcome.view.prompts
    assert outcome.exit_code == EXIT[outcome.view.verdict]
    assert b"CANARY" not in everything(out)
    missing = result.errors
    if fault.status in REFUSALS:
        missing = refused(outcome)
    else:
        assert (outcome.view.verdict == "pass") == (result.errors == 0)
        assert outcome.view.verdict in ("pass", "error")
        assert result.pairs >= CASES - result.errors
        assert result.pairs == CASES or outcome.view.verdict == "error"

    if at % 3 == 2:  # what a resumed run does depends on what is missing, not on why
        resumed(builder, missing, out)
    return outcome


def refused(outcome: RunResult) -> int:
    """Assert that each refusal counts as a wrong answer of its version, and return how many there are."""
    (result,) = view(outcome).prompts
    base, head = (
        sum(map(was_refused, side)) for side in zip(*((c.base, c.head) for c in result.case_details), strict=True)
    )
    assert base + head > 0
    assert (result.errors, result.pairs) == (0, CASES)
    assert result.quality is not None
    assert (result.quality.base, result.quality.head) == (1 - base / CASES, 1 - head / CASES)
    # The margin is 90 points: a base that is not right throughout cannot lose as much.
    if base + head == CALLS:
        assert result.verdict == "error"
    elif base > 0:
        assert result.verdict == "inconclusive"
    else:
        assert (result.verdict, head) == ("pass", 1)
    return base + head


def was_refused(answer: AnswerView | None) -> bool:
    return answer is not None and any("the request itself makes the call fail" in mark.reason for mark in answer.marks)


def resumed(builder: RepoBuilder, missing: int, out: Path) -> None:
    """Run once more against a good endpoint, as after a kill before the report was written."""
    _, rows = journal.load_journal(out / "journal.jsonl")
    answered = {row.request_key for row in rows if row.completion is not None}
    assert len(answered) == CALLS - missing
    (out / "report.json").unlink()
    with OpenAIServer(model) as server:
        again = ask(builder, server, out)
        assert len(server.calls) == CALLS - len(answered)
    assert again.view is not None
    assert (again.view.verdict, again.exit_code) == ("pass", 0)


@pytest.mark.parametrize("kind", some_daily(KINDS, 15))
def test_one_call_fails(kind: str, builder: RepoBuilder, elsewhere: OpenAIServer, tmp_path: Path) -> None:
    swept(builder, faults(elsewhere.base_url)[kind], 5, tmp_path, for_ever=False)
    assert elsewhere.calls == []


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_every_call_fails_once(kind: str, builder: RepoBuilder, elsewhere: OpenAIServer, tmp_path: Path) -> None:
    for at in range(CALLS):
        swept(builder, faults(elsewhere.base_url)[kind], at, tmp_path / str(at), for_ever=False)
    assert elsewhere.calls == []


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_every_call_fails_from_the_nth_on(
    kind: str, builder: RepoBuilder, elsewhere: OpenAIServer, tmp_path: Path
) -> None:
    for at in (0, 2, CALLS - 1):
        fault = faults(elsewhere.base_url)[kind]
        outcome = swept(builder, fault, at, tmp_path / str(at), for_ever=True)
        assert view(outcome).verdict != "pass" or (fault.status in REFUSALS and at == CALLS - 1)
        assert fault.status in REFUSALS or outcome.exit_code == EXIT["error"]
    assert elsewhere.calls == []
