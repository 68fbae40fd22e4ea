"""Run the stand-in endpoint in a process of its own."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent


@contextmanager
def serving(
    latency_s: float,
    totals: dict[str, float] | None = None,
    *,
    program: Sequence[str] = ("endpoint.py",),
    environ: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Serve and yield the base URL; afterwards add calls and processor seconds to `totals`.

    `program` is a file of this folder and its first arguments; `environ` is None for the present environment.
    """
    command = [sys.executable, str(HERE / program[0]), *program[1:], "--latency", str(latency_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ) as server:
        if server.stdout is None or server.stdin is None:
            raise RuntimeError("the endpoint has no input or output")
        try:
            yield server.stdout.readline().strip()
            server.stdin.close()
            calls, _, cpu_s = map(float, server.stdout.read().split())
            if totals is not None:
                totals["calls"] = totals.get("calls", 0) + calls
                totals["cpu_s"] = totals.get("cpu_s", 0) + cpu_s
        finally:
            server.terminate()
