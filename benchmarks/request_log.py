"""Measure how long `promptci canary` takes over a week's request log, as a whole process.

    python benchmarks/request_log.py [LINES]

It writes a log as the runtime does, in which the canary changes nothing, and decides it once by DuckDB and once
without. Beside them stands a process in which DuckDB only counts and averages the quality of each arm: the least that
reading can cost. A rate of 50,000 requests a day makes 350,000 lines a week.
"""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 2, tzinfo=UTC)
WEEK = timedelta(days=7)
USERS = 60_000
DEPLOYMENT = "prompts:\n  order:\n    stable: v1\n    canary:\n      version: v2\n      share: 5\n"
STATE = {
    "schema": "promptci/canary-state/v1",
    "prompts": {"order": {"stable": "v1", "canary": "v2", "share": 5, "since": START.isoformat()}},
}
WITHOUT = "import sys; sys.modules['duckdb'] = None\n"
"""Makes DuckDB look as if it were not installed."""
AGGREGATE = """
import duckdb
arm, quality = "feature_flag.result.variant", "gen_ai.evaluation.score.value"
columns = f"columns = {{'{arm}': 'VARCHAR', '{quality}': 'DOUBLE'}}"
table = f"read_json('log.jsonl', format = 'newline_delimited', {columns})"
print(duckdb.sql(f'select "{arm}", count(*), avg("{quality}") from {table} group by all').fetchall())
"""


def write_log(path: Path, lines: int) -> None:
    """Write a log."""
    draw = random.Random(1)  # noqa: S311 - made-up data
    with path.open("w") as file:
        for index in range(lines):
            user = draw.randrange(USERS)
            is_canary = user % 20 == 0
            value = {
                "time": f"{(START + WEEK * index / lines).isoformat(timespec='milliseconds').removesuffix('+00:00')}Z",
                "promptci.request": f"{draw.getrandbits(64):016x}",
                "gen_ai.prompt.name": "order",
                "gen_ai.prompt.version": "v2" if is_canary else "v1",
                "feature_flag.result.variant": "canary" if is_canary else "stable",
                "promptci.share": 500,
                "promptci.unit": f"{user * 7919:016x}",
                "promptci.bundle": "efb1d5ec271d",
                "promptci.latency_ms": round(draw.lognormvariate(6.5, 0.4), 1),
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": f"chatcmpl-{index}",
                "promptci.system_fingerprint": "fp_44",
                "gen_ai.usage.input_tokens": 212,
                "gen_ai.usage.output_tokens": 41,
                "gen_ai.usage.cost.amount": "0.0021",
                "error.type": None,
                "promptci.tag": "returns",
                "gen_ai.evaluation.score.value": int(draw.random() < 0.96),
            }
            file.write(json.dumps(value, separators=(",", ":")) + "\n")


def prepare(folder: Path) -> None:
    """Make a repository with a canary at 5 %."""
    (folder / "deployments").mkdir()
    (folder / "deployments" / "production.yml").write_text(DEPLOYMENT)
    (folder / "deployments" / "production.canary.json").write_text(json.dumps(STATE))
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"], ["tag", "v1"], ["tag", "v2"]):
        subprocess.run([*git, *words], cwd=folder, check=True)


def decide(first: str) -> str:
    """Return the program of one decision."""
    now = (START + WEEK).strftime("%Y-%m-%dT%H:%M:%SZ")
    words = ["canary", "--env", "production", "--log", "log.jsonl", "--now", now]
    return f"{first}import sys\nfrom promptci.cli import main\nsys.argv = ['promptci', *{words!r}]\nmain()"


def measure(folder: Path, code: str) -> tuple[float, float, float]:
    """Return seconds, processor seconds and MB of one process."""
    began = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-c", code], cwd=folder, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"promptci canary ended with {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def run(lines: int) -> None:
    """Measure, and print one line for each reader."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        write_log(folder / "log.jsonl", lines)
        size = (folder / "log.jsonl").stat().st_size / 1e6
        print(f"{lines:,} lines, {size:.0f} MB; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        programs = {"DuckDB": decide(""), "Python": decide(WITHOUT), "aggregate by DuckDB alone": AGGREGATE}
        for title, code in programs.items():
            seconds, processor, memory = measure(folder, code)
            print(f"  {title}: {seconds:.1f} s, {processor:.1f} s of processor, {memory:.0f} MB")


if __name__ == "__main__":
    run(int(sys.argv[1]) if len(sys.argv) > 1 else 350_000)
