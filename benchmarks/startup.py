"""Measure what promptci costs before it asks a model: processor time, imports, functions entered.

    python benchmarks/startup.py [--rounds 9] [--checkout OTHER] [--large] [--json results.json]

With `--large`, it also checks a repository of 2,000 prompts, and one with 20,000 other files and 50,000 commits. Each
command is a whole process. The fastest of all rounds is printed, because other work on the machine only adds time.
With `--checkout`, the same commands also run from another checkout of the repository, turn by turn, for a comparison of
before and after.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from endpoint_process import serving
from large_repository import Size, build_repository

ROOT = Path(__file__).resolve().parents[1]
CASES = 10
LARGE = (Size(prompts=2_000, files=0, commits=1), Size(prompts=2_000, files=20_000, commits=50_000))
BRANCHES = {"no-change": "no change", "one": "plan of 1 changed prompt", "many": "plan of 200 changed prompts"}
CONFIG = 'version: 1\nprovider: {{base_url: "{base_url}"}}\nrun: {{concurrency: 8, cache: null, memory: {memory}}}\n'
PROMPT = 'model: bench\nmessages:\n  - role: user\n    content: "{text} {{{{text}}}}"\n'
COUNT_FUNCTIONS = """
import json, sys, threading
from pathlib import Path
import promptci
package, entered, modules = str(Path(promptci.__file__).parent), set(), set()
def note(frame, event, _argument):
    code = frame.f_code
    if event == "call" and code.co_filename.startswith(package) and code.co_name != "<module>":
        entered.add((code.co_filename, code.co_firstlineno, code.co_name))
        modules.add(code.co_filename)
threading.setprofile(note)
sys.setprofile(note)
from promptci.cli import main
try:
    main(sys.argv[2:])
except SystemExit:
    pass
sys.setprofile(None)
loaded = [name for name in sys.modules if name.split(".")[0] == "promptci"]
named = [name for _, _, name in entered if not name.startswith("<")]
Path(sys.argv[1]).write_text(
    json.dumps({"functions": len(named), "code_objects": len(entered), "entered": len(modules), "loaded": len(loaded)})
)
"""


@dataclass(frozen=True, kw_only=True)
class Startup:
    """Measurements of one checkout; times in milliseconds."""

    help_ms: float
    help_cpu_ms: float
    no_change_ms: float
    no_change_cpu_ms: float
    check_import_ms: float
    """Import time of everything that a check of one prompt loads."""
    check_own_import_ms: float
    """The part of it that is spent in promptci's own modules."""
    no_change_modules: int
    """Own modules that a no-change check loads."""
    check_modules: int
    functions: int
    """Named functions entered by a check of one prompt with ten cases."""
    code_objects: int
    """The same with lambdas and comprehensions."""
    functions_modules: int
    """Modules whose functions are entered."""
    modules: int
    lines: int


def time_process(command: Sequence[str], folder: Path, checkout: Path) -> tuple[float, float]:
    """Run a process to its end and return its wall time and processor time in milliseconds."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environ(checkout), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - started
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"exit code {os.waitstatus_to_exitcode(status)} from {' '.join(command)}")
    return 1000 * wall_s, 1000 * (usage.ru_utime + usage.ru_stime)


def environ(checkout: Path) -> dict[str, str]:
    """Return an environment in which `promptci` is the checkout's, and compiled modules are kept."""
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {
        **inherited,
        "PYTHONPATH": str(checkout),
        "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir()) / "promptci-startup-pycache"),
        "OPENAI_API_KEY": "none",
    }


