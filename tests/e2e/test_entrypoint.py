"""The entry as a process: it works in a workspace of somebody else, and a cancelled job ends in order."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import github as fake
from fakes.machine import RUNNER, Machine, laid_out
from support import processes
from support.daily import first_daily
from support.processes import LONGEST_S, wait_until

from promptci.action import main

ENTRY = Path(__file__).parents[2] / "entrypoint.py"
INTERRUPTED = 130
SETTINGS = "[user]\n\tname = Somebody\n"

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def strangers(machine: Machine) -> list[Path]:
    """Return what does not belong to the workspace's owner."""
    return [path for path in machine.written() if (path.lstat().st_uid, path.lstat().st_gid) != (RUNNER, RUNNER)]


def is_begun(machine: Machine) -> bool:
    """Return whether the run has written its journal's header, and so is about to ask."""
    return any(path.stat().st_size for path in machine.workspace.rglob("journal*"))


def cancelled(tmp_path: Path, *sent: signal.Signals) -> tuple[Machine, int, str]:
    """Run the entry, send the signals one after the other while it waits for a model, and give what came of it."""
    with laid_out(tmp_path, never_answered=True) as machine, fake.GitHub() as github:
        environ = {**os.environ, **machine.environ(github, tmp_path)}
        run = processes.start([sys.executable, ENTRY], cwd=machine.workspace, env=environ, stderr=subprocess.PIPE)
        wait_until(lambda: is_begun(machine), run)
        for number in sent:
            run.send_signal(number)
            time.sleep(0.02)
        _, message = run.communicate(timeout=LONGEST_S)
    assert github.statuses == []
    return machine, run.returncode, message


@pytest.mark.long
@pytest.mark.parametrize(
    "sent",
    first_daily(
        [
            [signal.SIGINT, signal.SIGTERM],
            [signal.SIGTERM],
            [signal.SIGINT],
            [signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGTERM],
        ]
    ),
    ids=lambda sent: "-".join(number.name for number in sent),
)
def test_gh_cancel_in_progress_sigint(tmp_path: Path, sent: list[signal.Signals]) -> None:
    machine, code, message = cancelled(tmp_path, *sent)

    assert code == INTERRUPTED, message
    assert "interrupted" in message
    assert "Traceback" not in message
    assert machine.outputs["verdict"] == "error"
    assert "Cancelled" in (machine.folder / "file_commands" / "summary").read_text()
    (journal,) = machine.workspace.rglob("journal.jsonl")
    assert journal.read_bytes().endswith(b"\n")
    assert not list(machine.workspace.rglob("report.json")), "the next run must go on from the journal"
    assert strangers(machine) == []


@pytest.mark.long
def test_gh_outputs_chowned_back_after_a_run_and_after_sigterm(tmp_path: Path) -> None:
    for number, never_answered in enumerate((False, True)):
        (folder := tmp_path / str(number)).mkdir()
        if never_answered:
            machine, _, _ = cancelled(folder, signal.SIGTERM)
        else:
            with laid_out(folder) as machine, fake.GitHub() as github:
                environ = {**os.environ, **machine.environ(github, folder)}
                done = subprocess.run([sys.executable, ENTRY], env=environ, capture_output=True, text=True, check=False)
            assert done.returncode == 1, done.stderr
        assert any(path.name == "journal.jsonl" for path in machine.written())
        assert strangers(machine) == []


class BrokenLog(io.StringIO):
    """A log whose disk is full."""

    def write(self, text: str) -> int:
        raise RuntimeError("no space left")


def test_gh_outputs_chowned_back_after_an_exception(tmp_path: Path) -> None:
    with laid_out(tmp_path) as machine, fake.GitHub() as github:
        err = io.StringIO()
        code = main.main(machine.environ(github, tmp_path), BrokenLog(), err)

    assert code == 4
    assert "Internal error in promptci (not your prompt)" in err.getvalue()
    assert any(path.name == "journal.jsonl" for path in machine.written())
    assert strangers(machine) == []


@pytest.mark.long
def test_gh_dubious_ownership_uid1001(tmp_path: Path) -> None:
    with laid_out(tmp_path) as machine, fake.GitHub() as github:
        home = tmp_path / "home"
        (home / ".gitconfig").write_text(SETTINGS)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environ = {**kept, **machine.environ(github, tmp_path)}
        refused = subprocess.run(
            ["git", "-C", machine.workspace, "status"], env=environ, capture_output=True, text=True, check=False
        )
        done = subprocess.run([sys.executable, ENTRY], env=environ, capture_output=True, text=True, check=False)

    assert "dubious ownership" in refused.stderr, "git must be of the kind that refuses"
    assert done.returncode == 1, done.stderr
    assert machine.outputs["verdict"] == "fail"
    assert (home / ".gitconfig").read_text() == SETTINGS
    assert not (home / ".config" / "git").exists()
