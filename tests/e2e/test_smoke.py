"""tools/smoke.py, which CI runs on macOS and Windows, holds here too."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_commands_of_every_day() -> None:
    done = subprocess.run(
        [sys.executable, "tools/smoke.py"], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok    promptci") == 6, done.stdout
