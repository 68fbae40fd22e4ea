"""`promptci canary --judge-sample`: the judge marks both arms alike, and the marks decide at the next look."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fakes.openai_server import Call, OpenAIServer, Reply, error
from fakes.repo import RepoBuilder
from support import canary_traffic
from support.canary_traffic import START, Ways
from support.cli_runs import call_promptci
from support.repositories import config, serving

from promptci.requestlog.model import Observation

FILE = """\
prompts:
  order:
    stable: v1
    canary:
      version: v2
      share: 50
policy:
  min_requests: 50
  max_error_rise: null
  max_slow_rise: null
  max_cost_increase: null
"""
STATE = {
    "schema": "promptci/canary-state/v1",
    "prompts": {"order": {"stable": "v1", "canary": "v2", "share": 50, "since": START.isoformat()}},
}
UNMARKED = Ways(quality=None, errors=0)
SECRET = "sk-proj-" + "a" * 40


def judge(call: Call) -> Reply | str:
    """Grade 5 unless the answer is bad; fail where the answer says so."""
    messages = [message["content"] for message in call.body["messages"]]
    if "crash" in messages[2]:
        return error(500, "no")
    return json.dumps({"reason": f"quoting {messages[2]}", "score": 1 if "bad" in messages[2] else 5})


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with serving(judge) as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, server: OpenAIServer) -> RepoBuilder:
    text = config(server, judge={"model": "judge-1", "rubric": "judges/kind.md"})
    files = {"promptci.yml": text, "judges/kind.md": "Is it kind?", "deployments/production.yml": FILE}
    builder = RepoBuilder(tmp_path / "shop").write({**files, "deployments/production.canary.json": json.dumps(STATE)})
    builder.commit()
    builder.git("tag", "v1")
    builder.git("tag", "v2")
    return builder


def look(shop: RepoBuilder, hours: float, number: int = 100, *words: str) -> "subprocess.CompletedProcess[str]":
    now = f"{START + timedelta(hours=hours):%Y-%m-%dT%H:%M:%SZ}"
    sample = ["--judge-sample", str(number), "--answers", "answers.jsonl", "--marks", "marks.jsonl"]
    command = ["canary", "--env", "production", "--log", "log.jsonl", "--now", now, *sample, *words]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GITHUB_")}
    return call_promptci(command, shop.path, {**environ, "OPENAI_API_KEY": "test-key"})


def write(shop: RepoBuilder, answer: Callable[[Observation], Any], number: int = 400) -> Sequence[Observation]:
    """A log without marks, and the answers; None: the file lacks this one."""
    requests = canary_traffic.traffic(number, UNMARKED, UNMARKED, share=50, hours=4)
    canary_traffic.write(shop.path / "log.jsonl", requests)
    rows = [
        {
            "promptci.request": request.id,
            "gen_ai.input.messages": f"question {request.id}",
            "gen_ai.output.messages": text,
        }
        for request in requests
        if (text := answer(request)) is not None
    ]
    (shop.path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return requests


def marks(shop: RepoBuilder) -> list[dict[str, Any]]:
    path = shop.path / "marks.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def sample(shop: RepoBuilder) -> dict[str, Any]:
    (row,) = json.loads((shop.path / "promptci-report" / "canary.json").read_text())["samples"]
    return dict(row)


def test_a_bad_canary_without_marks_is_rolled_back_by_the_judge(shop: RepoBuilder, server: OpenAIServer) -> None:
    requests = write(shop, lambda entry: f"{'bad' if entry.arm == 'canary' else 'good'} answer {entry.id} {SECRET}")
    first = look(shop, 5)
    assert first.returncode == 0, first.stdout + first.stderr
    row = sample(shop)
    assert (row["state"], row["chosen"] == row["judged"], row["without_answer"]) == ("judged", True, 0)
    arms = {entry.id: str(entry.arm) for entry in requests}
    written = marks(shop)
    marked = [arms[line["promptci.request"]] for line in written]
    assert marked.count("canary") == 100
    assert 70 <= marked.count("stable") <= 140
    assert marked != sorted(marked, key=str)  # blindly: the arms are mixed
    assert {line["gen_ai.evaluation.name"] for line in written} == {"quality"}
    asked = json.dumps([call.body for call in server.calls])
    assert not any(word in asked for word in ("canary", "stable", '"v1"', '"v2"'))
    report = (shop.path / "promptci-report" / "canary.html").read_text() + json.dumps(written) + first.stdout
    assert not any(word in report for word in (SECRET, "question r", "answer r"))
    asked_first = len(server.calls)
    soon = look(shop, 5.1)  # the marks are younger than the lag, and nobody is asked again
    assert (soon.returncode, len(server.calls)) == (0, asked_first), soon.stdout + soon.stderr
    assert sample(shop)["state"] == "nothing new to judge"
    later = look(shop, 5.5, 100, "--apply")
    assert (later.returncode, "order: roll back: 50%" in later.stdout) == (1, True), later.stdout + later.stderr


def test_a_look_without_answers_is_not_green_and_names_it(shop: RepoBuilder, server: OpenAIServer) -> None:
    write(shop, lambda entry: "good" if entry.arm == "stable" else None)
    done = look(shop, 5)
    assert (done.returncode, sample(shop)["state"], server.calls) == (4, "no answers", [])
    assert "judge: no answers" in done.stdout
    assert "no answers" in (shop.path / "promptci-report" / "canary.md").read_text()
    # Where the bad answers are the missing ones, the others must not speak for them.
    write(shop, lambda entry: None if entry.arm == "canary" and int(entry.id[1:]) % 3 == 0 else "good")
    done = look(shop, 5)
    assert (done.returncode, sample(shop)["state"], server.calls) == (4, "uneven answers", [])
    assert marks(shop) == []
    (shop.path / "answers.jsonl").write_text('{"gen_ai.output.messages": "x"}\n')
    done = look(shop, 5)
    assert done.returncode == 4
    assert "answers.jsonl:1: `promptci.request` is missing" in sample(shop)["reason"]


def test_a_judge_that_fails_is_named_and_delays_no_rollback(shop: RepoBuilder) -> None:
    write(shop, lambda _: "crash")
    done = look(shop, 5)
    assert (done.returncode, sample(shop)["state"]) == (4, "judge failed"), done.stdout + done.stderr
    assert marks(shop) == []
    scored = canary_traffic.traffic(4000, Ways(quality=0.2), share=50, hours=4)
    canary_traffic.write(shop.path / "log.jsonl", scored)
    done = look(shop, 5, 10, "--apply")
    assert (done.returncode, "order: roll back" in done.stdout) == (1, True), done.stdout + done.stderr


def test_a_dry_run_asks_nobody(shop: RepoBuilder, server: OpenAIServer) -> None:
    write(shop, lambda _: [{"role": "assistant", "parts": [{"type": "text", "content": "good"}]}])
    done = look(shop, 5, 30, "--dry-run", "--json")
    (row,) = json.loads(done.stdout)["samples"]
    assert (done.returncode, row["judged"], row["chosen"] >= 30, server.calls, marks(shop)) == (0, 0, True, [], [])


def test_options_of_the_sample_go_together_and_need_a_judge(shop: RepoBuilder) -> None:
    write(shop, lambda _: "good")
    environ = dict(os.environ)
    alone = call_promptci(
        ["canary", "--env", "production", "--log", "log.jsonl", "--judge-sample", "5"], shop.path, environ
    )
    assert (alone.returncode, "go together" in alone.stderr) == (2, True)
    (shop.path / "promptci.yml").write_text("version: 1\n")
    bare = look(shop, 5)
    assert (bare.returncode, "--judge-sample needs a judge with a rubric" in bare.stderr) == (2, True)
