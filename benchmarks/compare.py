"""How long, how much processor time and how much memory: promptci beside a plain script, promptfoo and inspect_ai.

    python benchmarks/compare.py [--rounds 3] [--cases 1000,10000] [--only promptci,floor] [--dry]

Whole processes on this machine, one after the other, on the same cases against the same endpoint, which answers after
50 ms. promptci does all that `promptci run` does: assertions, journal, statistics and reports. The answers are not
cached by any. The results are written to `benchmarks/RESULTS.md` unless `--dry` is given.
"""

import argparse
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import rivals
import targets
from cases import LARGE
from endpoint_process import serving

HERE = Path(__file__).resolve().parent
LATENCY_S = 0.05
CONCURRENCY = {1000: 50, 10_000: 100, 100_000: 100}
NAMES = ("floor", "promptci", "plain", "promptfoo", "inspect_ai")
SHOWN = {
    "floor": "aiohttp script (the floor)",
    "plain": "`AsyncOpenAI` script",
    "promptci": "**promptci run**",
    "promptfoo": "promptfoo",
    "inspect_ai": "inspect_ai",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one process took."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    """Largest resident size of any of its processes."""


def measure(command: Sequence[str], environ: dict[str, str], folder: Path) -> Cost:
    """Run one process to its end; its words are shown only where it fails."""
    with tempfile.TemporaryFile() as words:
        started = time.perf_counter()
        process = subprocess.Popen(command, env=environ, cwd=folder, stdout=words, stderr=words)
        _, status, used = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - started
        if code := os.waitstatus_to_exitcode(status):
            words.seek(0)
            raise SystemExit(f"exit code {code} from {command}\n{words.read().decode(errors='replace')[-3000:]}")
    return Cost(wall_s=wall_s, cpu_s=used.ru_utime + used.ru_stime, peak_mb=used.ru_maxrss / 1024)


def prepare(folder: Path, count: int, base_url: str) -> None:
    """Make the repository, in a process of its own, or its size would count as that of those that are measured."""
    command = [sys.executable, str(HERE / "cases.py"), str(folder), str(count), str(CONCURRENCY[count]), base_url]
    subprocess.run(command, check=True)


def commands(folder: Path, out: Path, count: int, base_url: str) -> dict[str, list[str]]:
    """Give what is measured: each a whole process."""
    goldens, calls = str(folder / "goldens"), str(CONCURRENCY[count])
    ours = [sys.executable, "-m", "promptci", "run", "--repo", str(folder), "--head", "HEAD", "--out", str(out)]
    found = {"floor": [sys.executable, str(HERE / "floor.py"), base_url, goldens, calls], "promptci": ours}
    if rivals.PYTHON.exists() and count < LARGE:
        found["plain"] = [str(rivals.PYTHON), str(HERE / "plain.py"), base_url, goldens, calls]
        found["inspect_ai"] = [str(rivals.PYTHON), str(HERE / "inspected.py"), goldens, calls, str(out / "logs")]
    if rivals.PROMPTFOO.exists() and count < LARGE:
        config, written = str(folder / "promptfoo.json"), str(out / "promptfoo.json")
        evaluate = ["eval", "-c", config, "-j", calls, "-o", written, "--no-cache", "--no-table", "--no-progress-bar"]
        found["promptfoo"] = [str(rivals.PROMPTFOO), *evaluate]
    return {name: found[name] for name in NAMES if name in found}


def compare(count: int, rounds: int, only: Sequence[str], told: dict[str, float]) -> dict[str, list[Cost]]:
    """Run each so often, in turn, so that whatever else the machine does happens to all."""
    costs: dict[str, list[Cost]] = {}
    with serving(LATENCY_S, told) as base_url, tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "repository"
        prepare(folder, count, base_url)
        environ = {**rivals.environ(base_url), "PYTHONPATH": str(HERE.parent)}
        for _ in range(rounds):
            for name, command in commands(folder, Path(scratch) / "out", count, base_url).items():
                if only and name not in only:
                    continue
                shutil.rmtree(Path(scratch) / "out", ignore_errors=True)
                (Path(scratch) / "out").mkdir()
                costs.setdefault(name, []).append(measure(command, environ, folder))
                print(f"{count:>7} {name:10} {costs[name][-1]}", flush=True)
            if "promptci" in costs:
                again = _again(Path(scratch), environ)
                costs.setdefault("redraw", []).append(again)
                print(f"{count:>7} redraw     {again}", flush=True)
    return costs


def _again(scratch: Path, environ: dict[str, str]) -> Cost:
    """Draw the reports of one more run again from its report.json."""
    report = scratch / "kept" / "report.json"
    if not report.exists():
        ours = [sys.executable, "-m", "promptci", "run", "--repo", str(scratch / "repository"), "--head", "HEAD"]
        measure([*ours, "--out", str(report.parent)], environ, scratch)
    redraw = [sys.executable, "-m", "promptci", "report", str(report), "--out", str(scratch / "redrawn")]
    return measure(redraw, environ, scratch)


def start_up(rounds: int) -> dict[str, float]:
    """Measure what takes no call: `--help`, and a check of a change that touches no prompt."""
    environ = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "repository"
        prepare(folder, 1000, "http://127.0.0.1:9/v1")
        (folder / "README").write_text("nothing that a prompt reads\n")
        git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
        for arguments in (["add", "README"], ["commit", "-q", "-m", "no prompt"]):
            subprocess.run([*git, *arguments], check=True)
        check = ["check", "--repo", str(folder), "--base", "HEAD~1", "--head", "HEAD", "--out", f"{scratch}/out"]
        measured = {targets.HELP: ["--help"], targets.UNCHANGED: check}
        return {
            name: statistics.median(
                measure([sys.executable, "-m", "promptci", *words], environ, folder).wall_s for _ in range(rounds)
            )
            for name, words in measured.items()
        }


def medians(costs: dict[str, list[Cost]]) -> dict[str, float]:
    """Give the seconds that each took, by its name."""
    return {name: statistics.median(cost.wall_s for cost in found) for name, found in costs.items()}


def table(count: int, costs: dict[str, list[Cost]]) -> list[str]:
    """Give the Markdown table of one number of cases: medians, and each as a multiple of the floor."""
    walls = medians(costs)
    lines = [
        f"## {count:,} cases, {CONCURRENCY[count]} at once",
        "",
        "| | wall | × floor | × AsyncOpenAI | × promptfoo | processor, per call | peak memory |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name in (name for name in NAMES if name in costs):
        found = costs[name]
        times = [f"{walls[name] / walls[other]:.2f}" if other in walls else "–" for other in NAMES if other in TIMES_OF]
        cpu_ms = 1000 * statistics.median(cost.cpu_s for cost in found) / count
        peak = max(cost.peak_mb for cost in found)
        cells = [SHOWN[name], f"{walls[name]:.2f} s", *times, f"{cpu_ms:.2f} ms", f"{peak:.0f} MB"]
        lines.append(f"| {' | '.join(cells)} |")
    if "redraw" in costs:
        lines += ["", f"Drawing the reports again (`promptci report report.json`): {walls['redraw']:.2f} s."]
    return [*lines, ""]


def aims(costs: dict[int, dict[str, list[Cost]]], quick: dict[str, float]) -> list[str]:
    """Give the Markdown table of what was to be reached."""
    walls = {count: medians(found) for count, found in costs.items()}
    peaks = {
        count: max(cost.peak_mb for cost in found["promptci"]) for count, found in costs.items() if "promptci" in found
    }
    rows = [str(row) for row in targets.rows(walls, peaks, quick, SHOWN)]
    return ["## Targets", "", "| promptci | target | measured | |", "|---|---:|---:|---|", *rows, ""] if rows else []


TIMES_OF = ("floor", "plain", "promptfoo")


def machine() -> str:
    """Say what this ran on."""
    described = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in described if line.startswith("model name")]
    model = names[0] if names else platform.machine()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{len(os.sched_getaffinity(0))} cores of {model}, {memory:.0f} GB, {platform.system()} {platform.release()}"


def main() -> None:
    """Install, measure, print and write down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each process is run, in turn")
    parser.add_argument("--cases", default="1000,10000,100000", help="numbers of cases, with commas between them")
    parser.add_argument("--only", default="", help="what to run, with commas between them")
    parser.add_argument("--dry", action="store_true", help="print only")
    parser.add_argument("--ahead", action="store_true", help="go before all other work of the machine; for root")
    given = parser.parse_args()
    if given.ahead:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    only = [name for name in given.only.split(",") if name]
    missing = [] if only and not {*only} - {"floor", "promptci"} else rivals.install()
    load, told = os.getloadavg()[0], dict[str, float]()
    began = datetime.now(UTC)
    costs: dict[int, dict[str, list[Cost]]] = {}
    for count in map(int, given.cases.split(",")):
        costs[count] = compare(count, given.rounds if count < LARGE else 1, only, told)
    quick = start_up(given.rounds)
    served = 1000 * told["cpu_s"] / told["calls"]
    versions = {"Python": platform.python_version(), **rivals.versions()}
    text = "\n".join(
        [
            "# How fast",
            "",
            "Written by `make bench` (`benchmarks/compare.py`, which says what is measured and how).",
            "",
            f"- {began:%Y-%m-%d %H:%M} UTC, {machine()}; load average {load:.1f} before it began",
            f"- {', '.join(f'{name} {version}' for name, version in versions.items())}",
            f"- The endpoint answers after {1000 * LATENCY_S:.0f} ms.",
            f"- It runs on the same machine and takes {served:.2f} ms of processor time a call.",
            f"- Runs in turn, so often: {given.rounds}; once of {LARGE:,} cases.",
            "- Times are medians, memory is the largest.",
            *(["- The machine had other work, before which all of these went (`--ahead`)."] if given.ahead else []),
            *(f"- Left out: {line}" for line in missing),
            "",
            *aims(costs, quick),
            *(line for count, found in costs.items() for line in table(count, found)),
            "## Without a call",
            "",
            *(f"- {name}: {seconds:.2f} s" for name, seconds in quick.items()),
            "",
        ]
    )
    print(text)
    if not given.dry:
        (HERE / "RESULTS.md").write_text(text)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    main()
