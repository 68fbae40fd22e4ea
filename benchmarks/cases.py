"""Makes the git repository that is measured: a prompt and its cases, and the same cases as promptfoo reads them.

    python benchmarks/cases.py FOLDER COUNT CONCURRENCY BASE_URL

In a process of its own: what a process takes at most counts for all that it starts.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import rivals

A_FILE = 20_000
"""Cases; a repository's file of more than 16 MB is not read."""
LARGE = 100_000
"""At so many cases nothing but promptci and the floor is run."""
CONFIG = """version: 1
provider: {{base_url: "{base_url}"}}
run: {{concurrency: {concurrency}, cache: null}}
"""
PROMPT = """model: bench
messages:
  - role: user
    content: "{{text}}"
"""
NOTE = "Please read the following note with care, and then say in one short sentence which number it holds. "


def cases(first: int, stop: int) -> Iterator[dict[str, str]]:
    """Give the texts, and the number that each holds."""
    for n in range(first, stop):
        yield {"text": f"{NOTE * 2}Note: {100_000 + n}.", "expected": str(100_000 + n)}


def _golden(place: int, case: dict[str, str]) -> str:
    golden = {
        "id": f"case-{place}",
        "vars": {"text": case["text"]},
        "expected": case["expected"],
        "assert": [{"type": "contains"}, {"type": "not-contains", "value": "sorry"}],
    }
    return f"{json.dumps(golden)}\n"


def main(folder: Path, count: int, concurrency: int, base_url: str) -> None:
    """Write and commit everything."""
    for name in ("goldens", "prompts"):
        (folder / name).mkdir(parents=True)
    (folder / "promptci.yml").write_text(CONFIG.format(base_url=base_url, concurrency=concurrency))
    (folder / "prompts" / "bench.prompt.yml").write_text(PROMPT)
    for number, first in enumerate(range(0, count, A_FILE)):
        with (folder / "goldens" / f"bench.{number}.jsonl").open("w") as file:
            found = enumerate(cases(first, min(count, first + A_FILE)), first)
            file.writelines(_golden(place, case) for place, case in found)
    git = ["git", "-C", str(folder), "-c", "user.name=bench", "-c", "user.email=bench@example.com"]
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "bench"]):
        subprocess.run([*git, *arguments], check=True)
    if count < LARGE:
        (folder / "promptfoo.json").write_text(rivals.promptfoo_config(list(cases(0, count)), base_url))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
