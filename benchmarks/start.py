"""Measure what promptci takes before it asks a model, in a small repository and in a large one.

    python benchmarks/start.py [--quick] [--json rows.json]

Whole processes; the fastest of all rounds counts, because other work on the machine only adds time. The large
repository has 2,000 prompts of five cases each, 20,000 other files and 50,000 commits; a plan is `check --dry-run`.
startup.py says where the time goes, and compares two checkouts.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from endpoint_process import serving
from large_repository import Size, build_repository
from process_cost import Cost, environ, measure
from rows import PartOptions, Row, run_part
from startup import check_command, make_repository

PART = "Before the first request"
COMMAND = "python benchmarks/start.py"
SIZE = Size(prompts=2_000, files=20_000, commits=50_000)
QUICK_SIZE = Size(prompts=250, files=1_000, commits=1_000)
PLANS = {
    "no-change": ("no change", 1.0),
    "one": ("plan of one changed prompt", 1.5),
    "many": ("plan of 200 changed prompts", 5.0),
}


def run_rounds(words: Sequence[str], folder: Path, rounds: int) -> list[Cost]:
    """Run promptci so often; a first run, which compiles modules and fills git's caches, does not count."""
    command = [sys.executable, "-m", "promptci", *words]
    return [measure(command, folder, environ()) for _ in range(rounds + 1)][1:]


def measure_small(scratch: Path, rounds: int) -> list[Row]:
    """Measure `--help`, and a check of a change that touches no prompt."""
    folder = scratch / "small"
    with serving(latency_s=0.0) as base_url:
        make_repository(folder, base_url)
        helps = run_rounds(["--help"], folder, rounds)
        checks = run_rounds(check_command("base", "no-change", scratch / "out"), folder, rounds)
    processor_s = min(cost.cpu_s for cost in checks)
    return [
        _row("`promptci --help`", min(cost.wall_s for cost in helps), 0.1),
        _row("`promptci check` of a change that touches no prompt, processor time", processor_s, 0.25),
    ]


def measure_large(scratch: Path, size: Size, rounds: int) -> list[Row]:
    """Measure checks in a large repository."""
    folder = scratch / "large"
    build_repository(folder, size, "http://127.0.0.1:9/v1")
    rows = []
    for branch, (what, target) in PLANS.items():
        words = check_command("base", branch, scratch / "out")
        costs = run_rounds([*words, *([] if branch == "no-change" else ["--dry-run"])], folder, rounds)
        processor_s = min(cost.cpu_s for cost in costs)
        note = f"{processor_s:.2f} s of processor time"
        rows.append(_row(f"{size.name}: {what}", min(cost.wall_s for cost in costs), target, note))
    return rows


def _row(what: str, measured: float, target: float, note: str = "") -> Row:
    return Row(part=PART, what=what, measured=measured, target=target, unit="s", note=note, command=COMMAND)


def measure_start(options: PartOptions) -> list[Row]:
    """Measure everything."""
    with tempfile.TemporaryDirectory(prefix="promptci-bench-") as name:
        scratch = Path(name)
        small = measure_small(scratch, 3 if options.quick else 9)
        return [*small, *measure_large(scratch, QUICK_SIZE if options.quick else SIZE, 1 if options.quick else 5)]


if __name__ == "__main__":
    run_part(measure_start, __doc__)
