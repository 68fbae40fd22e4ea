"""How much longer a run takes than a plain script that makes the same calls: whole processes, a real server.

All ask 1,000 questions of a server that answers after 50 ms, 50 at a time. The plain script does nothing but that, the
way the manual of the `openai` package shows it. `asking` plans and asks them and keeps a journal; `check` is all of
`promptci check`: it reads a git repository at two revisions, asks, marks, compares, decides and writes the reports.

    python benchmarks/overhead.py [--rounds 3] [--only asking]

Exit code 1 where `check` takes more than 1.5 times as long as the plain script.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SERVER = ROOT / "tests" / "fakes" / "openai_server.py"
CASES = 500
"""Asked of both versions: 1,000 calls."""
LATENCY_S = 0.05
CONCURRENCY = 50
ALLOWED = 1.5
"""So many times as long as the plain script `check` may take."""

PLAIN = f"""
import asyncio, sys
from openai import AsyncOpenAI

async def main():
    client = AsyncOpenAI(base_url=sys.argv[1], api_key="none")
    room = asyncio.Semaphore({CONCURRENCY})
    async def ask(number, verb):
        async with room:
            answer = await client.chat.completions.create(
                model="bench", messages=[{{"role": "user", "content": f"{{verb}} the number {{number}}"}}]
            )
            return answer.choices[0].message.content
    answers = await asyncio.gather(*(ask(n, verb) for n in range({CASES}) for verb in ("Say", "Repeat")))
    assert all(answers) and len(answers) == {2 * CASES}
    await client.close()

asyncio.run(main())
"""

ASKING = f"""
import asyncio, sys
from pathlib import Path
from promptci.goldens.model import Case, GoldenSet
from promptci.prompts.model import Message, Prompt
from promptci.providers import table
from promptci.providers.options import Options
from promptci.providers.prices import PriceList
from promptci.runs import execute, plan
from promptci.runs.journal import Journal
from promptci.runs.model import Limits, Status
from promptci.runs.purse import Purse

def version(verb):
    messages = (Message(role="user", content=verb + " the number {{{{number}}}}"),)
    cases = tuple(Case(id=str(n), vars={{"number": n}}, path="x") for n in range({CASES}))
    return Prompt(name="x", path="x", model="bench", messages=messages), GoldenSet(paths=("x",), cases=cases)

async def main():
    options = Options(base_url=sys.argv[1])
    planned = plan.plan_prompt("x", "x", Status.CHANGED, version("Say"), version("Repeat"), [])
    questions, problems, _ = plan.questions([planned], 1)
    provider = table.make(options, {{}}, Path(), Path())
    with Journal.open(Path(sys.argv[2]) / "journal.jsonl") as journal:
        desk = execute.Desk(purse=Purse(None, PriceList(options)), journal=journal)
        limits = Limits(concurrency={CONCURRENCY})
        answers = await execute.answer(questions, provider, limits=limits, desk=desk)
    assert all(answer.completion for answer in answers) and len(answers) == {2 * CASES}
    await provider.aclose()

asyncio.run(main())
"""

CONFIG = """version: 1
provider: {{base_url: "{base_url}"}}
run: {{concurrency: {concurrency}, cache: null}}
"""
PROMPT = """model: bench
messages:
  - role: user
    content: "{verb} the number {{{{number}}}}"
"""


def commands(base_url: str, repository: Path, out: Path) -> dict[str, list[str]]:
    """Give what is measured: each a whole process."""
    check = [sys.executable, "-m", "promptci", "check", "--repo", str(repository), "--out", str(out)]
    return {
        "plain": [sys.executable, "-c", PLAIN, base_url],
        "asking": [sys.executable, "-c", ASKING, base_url, str(out)],
        "check": [*check, "--base", "HEAD~1", "--head", "HEAD"],
    }


def make_repository(folder: Path, base_url: str) -> None:
    """Make a repository whose last commit rewords a prompt that has 500 cases."""
    golden = (
        {"id": str(n), "vars": {"number": n}, "assert": [{"type": "contains", "value": str(n)}]} for n in range(CASES)
    )
    files = {
        "promptci.yml": CONFIG.format(base_url=base_url, concurrency=CONCURRENCY),
        "goldens/x.jsonl": "".join(f"{json.dumps(case)}\n" for case in golden),
        "prompts/x.prompt.yml": PROMPT.format(verb="Say"),
    }
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "base"]):
        subprocess.run([*git, *arguments], check=True)
    (folder / "prompts/x.prompt.yml").write_text(PROMPT.format(verb="Repeat"))
    subprocess.run([*git, "commit", "-q", "-a", "-m", "head"], check=True)


@contextmanager
def serving() -> Iterator[str]:
    """Run the fake server in a process of its own and give its base URL."""
    command = [sys.executable, str(SERVER), "--latency", str(LATENCY_S)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            if server.stdout is None:
                raise RuntimeError("the server has no output")
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def seconds(command: list[str]) -> float:
    """Run one process and give its wall time; its words are shown only where it fails."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = time.perf_counter()
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    took = time.perf_counter() - started
    if done.returncode != 0:
        raise SystemExit(f"exit code {done.returncode} from {command[:6]}\n{done.stdout}{done.stderr}")
    return took


def main() -> int:
    """Measure, print and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="how often each process is run, in turn")
    parser.add_argument("--only", choices=["asking", "check"], help="what to compare with the plain script")
    arguments = parser.parse_args()
    took: dict[str, list[float]] = {}
    with serving() as base_url, tempfile.TemporaryDirectory() as scratch:
        make_repository(Path(scratch) / "repository", base_url)
        for number in range(arguments.rounds):
            out = Path(scratch) / f"out-{number}"
            out.mkdir()
            for name, command in commands(base_url, Path(scratch) / "repository", out).items():
                if name in {"plain", arguments.only or name}:
                    took.setdefault(name, []).append(seconds(command))
    plain = statistics.median(took["plain"])
    for name, times in took.items():
        middle = statistics.median(times)
        print(f"{name:8} {middle:6.2f} s  ({min(times):.2f} to {max(times):.2f})  {middle / plain:5.2f} x plain")
    return int("check" in took and statistics.median(took["check"]) > ALLOWED * plain)


if __name__ == "__main__":
    sys.exit(main())
