"""Build a repository of many prompts, files and commits in seconds, with `git fast-import`."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CONFIG = 'version: 1\nprovider: {{base_url: "{base_url}"}}\nrun: {{concurrency: 8, cache: null, memory: null}}\n'
PROMPT = """name: prompt-{number}
model: openai/gpt-4o-mini
messages:
  - role: system
    content: |
      You extract the order number from a customer's message.
      {text}
  - role: user
    content: "{{{{text}}}}"
"""
GOLDEN = '{{"id": "c{case}", "vars": {{"text": "Order {number}-{case} is late."}}, "expected": "{number}-{case}"}}\n'
CASES = 5
AUTHOR = "bench <bench@example.com>"
FOLDERS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How much is in a repository."""

    prompts: int
    files: int
    """Files that are neither prompts nor goldens."""
    commits: int

    @property
    def name(self) -> str:
        """Return the size in words."""
        return f"{self.prompts:,} prompts, {self.files:,} other files, {self.commits:,} commits"


def build_repository(folder: Path, size: Size, base_url: str) -> None:
    """Write the branches `base`, `no-change`, `one` and `many`, of which the last two change 1 and 200 prompts."""
    folder.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE) as importer:
        if importer.stdin is None:
            raise SystemExit("git fast-import has no pipe")
        for piece in _commands(size, base_url):
            importer.stdin.write(piece.encode())
    if importer.returncode:
        raise SystemExit("git fast-import failed")
    subprocess.run(["git", "-C", str(folder), "reset", "--hard", "-q", "main"], check=True)


def _commands(size: Size, base_url: str) -> Iterator[str]:
    yield _commit("main", 1)
    yield _file("promptci.yml", CONFIG.format(base_url=base_url))
    for number in range(size.prompts):
        yield _file(_prompt_path(number), PROMPT.format(number=number, text="Answer with the number alone."))
        rows = (GOLDEN.format(number=number, case=case) for case in range(CASES))
        yield _file(f"goldens/prompt-{number}.jsonl", "".join(rows))
    for number in range(size.files):
        yield _file(f"src/part{number % FOLDERS}/module{number}.py", f"VALUE = {number}\n")
    for number in range(2, size.commits):
        yield _commit("main", number) + _file("src/part0/module0.py", f"VALUE = {number}\n")
    yield "reset refs/heads/base\nfrom refs/heads/main\n\n"
    changes = {"no-change": 0, "one": 1, "many": min(200, size.prompts)}
    for branch, count in changes.items():
        yield _commit(branch, size.commits, start="refs/heads/main") + _file("src/part1/new.py", "NEW = 1\n")
        for number in range(count):
            text = "Return only the order number, nothing else."
            yield _file(_prompt_path(number), PROMPT.format(number=number, text=text))


def _prompt_path(number: int) -> str:
    return f"prompts/team{number % FOLDERS}/prompt-{number}.prompt.yml"


def _commit(branch: str, number: int, start: str = "") -> str:
    origin = f"from {start}\n" if start else ""
    return f"commit refs/heads/{branch}\ncommitter {AUTHOR} {1_700_000_000 + number} +0000\ndata 2\nx\n{origin}"


def _file(path: str, text: str) -> str:
    return f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n"
