"""The entry as a process: a cancelled job ends in order."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fakes import github as fake
from fakes.machine import RUNNER, laid_out

ENTRY = Path(__file__).parents[2] / "entrypoint.py"
INTERRUPTED = 130


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_run_is_not_green_and_hands_its_files_over(tmp_path: Path, sent: signal.Signals) -> None:
    with laid_out(tmp_path, never_answered=True) as machine, fake.GitHub() as github:
        environ = {**os.environ, **machine.environ(github, tmp_path)}
        with subprocess.Popen([sys.executable, ENTRY], cwd=machine.workspace, env=environ, stderr=-1, text=True) as run:
            until = time.monotonic() + 60
            while not list(machine.workspace.rglob("journal*")) and run.poll() is None and time.monotonic() < until:
                time.sleep(0.05)
            run.send_signal(sent)
            _, said = run.communicate(timeout=30)

    assert run.returncode == INTERRUPTED, said
    assert "interrupted" in said
    assert "Traceback" not in said
    assert machine.outputs.get("verdict") in {None, "error"}
    assert list(machine.workspace.rglob("journal*"))
    assert {path.lstat().st_uid for path in machine.written()} == {RUNNER}