def git(folder: Path, *arguments: str) -> None:
    """Run git as a made-up author."""
    author = ["-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    subprocess.run(["git", "-C", str(folder), *author, *arguments], check=True, capture_output=True)


def make_repository(folder: Path, base_url: str, memory: str = "null") -> None:
    """Commit a prompt, then a change to the README (`no-change`), then a change to the prompt (`changed`)."""
    rows = [
        {"id": f"c{n}", "vars": {"text": f"Note {n}."}, "expected": str(n), "assert": [{"type": "contains"}]}
        for n in range(CASES)
    ]
    files = {
        "promptci.yml": CONFIG.format(base_url=base_url, memory=memory),
        "prompts/bench.prompt.yml": PROMPT.format(text="Which number does this note hold?"),
        "goldens/bench.jsonl": "".join(f"{json.dumps(row)}\n" for row in rows),
    }
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for branch, name, text in (
        ("base", "LICENSE", "none\n"),
        ("no-change", "README.md", "Nothing that a prompt reads.\n"),
        ("changed", "prompts/bench.prompt.yml", PROMPT.format(text="Name the number of this note.")),
    ):
        (folder / name).write_text(text)
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", branch)
        git(folder, "branch", branch)


def check_command(base: str, head: str, out: Path) -> list[str]:
    """Return the arguments of a check between two branches."""
    return ["check", "--base", base, "--head", head, "--out", str(out)]


def count_functions(folder: Path, arguments: Sequence[str], checkout: Path) -> dict[str, int]:
    """Run promptci under a profile hook and return how many functions and modules it used."""
    with tempfile.TemporaryDirectory() as scratch:
        counts = Path(scratch) / "counts.json"
        subprocess.run(
            [sys.executable, "-c", COUNT_FUNCTIONS, str(counts), *arguments],
            cwd=folder,
            env=environ(checkout),
            check=True,
            capture_output=True,
        )
        measured: dict[str, int] = json.loads(counts.read_text())
        return measured


def import_times(folder: Path, arguments: Sequence[str], checkout: Path) -> tuple[float, float]:
    """Return the import time of all modules and of promptci's own, in milliseconds."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "promptci", *arguments],
        cwd=folder,
        env=environ(checkout),
        check=True,
        capture_output=True,
        text=True,
    )
    total_us = own_us = 0
    for line in done.stderr.splitlines():
        columns = line.removeprefix("import time:").split("|")
        if line.startswith("import time:") and columns[0].strip().isdigit():
            total_us += int(columns[0])
            own_us += int(columns[0]) if columns[2].strip().split(".")[0] == "promptci" else 0
    return total_us / 1000, own_us / 1000


def measure(folders: dict[Path, Path], rounds: int) -> dict[Path, Startup]:
    """Measure every checkout, in turn within each round."""
    times: dict[tuple[Path, str], list[tuple[float, float]]] = {}
    for checkout, folder in folders.items():  # compiles the modules
        count_functions(folder, check_command("base", "no-change", folder.parent / "out"), checkout)
    for _ in range(rounds):
        for checkout, folder in folders.items():
            out = folder.parent / "out"
            for name, arguments in {"help": ["--help"], "no_change": check_command("base", "no-change", out)}.items():
                command = [sys.executable, "-m", "promptci", *arguments]
                times.setdefault((checkout, name), []).append(time_process(command, folder, checkout))
    return {
        checkout: _startup(checkout, folder, {name: times[checkout, name] for name in ("help", "no_change")}, rounds)
        for checkout, folder in folders.items()
    }


def _startup(checkout: Path, folder: Path, times: dict[str, list[tuple[float, float]]], rounds: int) -> Startup:
    out = folder.parent / "out"
    changed = check_command("no-change", "changed", out)
    counts = count_functions(folder, changed, checkout)
    imported = [import_times(folder, changed, checkout) for _ in range(rounds)]
    sources = [path for path in (checkout / "promptci").rglob("*.py") if "_data" not in path.parts]
    return Startup(
        help_ms=min(wall for wall, _ in times["help"]),
        help_cpu_ms=min(cpu for _, cpu in times["help"]),
        no_change_ms=min(wall for wall, _ in times["no_change"]),
        no_change_cpu_ms=min(cpu for _, cpu in times["no_change"]),
        check_import_ms=min(total for total, _ in imported),
        check_own_import_ms=min(own for _, own in imported),
        no_change_modules=count_functions(folder, check_command("base", "no-change", out), checkout)["loaded"],
        check_modules=counts["loaded"],
        functions=counts["functions"],
        code_objects=counts["code_objects"],
        functions_modules=counts["entered"],
        modules=len(sources),
        lines=sum(path.read_text(encoding="utf-8").count("\n") for path in sources),
    )


def measure_large(checkouts: Sequence[Path], scratch: Path, rounds: int) -> list[str]:
    """Return the rows of a table: seconds of wall time and of processor time of checks in large repositories."""
    rows = []
    for index, size in enumerate(LARGE):
        folder = scratch / f"large{index}"
        build_repository(folder, size, "http://127.0.0.1:9/v1")
        for branch, name in BRANCHES.items():
            times: dict[Path, list[tuple[float, float]]] = {checkout: [] for checkout in checkouts}
            for _ in range(rounds):
                for checkout in checkouts:
                    words = [
                        *check_command("base", branch, scratch / "out"),
                        *(["--dry-run"] if branch != "no-change" else []),
                    ]
                    command = [sys.executable, "-m", "promptci", *words]
                    times[checkout].append(time_process(command, folder, checkout))
            cells = [
                f"{min(wall for wall, _ in each) / 1000:.2f} / {min(cpu for _, cpu in each) / 1000:.2f}"
                for each in times.values()
            ]
            rows.append(f"| {size.name}: {name} | {' | '.join(cells)} |")
    return rows


def table(measured: dict[Path, Startup]) -> str:
    """Return the measurements as a Markdown table; with two checkouts, also as a ratio."""
    columns = [asdict(each) for each in measured.values()]
    ratio = len(columns) == 2
    head = ["measurement", *map(str, measured), *(["ratio, first / second"] if ratio else [])]
    lines = [f"| {' | '.join(head)} |", f"|:--{'|--:' * (len(head) - 1)}|"]
    for name in columns[0]:
        cells = [f"{column[name]:.0f}" for column in columns]
        if ratio:
            cells.append(f"{columns[0][name] / columns[1][name]:.2f}")
        lines.append(f"| {name.replace('_', ' ')} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9, help="how often each process runs")
    parser.add_argument("--checkout", type=Path, help="another checkout to measure too")
    parser.add_argument("--large", action="store_true", help="also measure large repositories")
    parser.add_argument("--json", type=Path, help="also write the measurements to this file")
    options = parser.parse_args()
    checkouts = [ROOT, *([options.checkout.resolve()] if options.checkout else [])]
    with serving(latency_s=0.0) as base_url, tempfile.TemporaryDirectory() as scratch:
        folders = {checkout: Path(scratch) / str(index) / "repository" for index, checkout in enumerate(checkouts)}
        for folder in folders.values():
            folder.parent.mkdir()
            make_repository(folder, base_url)
        measured = measure(folders, options.rounds)
        print(table(measured))
        if options.large:
            print(
                f"\n| seconds, wall / processor | {' | '.join(map(str, checkouts))} |\n|:--|{'--:|' * len(checkouts)}"
            )
            print("\n".join(measure_large(checkouts, Path(scratch), options.rounds)))
    if options.json:
        options.json.write_text(json.dumps({str(path): asdict(each) for path, each in measured.items()}, indent=2))


if __name__ == "__main__":
    main()
