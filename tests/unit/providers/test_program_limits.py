"""A program that is run over cases cannot outstay its limits."""

import asyncio
import os
import sys
import time
from pathlib import Path

from promptci.providers.command.process import ProgramLimits, ProgramResult, run_program, select_environment

ENVIRON = {"PATH": os.environ["PATH"]}


def run(folder: Path, code: str, *, seconds: float = 60, memory_mb: int = 4096) -> ProgramResult:
    limits = ProgramLimits(seconds=seconds, memory_mb=memory_mb)
    return asyncio.run(run_program([sys.executable, "-c", code], folder, ENVIRON, b"in\n", limits))


def test_memory_is_bounded(tmp_path: Path) -> None:
    result = run(tmp_path, "x = b'x' * 10**9", memory_mb=400)
    assert result.failure == "it ended with exit code 1"
    assert b"MemoryError" in result.errors


def test_what_a_program_started_is_ended_with_it(tmp_path: Path) -> None:
    code = "import subprocess, sys\nprint(subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL).pid)"
    result = run(tmp_path, code)
    assert result.failure is None
    deadline = time.monotonic() + 60
    while _is_running(int(result.output)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _is_running(int(result.output))


def test_a_program_that_does_not_exist_is_named(tmp_path: Path) -> None:
    limits = ProgramLimits(seconds=60, memory_mb=4096)
    result = asyncio.run(run_program(["no-such-program"], tmp_path, ENVIRON, b"", limits))
    assert (result.failure, b"no-such-program: No such file" in result.errors) == ("it ended with exit code 1", True)


def test_only_allowed_variables_are_passed_on() -> None:
    environ = {"PATH": "/bin", "APP_KEY": "k", "OTHER_KEY": "o", "GITHUB_TOKEN": "t"}
    assert select_environment(environ, ["APP_KEY", "ABSENT"], "base") == {
        "PATH": "/bin",
        "APP_KEY": "k",
        "PROMPTCI_REVISION": "base",
    }


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
