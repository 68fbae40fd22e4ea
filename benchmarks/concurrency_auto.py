"""Measure `concurrency: auto` beside fixed numbers, on an endpoint without limits.

    python benchmarks/concurrency_auto.py [--quick] [--json rows.json]

Whole processes of `promptci run`, one after the other, on realistic cases. The endpoint answers after 0.05 seconds, 1
second, or 1 to 8 seconds. `auto` runs twice: the first run knows nothing of the endpoint, the second one what the first
one remembered. The best number is the fastest of the fixed ones.
"""

import argparse
import asyncio
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import endpoint
import realistic
from process_cost import environ, measure
from rows import PartOptions, Row, run_part

HERE = Path(__file__).resolve()
PART = "Concurrency found by itself"
COMMAND = "python benchmarks/concurrency_auto.py"
LATENCIES_S = ((0.05, 0.05), (1.0, 1.0), (1.0, 8.0))
COUNTS, QUICK_COUNTS = (50, 200, 1000), (50,)
FIXED = (50, 200, 1000)
"""Of these, the two largest that there are answers for: at these latencies no lower number is the best one."""
ROUNDS, LONG_ROUNDS = 3, 1
"""Runs that wait for seconds differ little from each other."""
TARGET = 1.2


class VariedConnection(endpoint.Connection):
    """A connection whose answers take a different time each."""

    bounds_s = (0.0, 0.0)

    @property
    def _latency_s(self) -> float:
        return random.uniform(*self.bounds_s)  # noqa: S311 - no secret

    @_latency_s.setter
    def _latency_s(self, _: float) -> None:
        """Ignore the one time that all connections share."""


async def serve(lowest_s: float, highest_s: float) -> None:
    """Serve until the input is closed."""
    VariedConnection.bounds_s = (lowest_s, highest_s)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: VariedConnection(0.0, None), "127.0.0.1", 0, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


@contextmanager
def serving(latency_s: tuple[float, float]) -> Iterator[str]:
    """Serve in a process of its own and yield the base URL."""
    command = [sys.executable, str(HERE), "serve", *map(str, latency_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        if server.stdout is None or server.stdin is None:
            raise RuntimeError("the endpoint has no input or output")
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()
            server.wait(10)


def run_times(scratch: Path, base_url: str, count: int, concurrency: int | str, runs: int) -> list[float]:
    """Return the wall times of so many runs in a row, in a repository that nothing is known of before."""
    folder = scratch / "repository"
    shutil.rmtree(folder, ignore_errors=True)
    realistic.make_repository(folder, count, concurrency, base_url)
    command = realistic.run_command(folder, scratch / "out")
    return [measure(command, scratch, environ()).wall_s for _ in range(runs)]


def measure_case(scratch: Path, latency_s: tuple[float, float], count: int, rounds: int) -> list[Row]:
    """Measure one number of answers at one latency."""
    fixed = sorted({min(number, count) for number in FIXED})[-2:]
    times: dict[str, list[float]] = {}
    with serving(latency_s) as base_url:
        for _ in range(rounds):
            for number in fixed:
                times.setdefault(str(number), []).extend(run_times(scratch, base_url, count, number, 1))
            for name, seconds in zip(("first", "later"), run_times(scratch, base_url, count, "auto", 2), strict=True):
                times.setdefault(name, []).append(seconds)
    medians = {name: statistics.median(values) for name, values in times.items()}
    best = min((medians[str(number)], number) for number in fixed)
    lowest_s, highest_s = latency_s
    answers = f"{count:,} answers after {lowest_s:g}" + (f" to {highest_s:g} s" if highest_s > lowest_s else " s")
    return [
        Row(
            part=PART,
            what=f"{answers}, {name} run",
            measured=medians[name] / best[0],
            target=TARGET,
            unit="×",
            note=f"{medians[name]:.2f} s; best number {best[1]}: {best[0]:.2f} s",
            command=COMMAND,
        )
        for name in ("first", "later")
    ]


def measure_auto(options: PartOptions) -> list[Row]:
    """Measure the runs of `auto` against the best fixed number."""
    counts = QUICK_COUNTS if options.quick else COUNTS
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        for latency_s in LATENCIES_S:
            rounds = LONG_ROUNDS if options.quick or max(latency_s) > 1 else ROUNDS
            for count in counts:
                rows += measure_case(Path(scratch), latency_s, count, rounds)
    return rows


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        parser = argparse.ArgumentParser()
        parser.add_argument("serve")
        parser.add_argument("latency_s", type=float, nargs=2)
        asyncio.run(serve(*parser.parse_args().latency_s))
    else:
        run_part(measure_auto, __doc__)
