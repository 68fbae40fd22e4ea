"""What a whole process takes: wall time, processor time, memory."""

import os
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one process took."""

    wall_s: float
    cpu_s: float
    """User and system, with the processes that it waited for."""
    peak_mb: float
    """Largest resident size of any of its processes."""
    ended_at: float
    """Seconds since the epoch."""


def environ(**more: str) -> dict[str, str]:
    """Return an environment in which `promptci` is this checkout's, and compiled modules are kept."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PYTHONPATH": str(ROOT), "OPENAI_API_KEY": "none", **more}


def measure(
    command: Sequence[str], folder: Path, variables: Mapping[str, str], exit_codes: Sequence[int] = (0,)
) -> Cost:
    """Run one process to its end; its output is shown only where it fails."""
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=dict(variables), cwd=folder, stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        wall_s, ended_at = time.perf_counter() - started, time.time()
        process.returncode = code = os.waitstatus_to_exitcode(status)
        if code not in exit_codes:
            output.seek(0)
            raise RuntimeError(f"exit code {code} from {' '.join(command)}\n{output.read().decode()[-2000:]}")
    cpu_s, peak_mb = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return Cost(wall_s=wall_s, cpu_s=cpu_s, peak_mb=peak_mb, ended_at=ended_at)


def median_wall(costs: Sequence[Cost]) -> float:
    """Return the median of the wall times."""
    return statistics.median(cost.wall_s for cost in costs)


def describe_machine() -> str:
    """Return what this runs on, in words."""
    described = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in described if line.startswith("model name")]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(os.sched_getaffinity(0))
    model = names[0] if names else platform.machine()
    return f"{cores} cores of {model}, {memory:.0f} GB, {platform.system()} {platform.release()}"
