"""A run of so many cases that they are held in a file: every output is whole, and the same when it is drawn again."""

import csv
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.openai_server import Call
from support.repositories import GOLDENS, GOOD, PROMPT, config, goldens, make_environment, model, prompt, serving
from support.repositories import shop as made

from promptci.app.requests import CheckRequest
from promptci.evaluation import run
from promptci.report.build.cases.case_store import MAX_CASES_IN_MEMORY, DiskCases
from promptci.usecases.reporting import report

SECRET = "canary-4f9a8b7c6d5e3f2a"
COUNT = MAX_CASES_IN_MEMORY + 100
WRONG, LEAKING = 4711, 4712
MANY, MAX_RUN_MB, MAX_REPORT_MB = 100_000, 450, 400
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
"""Starts the process that is measured: the memory of a process counts as that of those that it starts itself."""


def answer(call: Call) -> str:
    number = call.last_user_message.partition("GH-")[2].rstrip("?")
    if number == str(1000 + WRONG):
        return "Sure!"
    return f"{SECRET} GH-{number}" if number == str(1000 + LEAKING) else model(call)


@pytest.mark.long
def test_a_run_whose_cases_are_held_in_a_file_is_reported_whole(tmp_path: Path) -> None:
    with serving(answer) as server:
        settings = config(server, run={"concurrency": 50, "cache": None})
        builder = made(tmp_path, {"promptci.yml": settings, PROMPT: prompt(GOOD), GOLDENS: goldens(COUNT)})
        environment, output = make_environment(OPENAI_API_KEY=SECRET)
        out = tmp_path / "out"
        outcome = run.run(CheckRequest(root=builder.path, out=out, head="HEAD"), environment)

    assert outcome.view is not None
    (shown,) = outcome.view.prompts
    assert isinstance(shown.case_details, DiskCases)
    assert [case.id for case in shown.case_details if case.outcome == "head-only" and case.head_pass_rate == 0] == [
        f"c{WRONG:03}",
        f"c{LEAKING:03}",
    ]
    with (out / "cases.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == [f"c{n:03}" for n in range(COUNT)]
    assert len(json.loads((out / "report.json").read_text())["prompts"][0]["case_details"]) == COUNT
    assert all(SECRET not in line for line in output)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert out / "report.html" in written
    assert all(SECRET.encode() not in path.read_bytes() for path in written)

    report.redraw_report(out / "report.json", tmp_path / "again", builder.path, environment)
    for path in sorted((tmp_path / "again").iterdir()):
        assert path.read_bytes() == (out / path.name).read_bytes(), path.name


def varied_goldens(count: int) -> str:
    """Return cases of 1 kB, of which no two have the same words."""
    draw = random.Random("goldens")  # noqa: S311 - the same texts each time
    words = ["".join(draw.choices("abcdefghijklmnop", k=7)) for _ in range(1000)]
    rows = (
        {
            "id": f"c{n}",
            "vars": {"input": f"{' '.join(draw.choices(words, k=120))}: where is GH-{1000 + n}?"},
            "expected": f"GH-{1000 + n}",
        }
        for n in range(count)
    )
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def measure_peak_mb(*words: str) -> float:
    """Run the command line in a process of its own; return the most memory that it took."""
    command = [sys.executable, "-c", MEASURE, sys.executable, "-m", "promptci", *words]
    environ = {**os.environ, "OPENAI_API_KEY": SECRET}
    return float(subprocess.run(command, env=environ, check=True, capture_output=True, text=True).stdout)


@pytest.mark.long
def test_a_hundred_thousand_cases_are_run_and_drawn_again_in_little_memory(tmp_path: Path) -> None:
    out, again = tmp_path / "out", tmp_path / "again"
    with serving() as server:
        settings = config(server, run={"concurrency": 50})
        builder = made(tmp_path, {"promptci.yml": settings, PROMPT: prompt(GOOD), GOLDENS: varied_goldens(MANY)})
        assert (builder.path / GOLDENS).stat().st_size > 100e6
        peak_mb = measure_peak_mb("run", "--repo", str(builder.path), "--head", "HEAD", "--out", str(out))
    assert peak_mb < MAX_RUN_MB
    assert measure_peak_mb("report", str(out / "report.json"), "--out", str(again)) < MAX_REPORT_MB
    assert (again / "report.json").read_bytes() == (out / "report.json").read_bytes()
    with (out / "cases.csv").open(newline="", encoding="utf-8-sig") as file:
        assert [row["case"] for row in csv.DictReader(file)] == [f"c{n}" for n in range(MANY)]
