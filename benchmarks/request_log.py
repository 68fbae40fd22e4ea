"""Measure how long `promptci canary` and `promptci monitor` take over a week's request log, as whole processes.

    python benchmarks/request_log.py [--quick] [--json rows.json]

It writes a log as the runtime does, in which the canary changes nothing, and decides it once by DuckDB and once
without. Beside them stands a process in which DuckDB only counts and averages the quality of each arm: the least that
reading can cost. A rate of 50,000 requests a day makes 350,000 lines a week. The largest log that is read, of 2,000,000
lines, is decided once by DuckDB.
"""

import json
import random
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from process_cost import environ, measure
from rows import PartOptions, Row, run_part

PART = "A week of requests"
WEEK_LINES, MOST_LINES = 350_000, 2_000_000
TARGETS_S = {WEEK_LINES: 3.0, MOST_LINES: 20.0}
"""Wall time of `canary` with DuckDB."""
WEEK_TARGET_MB = 400.0
BY_DUCKDB = "`canary` with DuckDB"
COMMAND = "python benchmarks/request_log.py"
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


def measure_log(folder: Path, lines: int) -> list[Row]:
    """Return the rows of each program."""
    monitor = ["-m", "promptci", "monitor", "--log", "log.jsonl", "--out", "monitor"]
    programs = {
        BY_DUCKDB: ["-c", decide("")],
        "`canary` without DuckDB": ["-c", decide(WITHOUT)],
        "`monitor`": monitor,
        "count and mean by DuckDB alone": ["-c", AGGREGATE],
    }
    if lines > WEEK_LINES:
        programs = {BY_DUCKDB: programs[BY_DUCKDB]}
    folder.mkdir()
    prepare(folder)
    write_log(folder / "log.jsonl", lines)
    size_mb = (folder / "log.jsonl").stat().st_size / 1e6
    rows = []
    for title, words in programs.items():
        cost = measure([sys.executable, *words], folder, environ())
        what = f"{lines:,} lines, {size_mb:.0f} MB: {title}"
        target_s = TARGETS_S.get(lines) if title == BY_DUCKDB else None
        target_mb = WEEK_TARGET_MB if "canary" in title and lines == WEEK_LINES else None
        rows.append(_row(what, cost.wall_s, "s", target_s, f"{cost.cpu_s:.1f} s of processor time"))
        rows.append(_row(f"{what}, memory", cost.peak_mb, "MB", target_mb))
    return rows


def _row(what: str, measured: float, unit: str, target: float | None, note: str = "") -> Row:
    return Row(part=PART, what=what, measured=measured, unit=unit, target=target, note=note, command=COMMAND)


def measure_logs(options: PartOptions) -> list[Row]:
    """Measure everything."""
    with tempfile.TemporaryDirectory(prefix="promptci-bench-") as name:
        sizes = [20_000] if options.quick else [WEEK_LINES, MOST_LINES]
        return [row for lines in sizes for row in measure_log(Path(name) / str(lines), lines)]


if __name__ == "__main__":
    run_part(measure_logs, __doc__)
