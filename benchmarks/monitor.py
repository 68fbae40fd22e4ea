"""How long `promptci monitor` takes, and how much memory: `python benchmarks/monitor.py --lines 10000000`.

The log is made up: 20 prompts over 30 days, two of them with a canary, half of the requests judged.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

QUERY = """
    select
        timestamptz '2026-03-01 00:00:00+00' + to_microseconds(i * (30 * 86400000000 // {lines})) as "time",
        'r' || i as "promptci.request",
        'prompt-' || lpad((hash(i) % 20)::varchar, 2, '0') as "gen_ai.prompt.name",
        case when is_canary then 'v1.3.0' else 'v1.2.0' end as "gen_ai.prompt.version",
        case when is_canary then 'canary' else 'stable' end as "feature_flag.result.variant",
        case when hash(i) % 20 < 2 then 500 else 0 end as "promptci.share",
        printf('%016x', hash(i % ({lines} // 20 + 1))) as "promptci.unit",
        (400 + 300 * ln(1 + hash(i + 1) % 1000))::integer as "promptci.latency_ms",
        'gpt-4o-mini' as "gen_ai.request.model",
        case when i < {lines} // 2 then 'gpt-4o-mini-2024-07-18' else 'gpt-4o-mini-2025-01-05' end
            as "gen_ai.response.model",
        (100 + hash(i + 2) % 300)::integer as "gen_ai.usage.input_tokens",
        (hash(i + 3) % 90)::integer as "gen_ai.usage.output_tokens",
        (hash(i + 4) % 4000 / 1000000)::decimal(12, 6)::varchar as "gen_ai.usage.cost.amount",
        case when hash(i + 5) % 100 = 0 then 'timeout' end as "error.type",
        case when i % 2 = 0 then (hash(i + 6) % 100 < 96)::integer::double end as "gen_ai.evaluation.score.value",
        'tag-' || hash(i + 7) % 12 as "promptci.tag"
    from (select range as i, hash(range) % 20 < 2 and hash(range + 9) % 20 = 0 as is_canary from range({lines}))"""


def write_log(path: Path, lines: int) -> None:
    """Write the log as Parquet, or as JSON lines."""
    options = "format parquet" if path.suffix == ".parquet" else "format json"
    with duckdb.connect() as connection:
        connection.execute(f"copy ({QUERY.format(lines=lines)}) to '{path}' ({options})")  # noqa: S608 - our own


def main() -> None:
    """Write a log, read it in a process of its own, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--format", choices=("parquet", "jsonl"), default="parquet")
    arguments = parser.parse_args()
    with TemporaryDirectory() as folder:
        log = Path(folder, f"log.{arguments.format}")
        write_log(log, arguments.lines)
        start = time.perf_counter()
        command = [sys.executable, "-m", "promptci", "monitor", "--log", str(log), "--out", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - start
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        document = json.loads(Path(folder, "monitor.json").read_text(encoding="utf-8"))
        print(
            f"{arguments.lines:,} lines, {log.stat().st_size / 2**20:,.0f} MiB {arguments.format}: {seconds:.1f} s,"
            f" {used.ru_utime + used.ru_stime:.1f} s of processor, {used.ru_maxrss / 2**20:.2f} GiB,"
            f" monitor.json {Path(folder, 'monitor.json').stat().st_size / 2**20:.1f} MiB,"
            f" {len(document['traffic']):,} rows of traffic"
        )


if __name__ == "__main__":
    main()
