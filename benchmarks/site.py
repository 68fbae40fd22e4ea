"""Measure `promptci site`: many prompts with two years of nights, cold, with nothing new, and after one more night.

Run `python benchmarks/site.py [PROMPTS] [NIGHTS]`. Repository, tags and history branch are real.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from promptci.git.data_branch import find_branch
from promptci.usecases.site.make_site import SiteRequest, make_site

PROMPT = """name: {name}
model: gpt-4o-mini
messages:
  - role: system
    content: Task {number}, version {version}.
  - role: user
    content: "{{{{input}}}}"
"""
LAST = date(2026, 3, 8)
TARGETS = {"cold": 60.0, "nothing new": 10.0, "one prompt changed": 10.0}
IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in {"NAME": "ann", "EMAIL": "ann@example.com", "DATE": "2026-01-02T10:00:00Z"}.items()
}


def git(root: Path, *words: str, data: str = "") -> None:
    """Run git."""
    subprocess.run(["git", *words], cwd=root, input=data, text=True, check=True)


def create(root: Path, prompts: int, nights: int) -> None:
    """Make the repository: two releases of each prompt, all deployed, and one night file a day."""
    for folder in ("prompts", "goldens", "deployments"):
        (root / folder).mkdir(parents=True)
    git(root, "init", "--quiet", "--initial-branch=main")
    for version in (1, 2):
        for number in range(prompts):
            name = f"prompt-{number:03}"
            (root / "prompts" / f"{name}.prompt.yml").write_text(
                PROMPT.format(name=name, number=number, version=version)
            )
            cases = (json.dumps({"vars": {"input": f"{case}"}, "expected": "x"}) for case in range(20))
            (root / "goldens" / f"{name}.jsonl").write_text("\n".join(cases) + "\n")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message=version")
        commands = []
        for number in range(prompts):
            message = f"v\n\nFingerprint: {'8b' * 32}\nVerdict: pass; 20 cases\nApproved-by: ben\n"
            commands.append(
                f"tag prompts/prompt-{number:03}/v1.{version}.0\nfrom refs/heads/main\n"
                f"tagger ann <ann@example.com> {1760000000 + version * 86400} +0000\ndata {len(message)}\n{message}\n"
            )
        git(root, "fast-import", "--quiet", "--force", data="".join(commands))
    deployed = "".join(f"  prompt-{n:03}:\n    stable: prompts/prompt-{n:03}/v1.2.0\n" for n in range(prompts))
    (root / "deployments" / "production.yml").write_text(f"version: 1\nprompts:\n{deployed}")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message=deploy")
    files = {f"nights/{day:%Y/%m-%d}.jsonl": night_lines(day, prompts) for day in last_days(nights)}
    find_branch(root, "origin").append(lambda _: {"FORMAT": b"1\n", **files}, "nights")


def last_days(count: int) -> list[date]:
    """Return the last days."""
    return [LAST - timedelta(days=count - 1 - place) for place in range(count)]


def night_lines(day: date, prompts: int) -> bytes:
    """Return one line a prompt."""
    lines = []
    for number in range(prompts):
        value = {
            "schema": "promptci/night/v1",
            "at": f"{day}T03:17:00Z",
            "run": "123456789",
            "prompt": f"prompt-{number:03}",
            "version": "v1.2.0",
            "fingerprint": "8b" * 32,
            "goldens": "9a" * 32,
            "judge": "71" * 32,
            "reference": None,
            "model": "gpt-4o-mini",
            "models": ["gpt-4o-mini-2024-07-18"],
            "n": 20,
            "marks": "11110111011111111111",
            "quality": 0.9 + (day.toordinal() * 7 + number) % 10 / 100,
            "p50_ms": 640,
            "p95_ms": 900 + day.toordinal() % 17 * 20,
            "usd": "0.0210",
            "cusum": 0.013,
            "h": 0.13,
            "verdict": "steady",
        }
        lines.append(json.dumps(value, separators=(",", ":")))
    return ("\n".join(lines) + "\n").encode()


def measure(root: Path, out: Path, label: str) -> None:
    """Build once, and print what it took."""
    wall, processor = time.perf_counter(), time.process_time()
    now = datetime(2026, 3, 8, 5, tzinfo=UTC)
    made = make_site(SiteRequest(roots=(root,), out=out, now=now, environ={}))
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    largest = max(page.stat().st_size for page in out.rglob("*.html"))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    goal = f", target {TARGETS[label]:g} s" if label in TARGETS else ""
    print(
        f"{label}: {wall:.1f} s, {processor:.1f} s of processor time{goal}; {made.build.drawn} drawn,"
        f" {made.build.kept} kept; largest page {largest / 1000:.0f} kB; peak {memory:.0f} MB"
    )


def main() -> None:
    """Measure each case."""
    prompts, nights = (int(word) for word in (*sys.argv[1:], "500", "730")[:2])
    os.environ.update(IDENTITY)
    with tempfile.TemporaryDirectory() as folder:
        root, out = Path(folder) / "shop", Path(folder) / "site"
        root.mkdir()
        create(root, prompts, nights)
        measure(root, out, "cold")
        measure(root, out, "nothing new")
        branch = find_branch(root, "origin")
        day = LAST + timedelta(days=1)
        line = night_lines(day, 1)
        branch.append(lambda _: {f"nights/{day:%Y/%m-%d}.jsonl": line}, "one more line")
        measure(root, out, "one prompt changed")
        branch.append(lambda _: {f"nights/{day:%Y/%m-%d}.jsonl": night_lines(day, prompts)}, "one more night")
        measure(root, out, "one more night of every prompt")


if __name__ == "__main__":
    main()
