"""Measure the largest sizes: goldens of 200 MB, a report of as many cases, and a memory of 1,000 runs.

    python benchmarks/sizes.py [--quick] [--json rows.json]

Whole processes with every setting as by default. The report is drawn again from the report.json of the run.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from endpoint_process import serving
from process_cost import ROOT, Cost, environ, measure
from realistic import run_command
from rows import PartOptions, Row, run_part
from startup import CASES, check_command, make_repository

PART = "Large files"
COMMAND = "python benchmarks/sizes.py"
COUNT, QUICK_COUNT = 100_000, 2_300
RUNS, QUICK_RUNS = 1_000, 100
LATENCY_S = 0.05


def prepare(*words: str) -> None:
    """Make files in a process of its own."""
    command = [sys.executable, str(ROOT / "benchmarks" / "large_run.py"), *words]
    subprocess.run(command, check=True, env=environ())


def measure_goldens(scratch: Path, count: int) -> list[Row]:
    """Measure a run over one large file of cases, and the drawing of its report."""
    folder, out = scratch / "large", scratch / "out"
    with serving(LATENCY_S) as base_url:
        prepare("goldens", str(folder), str(count), base_url)
        ran = measure(run_command(folder, out), folder, environ())
    golden_mb = (folder / "goldens" / "bench.jsonl").stat().st_size / 1e6
    report = out / "report.json"
    report_mb = report.stat().st_size / 1e6
    redraw = [sys.executable, "-m", "promptci", "report", str(report), "--out", str(scratch / "again")]
    drawn = measure(redraw, folder, environ())
    cases = f"{count:,} cases"
    return [
        _row(f"memory of `run`, {cases} in one file of {golden_mb:.0f} MB", ran.peak_mb, 400, _describe(ran)),
        _row(f"memory of `report report.json`, {cases}, {report_mb:.0f} MB", drawn.peak_mb, 400, _describe(drawn)),
    ]


def _describe(cost: Cost) -> str:
    return f"{cost.wall_s:.0f} s, of which {cost.cpu_s:.0f} s of processor time"


def measure_history(scratch: Path, runs: int, rounds: int) -> list[Row]:
    """Measure what the memory of earlier runs adds to a check: without it and with it, in turn."""
    folder, history, kept = scratch / "small", scratch / "history", scratch / "small" / ".promptci" / "memory"
    prepare("history", str(history), str(runs), str(CASES))
    without, including = [], []
    with serving(LATENCY_S) as base_url:
        make_repository(folder, base_url, memory=".promptci/memory")
        command = [sys.executable, "-m", "promptci", *check_command("no-change", "changed", scratch / "checked")]
        measure(command, folder, environ())  # compiles the modules
        for _ in range(rounds):
            shutil.rmtree(kept)
            without.append(measure(command, folder, environ()))
            shutil.rmtree(kept)
            shutil.copytree(history, kept)
            including.append(measure(command, folder, environ()))
    added_s = min(cost.cpu_s for cost in including) - min(cost.cpu_s for cost in without)
    what = f"processor time added to a check by the memory of {runs:,} runs of {CASES} cases in both versions"
    return [_row(what, added_s, 0.2, unit="s")]


def _row(what: str, measured: float, target: float, note: str = "", unit: str = "MB") -> Row:
    return Row(part=PART, what=what, measured=measured, target=target, unit=unit, note=note, command=COMMAND)


def measure_sizes(options: PartOptions) -> list[Row]:
    """Measure everything."""
    with tempfile.TemporaryDirectory(prefix="promptci-bench-") as name:
        scratch = Path(name)
        history = measure_history(scratch, QUICK_RUNS if options.quick else RUNS, 1 if options.quick else 5)
        return [*measure_goldens(scratch, QUICK_COUNT if options.quick else COUNT), *history]


if __name__ == "__main__":
    run_part(measure_sizes, __doc__)
