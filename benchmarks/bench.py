"""Measure every part, and write RESULTS.md and docs/performance.md: `make bench`, or `make bench-quick` to try it.

    python benchmarks/bench.py [--quick] [--only throughput,start]

Each part is a process of its own, one after the other. The figures are kept in results.json, from which `make docs`
writes both pages again. With `--quick`, sizes are small, targets do not apply, and nothing is written: exit code 1
where a figure cannot be measured. `--only` replaces the rows of these parts alone.
"""

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import performance_page
import rivals
from performance_page import Results
from process_cost import ROOT, describe_machine, environ
from rows import Row, load_rows, print_rows

HERE = ROOT / "benchmarks"
PARTS = {
    "throughput": "throughput.py",
    "auto": "concurrency_auto.py",
    "start": "start.py",
    "sizes": "sizes.py",
    "logs": "request_log.py",
    "money": "money.py",
}
"""The script of each part, in the order of the pages."""
LIBRARIES = ("aiohttp", "pydantic", "duckdb")


def run_part(name: str, script: str, quick: bool) -> list[Row]:
    """Run one part; a part that fails is a row that says so."""
    print(f"== {name}", flush=True)
    with tempfile.TemporaryDirectory(prefix="promptci-bench-") as folder:
        rows = Path(folder) / "rows.json"
        words = [str(HERE / script), "--json", str(rows), *(["--quick"] if quick else [])]
        done = subprocess.run([sys.executable, *words], env=environ(), stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode == 0:
            return load_rows(rows)
    why = " ".join(done.stderr.split())[-300:] or f"exit code {done.returncode}"
    command = f"python benchmarks/{script}"
    failed = Row(part=name, what=f"all of `{script}`", measured=None, target=0, unit="", note=why, command=command)
    print_rows([failed])
    return [failed]


def find_versions() -> dict[str, str]:
    """Return the versions of everything that is measured."""
    ours = {
        "promptci": _describe_commit(),
        "Python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
    }
    return {**ours, **rivals.versions()}


def _describe_commit() -> str:
    words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--exclude", "*"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def main() -> int:
    """Measure, and write the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes, nothing is written")
    parser.add_argument("--only", default="", help=f"names of parts, with commas between them: {', '.join(PARTS)}")
    options = parser.parse_args()
    chosen = [name for name in options.only.split(",") if name] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        parser.error(f"no part is named {', '.join(unknown)}")
    for line in rivals.install():
        print(line, flush=True)
    began, started, load = datetime.now(UTC), time.perf_counter(), os.getloadavg()[0]
    rows_by_part = {name: run_part(name, PARTS[name], options.quick) for name in chosen}
    minutes = (time.perf_counter() - started) / 60
    print(f"{minutes:.1f} minutes")
    if options.quick:
        rows = [row for part in rows_by_part.values() for row in part]
        return int(any(row.measured is None for row in rows))
    path = performance_page.RESULTS
    earlier = performance_page.load_results(path).rows if options.only and path.exists() else {}
    merged = {**earlier, **rows_by_part}
    results = Results(
        at=f"{began:%Y-%m-%d %H:%M} UTC",
        minutes=round(minutes, 1),
        machine=describe_machine(),
        load=round(load, 1),
        versions=find_versions(),
        rows={name: merged[name] for name in PARTS if name in merged},
    )
    performance_page.dump_results(results, path)
    for page, text in performance_page.render_pages(results).items():
        page.write_text(text, encoding="utf-8")
    missed = sum(row.held is False for part in results.rows.values() for row in part)
    print(f"{missed} missed; see {performance_page.PAGE.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
