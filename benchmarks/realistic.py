"""Cases of a realistic size: 3 kB in, 1 kB out. The endpoint, the repository, and the script that is the floor.

    python benchmarks/realistic.py serve --latency 0.05
    python benchmarks/realistic.py make FOLDER COUNT CONCURRENCY BASE_URL --kind equals
    python benchmarks/realistic.py floor FOLDER CONCURRENCY BASE_URL --times 1

Kinds of repository: `equals` (the answer is compared with 1 kB of expected text), `json-schema` (each case holds the
schema), `judged` (a model grades each answer, so that a run makes two calls a case). In each, `HEAD~1` has another
version of the prompt than `HEAD`, so that `check --base HEAD~1` asks both: two calls a case.
"""

import argparse
import asyncio
import json
import os
import random
import re
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import aiohttp
import endpoint
import endpoint_process

HERE = Path(__file__).resolve().parent
KINDS = ("equals", "json-schema", "judged")
CASES_PER_FILE = 2000
"""Cases of 5 kB: a file stays below 16 MB."""
QUESTION_WORDS, ANSWER_WORDS = 475, 122
NUMBER = re.compile(r"Ticket (\d+)")
LETTERS = "eeeeetttaaaooiinnsshhrrddlcumwfgypbvk"
DRAWN = random.Random("vocabulary")  # noqa: S311 - the same texts each time
VOCABULARY = tuple("".join(DRAWN.choices(LETTERS, k=DRAWN.choice((2, 3, 4, 5, 6, 8, 9)))) for _ in range(3000))
"""As hard to compress as English prose is: to about two fifths."""
GRADE = '{"reason": "It names the ticket and says what was reported.", "score": 5}'
SYSTEM = {
    "HEAD~1": "You read the ticket of a customer and answer with one JSON object.",
    "HEAD": "You read a customer's ticket with care and answer with one JSON object.",
}
"""The prompt of both revisions."""
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "ticket": {"type": "integer", "minimum": 0},
        "category": {"enum": ["billing", "delivery", "returns", "technical"]},
        "urgent": {"type": "boolean"},
        "summary": {"type": "string", "minLength": 10, "maxLength": 2000},
        "customer": {
            "type": "object",
            "properties": {"id": {"type": "string", "pattern": "^C-[0-9]+$"}, "tier": {"enum": ["basic", "plus"]}},
            "required": ["id", "tier"],
            "additionalProperties": False,
        },
        "actions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "days": {"type": "integer"}},
                "required": ["name", "days"],
                "additionalProperties": False,
            },
            "minItems": 1,
        },
    },
    "required": ["ticket", "category", "urgent", "summary", "customer", "actions"],
    "additionalProperties": False,
}


def question(number: int) -> str:
    """Return the text of a ticket: 3 kB, unlike that of any other ticket."""
    return f"Ticket {number}. {_words(f'question {number}', QUESTION_WORDS)}."


def answer(number: int) -> str:
    """Return the answer to a ticket: 1 kB of JSON."""
    value = {
        "ticket": number,
        "category": ("billing", "delivery", "returns", "technical")[number % 4],
        "urgent": number % 7 == 0,
        "summary": _words(f"answer {number}", ANSWER_WORDS),
        "customer": {"id": f"C-{number}", "tier": "plus" if number % 3 else "basic"},
        "actions": [{"name": name, "days": number % 9} for name in ("reply", "refund", "forward")],
    }
    return json.dumps(value)


def _words(seed: str, count: int) -> str:
    # Drawn for each text, because a text that repeats another would make every file small once it is compressed.
    return " ".join(random.Random(seed).choices(VOCABULARY, k=count))  # noqa: S311


def case(number: int, kind: str) -> dict[str, Any]:
    """Return one golden case."""
    assertions: dict[str, Any] = {
        "equals": {"expected": answer(number)},
        "json-schema": {"assert": [{"type": "json-schema", "value": SCHEMA}]},
        "judged": {"assert": [{"type": "judge"}]},
    }
    return {"id": f"ticket-{number}", "vars": {"text": question(number)}, **assertions[kind]}


def make_repository(folder: Path, count: int, concurrency: int | str, base_url: str, kind: str = "equals") -> None:
    """Write and commit a prompt with so many cases; `concurrency` may be `auto`, or `default`: no setting at all."""
    for name in ("goldens", "prompts"):
        (folder / name).mkdir(parents=True)
    config: dict[str, Any] = {
        "version": 1,
        "provider": {"base_url": base_url},
        "prompts": {"goldens": "goldens/{name}-*.jsonl"},
    }
    if concurrency != "default":
        config["run"] = {"concurrency": concurrency, "cache": None, "repeats": 1}
    if kind == "judged":
        (folder / "rubric.md").write_text("The answer names the ticket and sums it up in words that a clerk can use.\n")
        config["judge"] = {"model": "judge", "rubric": "rubric.md", "probes": 0}
    (folder / "promptci.yml").write_text(json.dumps(config))
    for first in range(0, count, CASES_PER_FILE):
        with (folder / "goldens" / f"bench-{first // CASES_PER_FILE:03}.jsonl").open("w") as file:
            for number in range(first, min(count, first + CASES_PER_FILE)):
                file.write(f"{json.dumps(case(number, kind))}\n")
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    subprocess.run([*git, "init", "-q", "-b", "main"], check=True)
    for system in SYSTEM.values():
        messages = [{"role": "system", "content": system}, {"role": "user", "content": "{{text}}"}]
        (folder / "prompts" / "bench.prompt.yml").write_text(json.dumps({"model": "bench", "messages": messages}))
        for arguments in (["add", "."], ["commit", "-q", "-m", "bench"]):
            subprocess.run([*git, *arguments], check=True)


