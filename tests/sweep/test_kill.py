"""A run that is killed at any moment and run again: the same report, and nothing written down is paid for twice."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fakes.openai_server import Call, OpenAIServer
from fakes.repo import RepoBuilder
from hypothesis import given, settings
from hypothesis import strategies as st
from support import processes
from support.processes import LONGEST_S
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, checked, config, goldens, model, prompt, shop

from promptci.report.write import OUTPUTS
from promptci.runs import journal
from promptci.runs.journal import Journal

CASES = 10
CALLS = 2 * CASES
JOURNAL = "journal.jsonl"
NO_MEMORY = {"cache": None, "memory": None}
PRICES = {"fake-1": {"input_usd": 1, "output_usd": 1}}


def outputs(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in OUTPUTS}


# --- the journal, cut at every byte


@pytest.fixture(scope="module", params=["priced", "of unknown price"])
def finished(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> RepoBuilder:
    """A repository whose answers are recorded, with the whole report of its run in `out`."""
    folder = tmp_path_factory.mktemp("finished")
    files = {PROMPT: prompt(GOOD), GOLDENS: goldens(CASES)}
    with OpenAIServer(model) as server:
        first = shop(folder / "first", {**files, "promptci.yml": config(server, run=NO_MEMORY)})
        first.write({PROMPT: prompt(BAD)}).commit()
        checked(first, record=folder / "answers.jsonl")
    prices = {"prices": PRICES} if request.param == "priced" else {}
    provider = {"kind": "recorded", "path": str(folder / "answers.jsonl"), **prices}
    builder = shop(folder, {**files, "promptci.yml": config(provider=provider, run={**NO_MEMORY, "budget_usd": 5})})
    builder.write({PROMPT: prompt(BAD)}).commit()
    checked(builder)
    return builder


@settings(max_examples=6)
@given(share=st.floats(0, 1), torn=st.integers(0, 3))
def test_the_report_is_the_same_wherever_the_journal_ends(finished: RepoBuilder, share: float, torn: int) -> None:
    whole, out = finished.path.parent / "out", finished.path.parent / "again"
    content = (whole / JOURNAL).read_bytes()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    (out / JOURNAL).write_bytes(content[: int(share * len(content))] + b'{"prompt":"or'[: 4 * torn])

    checked(finished, out=out)

    assert outputs(out) == outputs(whole)
    assert sorted((out / JOURNAL).read_bytes().splitlines()) == sorted(content.splitlines())


def test_the_report_is_the_same_where_the_journal_ends_within_a_later_round(tmp_path: Path) -> None:
    files = {PROMPT: prompt(GOOD), GOLDENS: goldens(6)}
    rounds = {**NO_MEMORY, "repeats": "auto", "auto_calls": 96}
    seen: Counter[str] = Counter()

    def waver(call: Call) -> str:
        request = json.dumps(call.body, sort_keys=True)
        seen[request] += 1
        return model(call) if seen[request] % 3 else "I see no number."

    with OpenAIServer(waver) as server:
        first = shop(tmp_path / "first", {**files, "promptci.yml": config(server, run=rounds)})
        first.write({PROMPT: prompt(GOOD + " Nothing else.")}).commit()
        checked(first, record=tmp_path / "answers.jsonl")
    provider = {"kind": "recorded", "path": str(tmp_path / "answers.jsonl")}
    builder = shop(tmp_path, {**files, "promptci.yml": config(provider=provider, run=rounds)})
    builder.write({PROMPT: prompt(GOOD + " Nothing else.")}).commit()
    checked(builder)
    whole = tmp_path / "out"
    lines = (whole / JOURNAL).read_bytes().splitlines(keepends=True)
    assert len(lines) > 1 + 3 * 12, "it took three rounds or more"
    for kept in (1 + 12 + 5, 1 + 2 * 12, len(lines) - 1):
        out = tmp_path / f"again-{kept}"
        out.mkdir()
        (out / JOURNAL).write_bytes(b"".join(lines[:kept]) + lines[-1][:20])
        checked(builder, out=out)
        assert outputs(out) == outputs(whole)


def test_every_byte_of_the_last_line_may_be_missing(finished: RepoBuilder, tmp_path: Path) -> None:
    content = (finished.path.parent / "out" / JOURNAL).read_bytes()
    last = content.rstrip(b"\n").rfind(b"\n") + 1
    header, rows = journal.load_journal(finished.path.parent / "out" / JOURNAL)
    path = tmp_path / JOURNAL
    for end in range(last, len(content)):
        path.write_bytes(content[:end])
        assert journal.load_journal(path) == (header, rows[:-1])
        with Journal.open(path) as book:
            book.append(rows[-1])
        assert path.read_bytes() == content


# --- whole processes


class Till:
    """Answers, and counts what it has billed: every answer that was sent."""

    def __init__(self) -> None:
        self.billed: list[str] = []

    def __call__(self, call: Call) -> str:
        self.billed.append(json.dumps(call.body, sort_keys=True))
        return model(call)


@pytest.fixture
def till() -> Till:
    return Till()


@pytest.fixture
def builder(till: Till, tmp_path: Path) -> Iterator[RepoBuilder]:
    with OpenAIServer(till, latency_s=0.03) as server:
        asking = {**NO_MEMORY, "concurrency": 1, "repeats": {"initial": 1, "on_disagreement": 2}}
        sections = {"run": asking, "provider": {"prices": PRICES}}
        repo_builder = shop(
            tmp_path, {PROMPT: prompt(GOOD), GOLDENS: goldens(CASES), "promptci.yml": config(server, **sections)}
        )
        repo_builder.write({PROMPT: prompt(BAD)}).commit()
        yield repo_builder


def start(builder: RepoBuilder, out: Path) -> "subprocess.Popen[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "OPENAI_"))}
    command = [sys.executable, "-m", "promptci", "check", "--out", str(out)]
    return processes.start(
        command, cwd=builder.path, env={**kept, "CI": "true"}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def killed_when(builder: RepoBuilder, out: Path, reached: Callable[[], bool]) -> bool:
    """Run until `reached`, and kill; False where the run was over before."""
    process = start(builder, out)
    try:
        while process.poll() is None:
            if reached():
                process.send_signal(signal.SIGKILL)
                return process.wait() == -signal.SIGKILL
            time.sleep(0.001)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
    return False


def report(out: Path) -> Any:
    """Return report.json without what a clock says."""

    def timeless(value: Any) -> Any:
        if isinstance(value, dict):
            left_out = ("started_at", "generated_at", "verdict_id")
            return {k: timeless(v) for k, v in value.items() if k not in left_out and "latency" not in k}
        return [timeless(item) for item in value] if isinstance(value, list) else value

    return timeless(json.loads((out / "report.json").read_text()))


def lines(out: Path) -> int:
    path = out / JOURNAL
    return path.read_bytes().count(b"\n") if path.exists() else 0


def finish(builder: RepoBuilder, till: Till, out: Path, tmp_path: Path) -> None:
    """Run to the end, and assert that only what is not in the journal was asked."""
    kept = {(row.request_key, row.replicate) for row in journal.load_journal(out / JOURNAL)[1]} if lines(out) else set()
    before = len(till.billed)
    assert start(builder, out).wait(LONGEST_S) == 1
    rest = len(till.billed) - before
    everything = {(row.request_key, row.replicate) for row in journal.load_journal(out / JOURNAL)[1]}
    assert rest == len(everything - kept)
    assert start(builder, tmp_path / "whole").wait(LONGEST_S) == 1
    assert report(out) == report(tmp_path / "whole")


@pytest.mark.long
@pytest.mark.parametrize("at", [1, CALLS // 2, CALLS + 1])
def test_killed_after_the_nth_line(at: int, builder: RepoBuilder, till: Till, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert killed_when(builder, out, lambda: lines(out) >= at)
    finish(builder, till, out, tmp_path)


@pytest.mark.long
def test_killed_twice(builder: RepoBuilder, till: Till, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert killed_when(builder, out, lambda: lines(out) >= 4)
    assert killed_when(builder, out, lambda: lines(out) >= 12)
    finish(builder, till, out, tmp_path)


@pytest.mark.long
def test_killed_while_an_answer_is_under_way(builder: RepoBuilder, till: Till, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert killed_when(builder, out, lambda: len(till.billed) >= 7)
    finish(builder, till, out, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("name", ["report.html", "junit.xml"])
def test_killed_while_the_report_is_written(name: str, builder: RepoBuilder, till: Till, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if not killed_when(builder, out, (out / name).exists) or (out / "report.json").exists():
        # It was quicker than we are: what a kill at that moment leaves is known all the same.
        (out / "report.json").unlink(missing_ok=True)
    billed = len(till.billed)
    assert start(builder, out).wait(LONGEST_S) == 1
    assert len(till.billed) == billed
    assert start(builder, tmp_path / "whole").wait(LONGEST_S) == 1
    assert report(out) == report(tmp_path / "whole")
