"""Goldens of 100,000 cases in one file, and the history of 1,000 runs: what sizes.py measures.

    python benchmarks/large_run.py goldens FOLDER COUNT BASE_URL
    python benchmarks/large_run.py history FOLDER RUNS CASES

In a process of its own: the memory of the process that starts another counts as that of the other.
"""

import argparse
import json
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from realistic import VOCABULARY

from promptci.memory.model import CaseRecord, Line, VerdictRecord
from promptci.memory.store import Memory

NOTE_WORDS = 298
"""About 1.9 kB, so that 100,000 cases are 200 MB."""
PROMPT = {"model": "bench", "messages": [{"role": "user", "content": "Which number has this note? {{text}}"}]}
MODEL = "bench"
DIGEST = "d" * 64


def make_goldens(folder: Path, count: int, base_url: str) -> None:
    """Write and commit a prompt with one file of so many cases; every setting is as by default."""
    for name in ("goldens", "prompts"):
        (folder / name).mkdir(parents=True)
    (folder / "promptci.yml").write_text(json.dumps({"version": 1, "provider": {"base_url": base_url}}))
    (folder / "prompts" / "bench.prompt.yml").write_text(json.dumps(PROMPT))
    with (folder / "goldens" / "bench.jsonl").open("w") as file:
        for number in range(count):
            draw = random.Random(number)  # noqa: S311 - the same texts each time
            text = f"{' '.join(draw.choices(VOCABULARY, k=NOTE_WORDS))}. It is note {number}."
            value = {"id": f"note-{number}", "vars": {"text": text}, "expected": str(number)}
            file.write(f"{json.dumps({**value, 'assert': [{'type': 'contains'}]})}\n")
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "bench"]):
        subprocess.run([*git, *words], check=True)


def make_history(folder: Path, runs: int, cases: int) -> None:
    """Write what so many checks of one prompt leave in its memory, eight a day; each has its own version as head."""
    now = datetime.now(UTC)
    memory = Memory(folder, today=now.date())
    for run in range(runs):
        at = f"{now - timedelta(hours=3 * run):%Y-%m-%dT%H:%M:%SZ}"
        base, head = "b" * 64, f"{run:064x}"
        lines: list[Line] = [
            VerdictRecord(
                id=f"{run:010x}",
                at=at,
                base="a" * 40,
                head=f"{run:040x}",
                prompt="bench",
                status="changed",
                fingerprints=(base, head),
                mode="block",
                verdict="pass",
                blocks=False,
                p=0.5,
                delta=0.0,
                pairs=cases,
            )
        ]
        lines += [
            CaseRecord(
                run=f"run-{run}",
                at=at,
                prompt="bench",
                fingerprint=fingerprint,
                case=f"c{case}",
                digest=DIGEST,
                model=MODEL,
                passes=1,
                fails=0,
            )
            for fingerprint in (base, head)
            for case in range(cases)
        ]
        if trouble := memory.append(lines):
            sys.exit(trouble)


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    goldens, history = commands.add_parser("goldens"), commands.add_parser("history")
    for each in (goldens, history):
        each.add_argument("folder", type=Path)
    goldens.add_argument("count", type=int)
    goldens.add_argument("base_url")
    history.add_argument("runs", type=int)
    history.add_argument("cases", type=int)
    options = parser.parse_args()
    if options.command == "goldens":
        make_goldens(options.folder, options.count, options.base_url)
    else:
        make_history(options.folder, options.runs, options.cases)


if __name__ == "__main__":
    main()
