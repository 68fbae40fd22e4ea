"""A year of nights on the history branch stays small, loose and packed."""

import hashlib
import random
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes.repo import ENVIRON, RepoBuilder

from promptci.drift.night import DriftVerdict, NightLine
from promptci.history import branch_records
from promptci.usecases.monitoring import history_branch
from promptci.usecases.monitoring.history_branch import KINDS, HistoryRequest

PROMPTS, CASES, NIGHTS = 20, 100, 365
MAX_LOOSE_MB, MAX_PACKED_MB = 20, 5
FIRST = datetime(2026, 1, 1, 3, 17, tzinfo=UTC)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def night_lines(night: int, draw: random.Random) -> bytes:
    """Lines as full as they come: every optional field is there, and marks, prices and latencies differ each night."""
    lines = []
    for number in range(PROMPTS):
        marks = "".join("1" if draw.random() < 0.96 else "0" for _ in range(CASES))
        line = NightLine(
            at=f"{FIRST + timedelta(days=night, seconds=draw.randrange(600)):%Y-%m-%dT%H:%M:%SZ}",
            run=str(10_000_000_000 + night * 997),
            prompt=f"prompt-{number}",
            version=f"v1.{night // 30}.0",
            fingerprint=digest(f"f{number}-{night // 30}"),
            goldens=digest(f"g{number}-{night // 60}"),
            judge=digest("judge"),
            reference=digest(f"r{number}-{night // 90}"),
            model="gpt-4o-mini",
            models=("gpt-4o-mini-2024-07-18",),
            system_fingerprint=(f"fp_{draw.randrange(16**10):010x}",),
            n=CASES,
            marks=marks,
            quality=marks.count("1") / CASES,
            drop=round(draw.gauss(0, 0.02), 4),
            refusals=draw.randrange(3),
            changed=draw.randrange(12),
            p50_ms=float(draw.randrange(500, 900)),
            p95_ms=float(draw.randrange(1000, 2000)),
            output_tokens=round(draw.gauss(41, 1), 2),
            usd=f"0.{draw.randrange(10**4):04d}",
            cusum=round(abs(draw.gauss(0, 0.02)), 5),
            h=0.06,
            steady=night,
            verdict=DriftVerdict.STEADY,
        )
        lines.append(line.model_dump_json(by_alias=True, exclude_none=True).encode() + b"\n")
    return b"".join(lines)


def commits(draw: random.Random) -> Iterator[bytes]:
    """Yield a year of commits as `git fast-import` takes them: the very objects that 365 appends write."""
    for night in range(NIGHTS):
        lines = branch_records.parse_new_lines(night_lines(night, draw), "night.jsonl", KINDS)
        (path,) = {line.path for line in lines}
        content = b"".join(line.content + b"\n" for line in lines)
        at = int((FIRST + timedelta(days=night)).timestamp())
        yield f"commit refs/heads/promptci/history\ncommitter promptci <promptci@localhost> {at} +0000\n".encode()
        yield b"data 11\nAdd records\n"
        for name, data in (("FORMAT", b"1\n"), (path, content)):
            yield f"M 100644 inline {name}\ndata {len(data)}\n".encode() + data + b"\n"


def run_git(folder: Path, *words: str, data: bytes) -> None:
    subprocess.run(["git", "-C", str(folder), *words], input=data, env=ENVIRON, check=True)


def size_mb(builder: RepoBuilder, key: str) -> float:
    counted = dict(line.split(": ") for line in builder.git("count-objects", "-v").splitlines())
    return int(counted[key]) * 1024 / 1e6


@pytest.mark.long
def test_a_year_of_nights_stays_small(tmp_path: Path) -> None:
    packed, loose = (RepoBuilder(tmp_path / name) for name in ("packed", "loose"))
    run_git(packed.path, "fast-import", "--quiet", data=b"".join(commits(random.Random(1))))  # noqa: S311 - no secret
    packed.git("gc", "--quiet")
    (pack,) = (packed.path / ".git" / "objects" / "pack").glob("*.pack")
    run_git(loose.path, "-c", "core.looseCompression=-1", "unpack-objects", "-q", data=pack.read_bytes())
    checked = history_branch.check_history(HistoryRequest(root=packed.path))
    assert (checked.lines["nights"], checked.problems) == (NIGHTS * PROMPTS, [])
    figures = {"packed": size_mb(packed, "size-pack"), "loose": size_mb(loose, "size")}
    assert figures["packed"] < MAX_PACKED_MB
    assert figures["loose"] < MAX_LOOSE_MB
