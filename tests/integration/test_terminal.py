"""The command line as a developer meets it: the edited prompt is tested, results can be piped, signals end a run."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.openai_server import Call, Reply
from support import processes
from support.cli_runs import call_promptci
from support.daily import first_daily
from support.processes import LONGEST_S, wait_until
from support.repositories import BAD, GOLDENS, GOOD, PROMPT, goldens, model, prompt, serving, shop

FILES = {PROMPT: prompt(GOOD), GOLDENS: goldens(20)}


@pytest.fixture
def ctrl_c_works() -> Iterator[None]:
    """Children of a background job ignore Ctrl-C, unless their parent handles it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def ctrl_c_ignored() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, before)


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("CI", "GITHUB_"))}


def promptci(folder: Path, *words: str, **environ: str) -> "subprocess.Popen[str]":
    return processes.start(
        [sys.executable, "-m", "promptci", *words],
        cwd=folder,
        env={**environment(), **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_an_edited_prompt_is_tested_before_it_is_committed_and_ci_tests_the_commit(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        (builder.path / PROMPT).write_text(prompt(BAD))
        edited = promptci(builder.path, "check")
        out, err = edited.communicate(timeout=LONGEST_S)
        assert (edited.returncode, "\nfail: " in out) == (1, True), err
        assert "asking:" in err
        assert "asking:" not in out
        committed = promptci(builder.path, "check", CI="true")
        out, _ = committed.communicate(timeout=LONGEST_S)
        assert (committed.returncode, out.partition(":")[0]) == (0, "no-change")


@pytest.mark.long
def test_a_terminal_that_knows_ascii_only_is_no_defect(tmp_path: Path) -> None:
    with serving() as server:
        builder = shop(tmp_path, FILES, server)
        (builder.path / PROMPT).write_text(prompt(BAD))
        process = promptci(builder.path, "check", PYTHONIOENCODING="ascii")
        out, err = process.communicate(timeout=LONGEST_S)
    assert (process.returncode, "Internal error" in err) == (1, False)
    assert "report: promptci-report/report.html" in out


@pytest.mark.usefixtures("ctrl_c_ignored")
def test_a_background_job_ends_in_order_when_it_is_told_to_terminate(tmp_path: Path) -> None:
    ends_in_order_and_its_answers_are_used_again(tmp_path, signal.SIGTERM)


@pytest.mark.usefixtures("ctrl_c_works")
@pytest.mark.parametrize("sign", first_daily([signal.SIGINT, signal.SIGTERM]))
def test_a_signal_ends_a_run_in_order_and_its_answers_are_used_again(tmp_path: Path, sign: signal.Signals) -> None:
    ends_in_order_and_its_answers_are_used_again(tmp_path, sign)


def ends_in_order_and_its_answers_are_used_again(tmp_path: Path, sign: signal.Signals) -> None:
    interrupted = threading.Event()

    def answer(call: Call) -> Reply | str:
        if "1010" in call.last_user_message:
            interrupted.wait(LONGEST_S)  # no run ends before its signal, however slow the machine
        return model(call)

    with serving(answer) as server:
        builder = shop(tmp_path, FILES, server)
        (builder.path / PROMPT).write_text(prompt(BAD))
        process = promptci(builder.path, "check", "--no-cache")
        journal = builder.path / "promptci-report" / "journal.jsonl"
        wait_until(lambda: journal.exists() and journal.read_bytes().count(b"\n") >= 5, process)
        process.send_signal(sign)
        _, err = process.communicate(timeout=LONGEST_S)
        interrupted.set()
        assert (process.returncode, "Traceback" in err) == (130, False), err
        assert "interrupted" in err
        again = call_promptci(["check", "--no-cache"], builder.path, environment())
    assert again.returncode == 1, again.stderr
    assert "answers of an interrupted run" in again.stdout + again.stderr
