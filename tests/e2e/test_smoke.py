"""tools/smoke.py, which CI runs on macOS and Windows, holds here too."""

import subprocess
import sys
from pathlib import Path

import pytest
import smoke
from support.cli_runs import call_promptci

ROOT = Path(__file__).parents[2]


def test_the_commands_of_every_day(capsys: pytest.CaptureFixture[str]) -> None:
    code = smoke.main(call_promptci)
    printed = capsys.readouterr().out
    assert code == 0, printed
    assert printed.count("ok    promptci") == 6, printed


@pytest.mark.long
def test_the_commands_of_every_day_as_processes() -> None:
    done = subprocess.run(
        [sys.executable, "tools/smoke.py"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok    promptci") == 6, done.stdout
