"""The Action as a process of its own, with real time: a sample of the sweeps, and what is in every byte it writes."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import github as fake
from fakes.github import no
from fakes.openai_server import Call, OpenAIServer, Reply
from fakes.wire_faults import CANARY, faults
from support.action_runner import Run
from support.repositories import GOLDENS, GOOD, PROMPT, config, goldens, model, prompt, shop

KINDS = ("429 in milliseconds", "500", "reset in the body", "hang before", "truncated json", "redirect", "401")
LONGEST_S = 120.0
EXIT = {"pass": 0, "inconclusive": 0, "error": 4}
STATE = {"pass": {"success"}, "inconclusive": {"success"}, "error": {"error", "failure"}}


def everything(folder: Path) -> bytes:
    kept = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return b"".join(path.read_bytes() for path in kept)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_the_action_ends_in_time_and_says_one_thing_everywhere(kind: str, tmp_path: Path) -> None:
    fault = faults("http://127.0.0.1:9/")[kind]

    def answer(call: Call) -> Reply | str:
        return replace(fault) if call.number == 5 else model(call)

    with OpenAIServer(answer) as server, fake.GitHub() as github:
        github.faults = [("GET", broken(500)), ("POST", broken(502))]
        provider = {"timeout": "1s"}
        run = {"cache": None, "memory": None, "concurrency": 2, "deadline": "30s"}
        files = {
            PROMPT: prompt(GOOD),
            GOLDENS: goldens(4),
            "promptci.yml": config(server, provider=provider, run=run, gate={"max_drop": 0.9}),
        }
        builder = shop(tmp_path, files)
        builder.write({PROMPT: prompt("Copy the order number, nothing else.")}).commit()
        stage = Run(tmp_path, builder, github)
        environ = stage.environ(**{"INPUT_API-KEY": CANARY, "PYTHONPATH": os.environ.get("PYTHONPATH", "")})
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "promptci.action"],
            env=environ,
            cwd=builder.path,
            capture_output=True,
            timeout=LONGEST_S,
            check=False,
        )
        assert time.monotonic() - began < LONGEST_S
    verdict = stage.outputs["verdict"]
    assert done.returncode == EXIT[verdict]
    assert stage.report["verdict"] == verdict
    assert (verdict == "pass") == (stage.report["prompts"][0]["errors"] == 0)
    assert {status["state"] for status in github.statuses} <= STATE[verdict]
    assert len(github.bodies) <= 1
    for secret in (CANARY, fake.TOKEN):
        assert secret.encode() not in done.stdout + done.stderr + everything(tmp_path)


def broken(status: int) -> fake.Reply:
    return no(status, "broken")
