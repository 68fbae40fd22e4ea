"""`make demo-rollout` plays to its end: a bad version is released, tried and rolled back, by nobody's hand."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tools" / "demo_rollout.py"
MAX_TIME_S = 120


@pytest.mark.long
def test_the_bad_version_is_rolled_back_without_a_hand_in_between(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--out", str(tmp_path / "demo")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=3 * MAX_TIME_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.strip() for line in done.stdout.splitlines()]
    assert lines.index("bundle 5: v1.0.0, v1.1.0 for 5%") < lines.index("bundle 7: v1.0.0, v1.1.0 for 0%")
    outcomes = [
        line.partition(":")[0] for line in lines if line.startswith(("wait:", "hold:", "promote:", "roll back:"))
    ]
    assert set(outcomes[:-1]) == {"wait"}
    assert outcomes[-1] == "roll back"
    assert "The next 200 customers all got v1.0.0, from bundle 7." in lines

    (blocked,) = [line for line in lines if ": blocked order-extractor; " in line]
    assert "verdict fail" in blocked
    (rolled_back,) = [line for line in lines if ": rolled-back order-extractor in production; " in line]
    assert "v1.1.0 for 5% → v1.0.0; Quality: " in rolled_back
    assert any(re.match(r"The chain of \d+ entries is whole; its head is ", line) for line in lines)
    assert any(re.match(r"\d+ tags and commits name an entry", line) for line in lines), lines

    bundle = json.loads((tmp_path / "demo" / "published" / "production.bundle.json").read_bytes())
    assert (bundle["serial"], bundle["prompts"]["order-extractor"]["share"]) == (7, 0)
    git = ["git", "--git-dir", str(tmp_path / "demo" / "origin.git"), "log", "-1", "--format=%B", "main"]
    message = subprocess.run(git, capture_output=True, text=True, check=True).stdout
    assert re.match(r"Canary in production: roll back\n\nReason: Quality: \d.* shown to be worse", message)


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--out", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, "holds other files. Give --out a new folder." in done.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