def prepare(folder: Path, count: int, concurrency: int | str, base_url: str, kind: str = "equals") -> None:
    """Make the repository in a process of its own: its memory would count as that of what is measured."""
    words = ["make", str(folder), str(count), str(concurrency), base_url, "--kind", kind]
    subprocess.run([sys.executable, str(HERE / "realistic.py"), *words], check=True)


def floor_command(folder: Path, concurrency: int, base_url: str, times: int = 1) -> list[str]:
    """Return the command of the plain script, which asks every case so many times."""
    words = ["floor", str(folder), str(concurrency), base_url, "--times", str(times)]
    return [sys.executable, str(HERE / "realistic.py"), *words]


def run_command(folder: Path, out: Path) -> list[str]:
    """Return the command of one run: a call a case, or two where a judge grades."""
    return [sys.executable, "-m", "promptci", "run", "--repo", str(folder), "--head", "HEAD", "--out", str(out)]


def check_command(folder: Path, out: Path) -> list[str]:
    """Return the command of one check: two calls a case."""
    words = ["--repo", str(folder), "--base", "HEAD~1", "--head", "HEAD", "--out", str(out)]
    return [sys.executable, "-m", "promptci", "check", *words]


def answer_bytes(count: int, versions: int = 1) -> int:
    """Return the size of all answers of a run."""
    return versions * sum(len(answer(number).encode()) for number in range(count))


def file_bytes(out: Path) -> int:
    """Return the size of all files of a run."""
    return sum(file.stat().st_size for file in out.rglob("*") if file.is_file())


def serving(
    latency_s: float, totals: dict[str, float] | None = None, last_answer: Path | None = None
) -> AbstractContextManager[str]:
    """Serve and yield the base URL; afterwards add calls and processor seconds to `totals`.

    When the last answer was sent is written to the file `last_answer`.
    """
    environ = {**os.environ, "BENCH_LAST_ANSWER": str(last_answer or "")}
    return endpoint_process.serving(latency_s, totals, program=("realistic.py", "serve"), environ=environ)


def reply(body: bytes) -> bytes:
    """Return the endpoint's response: the answer to the ticket, or a grade where the judge is asked."""
    # Found, not parsed: the endpoint shares the machine with what is measured.
    judged = body.startswith((b'{"model":"judge"', b'{"model": "judge"'))
    number = NUMBER.search(body.decode())
    text = GRADE if judged else answer(int(number[1])) if number else "There is no ticket."
    value = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "judge" if judged else "bench",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 760, "completion_tokens": 240, "total_tokens": 1000},
    }
    return json.dumps(value).encode()


async def floor(folder: Path, concurrency: int, base_url: str, times: int) -> None:
    """Ask every case, and look whether the answer is about its ticket: the least that Python and aiohttp need."""
    files = sorted((folder / "goldens").iterdir())
    cases = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    waiting = iter([golden for golden in cases for _ in range(times)])
    right = 0

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal right
        for golden in waiting:
            messages = [
                {"role": "system", "content": SYSTEM["HEAD"]},
                {"role": "user", "content": golden["vars"]["text"]},
            ]
            async with session.post(
                f"{base_url}/chat/completions", json={"model": "bench", "messages": messages}
            ) as response:
                text = (await response.json())["choices"][0]["message"]["content"]
            number = golden["id"].partition("-")[2]
            right += text == golden["expected"] if "expected" in golden else f'"ticket": {number},' in text

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(work(session) for _ in range(concurrency)))
    if right != len(cases) * times:
        sys.exit(f"{right} of {len(cases) * times} are right")


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve")
    serve.add_argument("--latency", type=float, default=0.05)
    serve.add_argument("--rate", type=float, default=0.0)
    make, ask = commands.add_parser("make"), commands.add_parser("floor")
    make.add_argument("folder", type=Path)
    make.add_argument("count", type=int)
    make.add_argument("concurrency", type=lambda text: text if text in {"auto", "default"} else int(text))
    make.add_argument("base_url")
    make.add_argument("--kind", choices=KINDS, default="equals")
    ask.add_argument("folder", type=Path)
    ask.add_argument("concurrency", type=int)
    ask.add_argument("base_url")
    ask.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    if options.command == "serve":
        endpoint.answer = reply
        asyncio.run(endpoint.serve(options.latency, options.rate))
    elif options.command == "make":
        make_repository(options.folder, options.count, options.concurrency, options.base_url, options.kind)
    else:
        asyncio.run(floor(options.folder, options.concurrency, options.base_url, options.times))


if __name__ == "__main__":
    main()
